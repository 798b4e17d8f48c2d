"""The printer's faults, one by one, asked for now, by plan, or in the middle of a line of paper."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.escpos.faults import FAULTS, OCCASIONS
from simulators.faults import parse_fault
from simulators.machine import ControlError, Plug, Unplug
from simulators.plan import Plan, parse_plan
from tests.simulators.receipt_bench import ASB_ALL, CUT, ReceiptBench, band, process_id, proof, receipt, text

pytestmark = pytest.mark.rule("SIM-2")
LINES = [f"line {n}" for n in range(1, 6)]
JOB = receipt("O-1/receipt/1", "0001", *LINES)
WHOLE = [*LINES, "No. O-1/receipt/1"]
PROOF = proof("0001").hex(" ").upper()


def plan(*entries: dict[str, Any]) -> Plan:
    return parse_plan(list(entries), FAULTS, OCCASIONS)


def test_near_end_prints_on() -> None:
    bench = ReceiptBench()
    bench.fault("paper_near_end")
    assert bench.ask(JOB) == PROOF
    assert bench.shows == ["paper_near_end"]


def test_paper_end_in_the_middle_goes_on_by_itself_on_the_new_roll() -> None:
    bench = ReceiptBench(init_stops_asb=False)
    bench.fault("paper_end", at_line=3)
    assert bench.ask(ASB_ALL + JOB) == "14 00 00 00 1C 00 0F 00"
    assert bench.control("state")["roll"]["texts"] == LINES[:2]
    bench.control("refill")
    assert bench.heard() == PROOF
    assert bench.sent.startswith(bytes.fromhex("14000000 1C000F00 14000000"))
    assert [(sheet["lines"], sheet["cut"]) for sheet in bench.sheets] == [(LINES[:2], False), (WHOLE[2:], True)]
    assert [sheet["attempts"] for sheet in bench.sheets] == [[], ["O-1/receipt/1"]]
    assert bench.shows == ["paper_end", "paper_refilled"]


def test_the_cover_opened_in_the_middle_stops_and_closing_goes_on_with_the_same_line() -> None:
    bench = ReceiptBench(init_stops_asb=False)
    bench.fault("cover_open", at_line=3)
    assert bench.ask(ASB_ALL + JOB) == "14 00 00 00 3C 40 00 00"
    assert bench.ask("10 04 03", 0.0) == "52"
    bench.control("cover", open=False)
    assert bench.heard() == PROOF
    assert [sheet["lines"] for sheet in bench.sheets] == [WHOLE]
    assert bench.shows == ["cover_opened", "cover_closed"]


def test_the_cover_closes_by_itself_when_asked_so() -> None:
    bench = ReceiptBench()
    bench.fault("cover_open", at_line=2, for_s=5.0)
    assert bench.ask(JOB) == PROOF
    bench.fault("cover_open")
    assert bench.ask(JOB) == ""
    bench.control("cover", open=False)
    bench.control("cover", open=False)
    assert bench.heard() == PROOF


def test_a_jammed_cutter_leaves_the_sheet_uncut_until_a_hand_frees_it() -> None:
    bench = ReceiptBench(init_stops_asb=False)
    bench.fault("cutter_jam")
    assert bench.ask(ASB_ALL + JOB) == "14 00 00 00 1C 08 00 00"
    assert bench.sheets == []
    assert bench.ask("10 05 01") == "", "the knife is still stuck"
    bench.control("free_cutter")
    assert bench.heard() == PROOF
    assert [sheet["lines"] for sheet in bench.sheets] == [WHOLE]
    assert bench.shows == ["cutter_jammed", "cutter_freed"]


def test_a_freed_cutter_may_wait_for_a_recovery_that_prints_the_last_line_again() -> None:
    bench = ReceiptBench()
    bench.fault("cutter_jam")
    bench.ask(JOB)
    bench.control("free_cutter", resumes=False)
    assert bench.heard() == ""
    assert bench.ask("10 05 01") == PROOF
    assert bench.lines == [*WHOLE, WHOLE[-1]]


def test_a_recovery_that_clears_loses_the_cut_and_the_proof() -> None:
    bench = ReceiptBench()
    bench.fault("cutter_jam")
    bench.ask(JOB)
    bench.control("free_cutter", resumes=False)
    assert bench.ask("10 05 02") == ""
    assert bench.sheets == []
    bench.ask(receipt("O-2/receipt/1", "0002"))
    assert bench.sheets[0]["attempts"] == ["O-1/receipt/1", "O-2/receipt/1"], "on one sheet with the next customer's"


def test_a_jam_outlives_the_power() -> None:
    bench = ReceiptBench()
    bench.fault("cutter_jam")
    bench.ask(JOB)
    bench.control("power", on=False)
    bench.control("power", on=True)
    assert bench.ask("10 04 03", 0.0) == "1A"
    bench.control("free_cutter")
    assert bench.ask("10 04 03", 0.0) == "12"


def test_a_hot_head_cools_and_goes_on() -> None:
    bench = ReceiptBench()
    bench.fault("head_hot", at_line=2, for_s=3.0)
    bench.send(JOB)
    bench.run(2.9)
    assert bench.sent == b""
    assert bench.heard() == PROOF
    assert bench.lines == WHOLE
    assert bench.shows == ["head_hot", "head_cooled"]


@pytest.mark.parametrize("at_line", range(1, 7))
def test_power_lost_at_a_line_leaves_what_was_printed_and_nothing_else(at_line: int) -> None:
    bench = ReceiptBench()
    bench.fault("power_loss", at_line=at_line, off_s=2.0)
    assert bench.ask(JOB) == ""
    state = bench.control("state")
    assert state["roll"]["texts"] == WHOLE[: at_line - 1]
    assert (state["buffered"], state["powered"], bench.sheets) == (0, True, [])
    bench.ask(receipt("O-2/receipt/1", "0002"))
    assert bench.lines == [*WHOLE[: at_line - 1], "No. O-2/receipt/1"], "it comes out in front of the next customer's"


@pytest.mark.parametrize(("fraction", "rows"), [(0.0, 0), (0.25, 6), (0.5, 12), (1.0, 24)])
def test_power_lost_within_a_band_leaves_so_much_of_it(fraction: float, rows: int) -> None:
    bench = ReceiptBench()
    bench.fault("power_loss", at_line=2, at_fraction=fraction)
    bench.ask(band(72))
    assert bench.control("state")["roll"]["rows"] == 24 + rows


@pytest.mark.parametrize(("flow", "told"), [("xon_xoff", b"\x11"), ("none", b""), ("stall", b"")])
def test_a_printer_that_uses_xon_says_it_when_its_power_is_back(flow: str, told: bytes) -> None:
    """TM-m50II p. 114, TM-T88IV p. 102, TM-T20III p. 70: `when the printer goes online after it is turned on`."""
    bench = ReceiptBench(flow=flow)
    bench.control("cover", open=True)
    bench.fault("power_loss", off_s=5.0)
    bench.run(10.0)
    assert bench.sent == b"", "it is not online yet"
    bench.control("cover", open=False)
    bench.run(1.0)
    assert bench.sent == told
    bench.control("cover", open=True)
    bench.control("cover", open=False)
    bench.run(1.0)
    assert bench.sent == told, "once"


def test_power_lost_at_once_silences_it_until_it_comes_back() -> None:
    bench = ReceiptBench()
    bench.ask(ASB_ALL)
    bench.fault("power_loss", off_s=5.0)
    assert bench.ask("10 04 01", 4.0) == ""
    bench.run(2.0)
    bench.actions.clear()
    bench.fault("paper_near_end")
    assert bench.sent == b"", "ASB is off after power-on"
    assert bench.ask("10 04 04") == "1E"


def test_power_lost_while_the_host_was_told_to_wait_lets_it_go() -> None:
    bench = ReceiptBench(buffer_bytes=256)
    bench.fault("power_loss", at_line=2, at_fraction=0.5, off_s=1.0)
    bench.send(text("x" * 40) * 10)
    assert bench.ready == [False]
    bench.run()
    assert bench.ready == [False, True]
    assert bench.ask(JOB) == PROOF


def test_power_that_nobody_switches_on_stays_off() -> None:
    bench = ReceiptBench()
    bench.fault("power_loss", off_s=None)
    bench.run(1000.0)
    assert bench.ask("10 04 01") == ""
    assert bench.control("power", on=True) == {"powered": True}
    assert bench.ask("10 04 01") == "16"


def test_lost_bytes() -> None:
    bench = ReceiptBench()
    bench.fault("byte_loss", count=2, after=3)
    bench.feed(b"abcdefg\n")
    bench.ask(CUT)
    assert bench.lines == ["abcfg"]


def test_a_lost_byte_of_an_image_eats_the_next_command() -> None:
    bench = ReceiptBench()
    bench.fault("byte_loss", after=20)
    bench.ask(band(24) + text("ABC") + CUT)
    assert bench.lines == ["BC"], "the A became dots"


def test_wrong_parity_prints_question_marks() -> None:
    bench = ReceiptBench()
    bench.fault("parity_noise", count=2, every=3)
    bench.feed(b"abcdefghi\n")
    bench.ask(CUT)
    assert bench.lines == ["ab?de?ghi"]


def test_silence_prints_all_the_same() -> None:
    bench = ReceiptBench()
    bench.fault("silence", count=1)
    assert bench.ask(JOB) == ""
    assert bench.lines == WHOLE
    assert bench.ask("10 04 01") == "16"
    bench.fault("silence", for_s=10.0)
    assert bench.ask("10 04 01 10 04 02", 5.0) == ""
    assert bench.ask("10 04 01", 10.0) == ""
    assert bench.ask("10 04 01") == "16"


def test_a_late_reply() -> None:
    bench = ReceiptBench()
    bench.fault("late_reply", delay_s=3.0)
    assert bench.ask("10 04 01", 2.9) == ""
    assert bench.heard(0.2) == "16"


@pytest.mark.parametrize(
    ("where", "reply"),
    [
        ("before", "DE AD 37 22 30 30 30 31 00"),
        ("inside", "37 22 30 DE AD 30 30 31 00"),
        ("after", "37 22 30 30 30 31 00 DE AD"),
    ],
)
def test_garbage_around_a_reply(where: str, reply: str) -> None:
    bench = ReceiptBench()
    bench.fault("garbage", where=where, hex="DEAD")
    assert bench.ask(process_id("0001")) == reply
    assert bench.ask(process_id("0001")) == PROOF


def test_garbage_unasked_and_asb_off() -> None:
    bench = ReceiptBench()
    bench.ask(ASB_ALL)
    bench.fault("garbage", where="now", hex="DEAD")
    assert bench.sent.endswith(b"\xde\xad")
    bench.fault("asb_off")
    bench.fault("paper_end")
    assert bench.sent.endswith(b"\xde\xad")


def test_the_line_is_pulled_and_put_back() -> None:
    bench = ReceiptBench()
    bench.fault("unplug", for_s=None)
    bench.control("plug")
    assert [action for _, action in bench.actions] == [Unplug(None), Plug()]


def test_an_unrecoverable_error_stays() -> None:
    bench = ReceiptBench()
    bench.fault("unrecoverable")
    assert bench.ask(JOB + "10 05 01") == ""
    assert bench.ask("10 04 03") == "32"


@pytest.mark.parametrize(
    ("at", "printed"),
    [("3rd line", LINES[:2]), ("1st cut", WHOLE), ("2nd sheet", []), ("2nd band", []), ("1st code", [])],
)
def test_a_plan_strikes_at_its_occasion(at: str, printed: list[str]) -> None:
    bench = ReceiptBench(plan({"at": at, "fault": "power_loss", "args": {"off_s": None}}))
    bench.ask(JOB)
    assert bench.control("state")["roll"]["texts"] == printed
    assert bench.control("state")["powered"] is (not printed)
    bench.ask(band(48) + "1D 6B 04 41 00" + CUT)
    assert bench.control("state")["powered"] is False


def test_a_line_that_a_plan_interrupts_is_not_counted_twice() -> None:
    bench = ReceiptBench(
        plan(
            {"at": "2nd line", "fault": "head_hot", "args": {"for_s": 1.0}},
            {"at": "3rd line", "fault": "paper_near_end"},
        )
    )
    bench.send(text("1") + text("2"))
    bench.run()
    assert bench.shows == ["head_hot", "head_cooled"]
    bench.ask(text("3"))
    assert bench.shows[-1] == "paper_near_end"


def test_a_plan_strikes_by_the_clock_and_only_its_device() -> None:
    bench = ReceiptBench(plan({"at": 5, "fault": "paper_end"}, {"at": 1, "fault": "cover_open", "device": "receipt-2"}))
    bench.send("")
    bench.run(4.9)
    assert bench.shows == []
    bench.run(0.2)
    assert bench.shows == ["paper_end"]


@pytest.mark.parametrize(
    "wrong",
    [{"at": "2nd motion", "fault": "paper_end"}, {"at": "2nd line", "fault": "jam"}],
)
def test_a_plan_of_another_kind_of_machine_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ControlError, match="entry 1"):
        plan(wrong)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_can_be_asked_for_with_its_defaults_and_cleared(name: str) -> None:
    parse_fault(name, None, FAULTS)
    bench = ReceiptBench()
    bench.fault(name)
    bench.control("clear")
    assert bench.control("state")["armed"] == []


# --- the presenter --------------------------------------------------------------------------------------------------

RETRACT, EJECT = "1D 65 02", "1D 65 05"


def presenting(**customer: Any) -> ReceiptBench:
    return ReceiptBench(presenter=True, customer=customer)


def test_a_customer_takes_the_ticket_after_a_while() -> None:
    bench = presenting(policy="take", after_s=3.0)
    bench.send(JOB)
    bench.run(3.0)
    assert bench.shows == ["ticket_presented"]
    bench.run(3.0)
    assert bench.shows == ["ticket_presented", "ticket_taken"]
    assert bench.effects[-1].detail == {"sheet": 1, "attempts": ["O-1/receipt/1"]}


def test_a_ticket_that_is_left_is_retracted_ejected_or_pushed_out() -> None:
    bench = presenting(policy="leave")
    bench.ask(JOB)
    bench.ask(RETRACT + RETRACT)
    bench.ask(JOB + EJECT)
    bench.ask(JOB)
    bench.ask(JOB)
    assert bench.shows[1::2] == ["ticket_retracted", "ticket_ejected", "ticket_pushed_out"]
    bench.control("customer", take=True)
    assert bench.shows[-1] == "ticket_taken"


def test_a_customer_may_take_it_at_the_last_moment() -> None:
    bench = presenting(policy="last_moment")
    bench.ask(JOB)
    bench.ask(RETRACT)
    assert bench.shows == ["ticket_presented", "ticket_taken"]


def test_the_next_customer_may_be_another_one() -> None:
    bench = presenting(policy="leave")
    bench.control("customer", next=True, policy="take", after_s=1.0)
    bench.ask(JOB)
    bench.ask(JOB)
    assert bench.shows == ["ticket_presented", "ticket_taken", "ticket_presented"]
    bench.control("customer", policy="take", after_s=0.5)
    bench.run(1.0)
    assert bench.shows[-1] == "ticket_taken"


def test_the_retract_command_is_the_models_own_and_unknown_without_a_presenter() -> None:
    bench = ReceiptBench(presenter=True, retract="1C7001", customer={"policy": "leave"})
    bench.ask(JOB + "1C 70 01")
    assert bench.shows[-1] == "ticket_retracted"
    plain = ReceiptBench()
    plain.ask(RETRACT)
    assert plain.shows == ["unknown_command"]


def test_a_ticket_waits_through_a_restart_and_a_loss_of_power() -> None:
    bench = presenting(policy="leave")
    bench.ask(JOB)
    bench.fault("power_loss", off_s=1.0)
    bench.run()
    assert bench.ask("10 04 14", 0.0) == "10 0F 20 00 00 00"
    again = bench.reborn(presenter=True, customer={"policy": "take", "after_s": 1.0})
    again.run()
    assert again.shows == ["ticket_taken"]
