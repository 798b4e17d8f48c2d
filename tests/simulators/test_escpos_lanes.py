"""Two lanes: one acts on reception whatever goes on, the other takes its turn after the paper of those before it."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.machine import ControlError
from tests.simulators.receipt_bench import ASB_ALL, CUT, ReceiptBench, band, process_id, proof, receipt, text

CLEAR = "10 14 08 01 03 14 01 06 02 08"


def test_the_proof_comes_after_the_paper_and_the_cut_and_not_before() -> None:
    bench = ReceiptBench(line_s=0.1, cut_s=0.5)
    bench.send(text("a") + CUT + process_id("0001"))
    bench.run(0.6)
    assert (bench.sent, bench.sheets) == (b"", [])
    bench.run(0.1)
    assert (bench.sent, len(bench.sheets)) == (proof("0001"), 1)


def test_printing_takes_its_time_by_rows() -> None:
    bench = ReceiptBench(line_s=1.0)
    bench.send(band(48) + process_id("0001"))
    bench.run(1.9)
    assert bench.sent == b""
    bench.run(0.2)
    assert bench.sent == proof("0001")


def test_a_fence_and_an_identity_wait_for_what_stands_before_them() -> None:
    bench = ReceiptBench(line_s=1.0)
    bench.send(text("a") + "1D 72 01 1D 49 01")
    bench.run(1.0)
    assert bench.sent == b""
    assert bench.heard() == "00 20"


@pytest.mark.parametrize("trouble", ["paper_end", "cover_open", "head_hot", "unrecoverable"])
def test_offline_stops_the_queue_and_not_the_real_time_lane(trouble: str) -> None:
    bench = ReceiptBench()
    bench.fault(trouble, **({"for_s": 1000} if trouble == "head_hot" else {}))
    assert bench.ask(text("a") + "1D 72 01" + process_id("0001")) == ""
    assert bench.ask("10 04 01", 0.0) == "1E"
    assert bench.printer.control({"do": "state"}, bench.now)["buffered"] > 0


def test_a_question_inside_of_image_data_is_answered_and_eaten_as_dots_all_the_same() -> None:
    plain, asked = ReceiptBench(drawer_high=False), ReceiptBench(drawer_high=False)
    head = "1D 76 30 00 01 00 04 00 "
    plain.ask(head + "FF FF FF FF" + text("after") + CUT)
    assert asked.ask(head + "FF 10 04 01" + text("after") + CUT) == "12"
    assert asked.lines == plain.lines == ["after"]
    assert plain.black() - asked.black() == 24 - 3, "10 04 01 are three dots instead of 24"


def test_a_question_inside_of_any_parameter_is_eaten_too() -> None:
    bench = ReceiptBench()
    assert bench.ask("1D 28 6B 07 00 31 50 30 10 04 02 41 1D 28 6B 03 00 31 51 30" + CUT) == "12"
    assert bench.codes() == [("QRCode", "<DLE><EOT><STX>A")]


def test_a_question_between_commands_takes_no_room_and_leaves_no_mark() -> None:
    bench = ReceiptBench(buffer_bytes=256, flow="none")
    bench.control("cover", open=True)
    bench.send("10 04 01" * 1000)
    assert bench.control("state")["buffered"] == 0
    bench.control("cover", open=False)
    bench.ask(text("a") + CUT)
    assert bench.lines == ["a"]


@pytest.mark.parametrize("noise", ["10", "10 10", "10 14", "10 14 08 01 03", "10 14 02 01", "10 05 09"])
def test_a_request_that_is_not_whole_or_not_known_does_nothing(noise: str) -> None:
    bench = ReceiptBench(drawer_high=False)
    bench.send(text("kept"))
    assert bench.ask(noise + "10 04 01 10 04 01")[:2] in {"12", ""}
    assert bench.shows == []


def test_half_a_request_goes_on_with_the_next_bytes() -> None:
    bench = ReceiptBench(drawer_high=False)
    for piece in ("10", "04"):
        assert bench.ask(piece) == ""
    assert bench.ask("01") == "12"


@pytest.mark.parametrize("clear", [CLEAR, "10 05 02"])
def test_clearing_the_buffers_drops_lines_and_process_ids_silently(clear: str) -> None:
    bench = ReceiptBench(line_s=0.1)
    bench.send(text("one") + text("two") + CUT + process_id("0001"))
    bench.run(0.15)
    assert bench.ask(clear) == ""
    assert bench.shows == ["buffer_cleared"]
    assert bench.ask(text("after") + CUT + process_id("0002")) == proof("0002").hex(" ").upper()
    assert bench.lines == ["one", "after"], "what was on the paper stays on the paper"


@pytest.mark.parametrize("clear", [CLEAR, "10 05 02"])
def test_clearing_the_buffers_ends_a_half_command(clear: str) -> None:
    bench = ReceiptBench()
    bench.send("1D 76 30 00 48 00 18 00 AA")
    bench.ask(clear + text("after") + CUT)
    assert bench.lines == ["after"]


def test_clearing_the_buffers_inside_of_an_image_works_because_it_is_real_time() -> None:
    bench = ReceiptBench()
    bench.ask(band(24)[:-20] + CLEAR)
    assert bench.control("state")["half_command"] is False


def test_of_several_proofs_that_could_not_leave_only_the_latest_does() -> None:
    bench = ReceiptBench()
    bench.fault("host_busy", for_s=30.0)
    bench.send(process_id("0001") + process_id("0002") + process_id("0003"))
    assert bench.heard() == proof("0003").hex(" ").upper()


@pytest.mark.parametrize("clear", [CLEAR, "10 05 02"])
def test_a_proof_that_could_not_leave_is_forgotten_when_the_buffers_are_cleared(clear: str) -> None:
    bench = ReceiptBench()
    bench.fault("host_busy", for_s=30.0)
    assert bench.ask(process_id("0001"), 1.0) == ""
    bench.send(clear)
    assert bench.heard() == ""


def test_asb_that_could_not_leave_tells_the_state_of_later_once() -> None:
    bench = ReceiptBench()
    bench.ask(ASB_ALL)
    bench.fault("host_busy", for_s=30.0)
    bench.control("cover", open=True)
    bench.control("cover", open=False)
    bench.fault("paper_near_end")
    assert bench.heard() == "14 00 03 00"


def test_between_a_blocks_head_and_its_end_nothing_else_goes_out_but_xoff() -> None:
    bench = ReceiptBench(byte_s=0.1, flow="xon_xoff", buffer_bytes=256)
    bench.ask(ASB_ALL)
    bench.actions.clear()
    bench.send(process_id("0001"))
    bench.run(0.15)
    bench.control("cover", open=True)
    bench.send("10 04 01")
    bench.send("41" * 250)
    bench.run()
    assert bench.sent == bytes.fromhex("37 22 13 30 30 30 31 00 3C 00 00 00 1E")


def test_xoff_and_xon_are_told_by_the_buffers_level() -> None:
    bench = ReceiptBench(flow="xon_xoff", buffer_bytes=1000, line_s=0.01)
    bench.send(text("x" * 20) * 60)
    assert bench.sent == b"\x13"
    bench.run()
    assert bench.sent == b"\x13\x11"


@pytest.mark.parametrize("flow", ["none", "xon_xoff"])
def test_a_host_that_does_not_wait_loses_what_the_buffer_cannot_hold(flow: str) -> None:
    bench = ReceiptBench(flow=flow, buffer_bytes=500)
    bench.ask(text("x" * 20) * 60)
    bench.ask(CUT)
    assert bench.control("state")["lost_bytes"] > 0
    assert len(bench.lines) < 60


def test_a_ready_line_stalls_the_port_and_nothing_is_lost() -> None:
    bench = ReceiptBench(flow="stall", buffer_bytes=500)
    bench.send(text("x" * 20) * 60 + CUT)
    assert bench.ready == [False]
    bench.run()
    assert bench.ready == [False, True]
    assert len(bench.lines) == 60


def test_a_full_buffer_still_hears_the_real_time_lane() -> None:
    bench = ReceiptBench(flow="none", buffer_bytes=256, drawer_high=False)
    bench.control("cover", open=True)
    bench.send("41" * 1000)
    assert bench.ask("10 04 02", 0.0) == "16"


def test_a_stall_stops_everything_and_goes_on_by_itself() -> None:
    bench = ReceiptBench(flow="xon_xoff")
    bench.fault("stall", for_s=5.0)
    bench.send(text("a") + process_id("0001"))
    bench.run(4.9)
    assert bench.sent == b"\x13"
    bench.run(1.0)
    assert bench.sent == b"\x13\x11" + proof("0001")


def test_a_host_that_is_away_gets_no_replies_but_the_printer_goes_on() -> None:
    bench = ReceiptBench()
    bench.printer.host(present=False, now=bench.now)
    assert bench.ask(receipt("O-1/receipt/1", "0001", "a") + "10 04 01 1D 72 01") == ""
    bench.printer.host(present=True, now=bench.now)
    assert bench.heard() == ""
    assert bench.sheets[-1]["attempts"] == ["O-1/receipt/1"]


def test_a_printer_that_holds_replies_has_the_latest_proof_for_who_comes_next() -> None:
    bench = ReceiptBench(holds_replies=True)
    bench.printer.host(present=False, now=bench.now)
    assert bench.ask(receipt("O-1/receipt/1", "0001") + "10 04 01" + receipt("O-2/receipt/1", "0002")) == ""
    bench.printer.host(present=True, now=bench.now)
    assert bench.heard() == proof("0002").hex(" ").upper()


def test_a_power_off_request_and_a_drawer_pulse() -> None:
    bench = ReceiptBench()
    bench.ask("10 14 01 01 05 10 14 02 01 08")
    assert bench.shows == ["drawer_pulse", "power_lost"]
    assert bench.ask("10 04 01") == ""
    bench.control("power", on=True)
    assert bench.ask("10 04 01") == "16"


def test_an_unknown_command_is_told_once_and_its_parameters_are_printed() -> None:
    bench = ReceiptBench()
    bench.ask("1B 7F 41 0A 1B 7F 42 0A 1D 99 43 0A 1D 6B 3F 44 0A 1B 28 59 02 00 31 32 1D 28 59 01 00 31" + CUT)
    assert bench.lines == ["A", "B", "C", "?D"]
    assert [effect.detail["command"] for effect in bench.effects if effect.act == "unknown_command"] == [
        "1B 7F",
        "1D 99",
        "1D 6B",
        "1D 28 59",
    ]


def test_a_command_that_no_printer_can_keep_is_passed_over() -> None:
    bench = ReceiptBench()
    bench.ask("1D 38 4C 00 00 02 00" + "41" * 0x20000 + text("after") + CUT)
    assert bench.lines == ["after"]
    assert bench.shows == ["unknown_command"]


@pytest.mark.parametrize(
    "harmless",
    ["1D 4C 00 00", "1D 57 40 02", "1B 74 10", "1C 43 30", "1C 53 00 00", "1C 57 01", "1B 4D 01", "1B 20 00",
     "1B 44 08 10 00", "1D 42 00", "1B 52 0F", "1B 63 35 00", "1B 70 00 32 32", "00", "0D", "18", "1B 7B 00",
     "1B 26 03 20 21 01 FF FF FF 02 FF FF FF FF FF FF", "1D 2A 01 01 AA AA AA AA AA AA AA AA"],
)  # fmt: skip
def test_harmless_commands_leave_no_mark(harmless: str) -> None:
    bench = ReceiptBench()
    bench.ask(harmless + text("after") + CUT)
    assert bench.lines == ["after"]
    assert bench.shows == []


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"do": "dance"}, "'do' must be one of"),
        ({"do": "fault", "name": "jam"}, "paper_end"),
        ({"do": "fault", "name": "paper_end", "args": {"at_line": 0}}, "at_line"),
        ({"do": "refill", "rolls": 2}, "rolls"),
        ({"do": "cover"}, "true or false"),
        ({"do": "power", "on": 1}, "true or false"),
        ({"do": "tear"}, "nothing printed"),
        ({"do": "customer", "take": True}, "no ticket"),
        ({"do": "state", "device": "receipt-2"}, "receipt-1"),
    ],
)
def test_a_wrong_request_says_what_to_send_instead(request_: dict[str, object], says: str) -> None:
    with pytest.raises(ControlError, match=says):
        ReceiptBench().printer.control(request_, 0.0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"colour": 1}, "colour"),
        ({"dots": 500}, "dots"),
        ({"line_s": -1}, "line_s"),
        ({"flow": "rts"}, "flow"),
        ({"buffer_bytes": 10}, "buffer_bytes"),
        ({"process_id": 1}, "process_id"),
        ({"retract": "1D"}, "retract"),
        ({"retract": "zz"}, "retract"),
        ({"identity": {"name": "x"}}, "identity"),
        ({"identity": {"maker": "中"}}, "identity"),
        ({"customer": {"policy": "run"}}, "policy"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ControlError, match=says):
        ReceiptBench(**options)
