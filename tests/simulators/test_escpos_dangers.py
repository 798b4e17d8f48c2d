"""The dangers of the real printer, each shown by a host that does not know them: kinder machines prove nothing."""

from __future__ import annotations

import pytest

from tests.simulators.receipt_bench import (
    ASB_ALL,
    CHINESE,
    CUT,
    INIT,
    ReceiptBench,
    band,
    process_id,
    proof,
    receipt,
    text,
)

pytestmark = pytest.mark.rule("SIM-3")

FIRST, SECOND = receipt("O-1/receipt/1", "0001", "for Ann"), receipt("O-2/receipt/1", "0002", "for Bob")
PROOF_2 = proof("0002").hex(" ").upper()
RESYNC = "00" * (72 * 24 + 8) + INIT


class NaiveHost:
    """Believes that bytes written are a receipt printed, and that a new connection is a new printer."""

    def __init__(self, bench: ReceiptBench) -> None:
        self.bench = bench

    def dies_after(self, job: str, share: float) -> None:
        whole = bytes.fromhex(job)
        self.bench.feed(whole[: int(len(whole) * share)])
        self.bench.run()

    def prints(self, job: str) -> str:
        return self.bench.ask(job)


def test_half_a_receipt_of_a_dead_host_comes_out_in_front_of_the_next_customers() -> None:
    bench = ReceiptBench()
    host = NaiveHost(bench)
    host.dies_after(FIRST, 0.4)
    assert host.prints(SECOND) == PROOF_2
    assert bench.sheets[-1]["lines"][:2] == ["for Ann", "for Bob"], "Bob gets what belongs to Ann"


def test_a_line_that_was_not_ended_joins_the_next_one_unless_the_printer_is_initialised() -> None:
    bench = ReceiptBench()
    bench.send(b"balance 99".hex())
    bench.ask(text(" for Bob") + CUT)
    assert bench.lines == ["balance 99 for Bob"]
    bench.send(b"balance 99".hex())
    bench.ask(INIT + text("for Bob") + CUT)
    assert bench.lines == ["for Bob"]


def test_a_printer_in_the_middle_of_an_image_eats_the_next_receipt() -> None:
    bench = ReceiptBench()
    host = NaiveHost(bench)
    host.dies_after(band(600), 0.1)
    assert host.prints(SECOND) == "", "no proof, for the command for it was eaten as dots"
    assert bench.sheets == []
    assert bench.control("state")["half_command"] is True


def test_a_queued_question_is_eaten_by_a_half_fed_image_and_a_real_time_one_is_not() -> None:
    bench = ReceiptBench()
    NaiveHost(bench).dies_after(band(24), 0.5)
    assert bench.ask("1D 72 01 1D 49 43" + process_id("0001")) == ""
    assert bench.ask("10 04 01", 0.0) == "16"


def test_one_band_of_zeros_and_an_initialise_bring_it_back() -> None:
    bench = ReceiptBench()
    host = NaiveHost(bench)
    host.dies_after(text("for Ann") + text("No. O-1/receipt/1") + band(24), 0.9)
    assert host.prints(RESYNC + CHINESE + text("作废 VOID") + text("No. O-1/receipt/1") + CUT + SECOND) == PROOF_2
    assert bench.sheets[-2]["lines"] == ["for Ann", "No. O-1/receipt/1", "作废 VOID", "No. O-1/receipt/1"]
    assert bench.sheets[-2]["void"] is True, "half a receipt with the slip behind it, on one paper"
    assert bench.sheets[-1]["lines"] == ["for Bob", "No. O-2/receipt/1"], "but Bob's receipt is his own"


def test_parser_and_buffer_outlive_the_host_and_the_simulators_process_but_not_the_power() -> None:
    half = band(24)[:-60]
    for power in (False, True):
        bench = ReceiptBench()
        bench.send(half)
        bench.printer.host(present=False, now=bench.now)
        bench.printer.host(present=True, now=bench.now)
        bench = bench.reborn()
        if power:
            bench.fault("power_loss", off_s=1.0)
            bench.run()
        bench.ask(text("A" * 40) + CUT)
        assert bench.lines == (["A" * 40] if power else ["A" * 10])


def test_sent_is_not_printed() -> None:
    bench = ReceiptBench()
    bench.fault("paper_end")
    assert NaiveHost(bench).prints(FIRST) == ""
    assert bench.sheets == []
    bench.control("refill")
    assert bench.heard() == proof("0001").hex(" ").upper(), "and it goes on by itself, hours later"
    assert bench.sheets[-1]["attempts"] == ["O-1/receipt/1"]


def test_who_prints_again_because_of_silence_has_two_receipts() -> None:
    bench = ReceiptBench()
    bench.fault("silence")
    host = NaiveHost(bench)
    assert host.prints(FIRST) == ""
    host.prints(FIRST)
    assert [sheet["attempts"] for sheet in bench.sheets] == [["O-1/receipt/1"]] * 2


def test_a_proof_asked_for_after_the_fact_proves_nothing() -> None:
    bench = ReceiptBench()
    bench.fault("power_loss", at_line=2, off_s=1.0)
    NaiveHost(bench).prints(FIRST)
    assert bench.ask(process_id("0001")) == proof("0001").hex(" ").upper()
    assert bench.sheets == [], "the printer says 0001 and no receipt exists"


def test_a_proof_before_the_cut_does_not_prove_the_cut() -> None:
    bench = ReceiptBench()
    bench.fault("cutter_jam")
    assert bench.ask(text("for Ann") + process_id("0001") + CUT) == proof("0001").hex(" ").upper()
    assert bench.sheets == []


def test_an_automatic_recovery_loses_the_receipt_or_prints_a_line_twice() -> None:
    for request, lines in (("10 05 01", ["for Ann", *["No. O-1/receipt/1"] * 2]), ("10 05 02", None)):
        bench = ReceiptBench()
        bench.fault("cutter_jam")
        bench.ask(FIRST)
        bench.control("free_cutter", resumes=False)
        bench.ask(request)
        assert ([sheet["lines"] for sheet in bench.sheets] or [None]) == [lines]


def test_a_picture_that_contains_a_question_gets_an_answer_nobody_waits_for() -> None:
    bench = ReceiptBench()
    assert bench.ask("1D 76 30 00 03 00 01 00 10 04 01") == "16"


def test_a_picture_that_contains_the_magic_sequence_clears_the_buffer() -> None:
    bench = ReceiptBench()
    bench.ask("1D 76 30 00 0A 00 01 00 10 14 08 01 03 14 01 06 02 08" + text("for Ann") + CUT)
    assert "buffer_cleared" in bench.shows


def test_who_forgets_the_chinese_mode_prints_garbage() -> None:
    bench = ReceiptBench(chinese_default=False)
    bench.ask(INIT + text("回单") + CUT)
    assert bench.lines != ["回单"]
    bench.ask(INIT + CHINESE + text("回单") + INIT + text("回单") + CUT)
    assert bench.lines[0] == "回单"
    assert bench.lines[1] != "回单", "an initialise goes back to the model's default"


def test_who_cuts_without_feeding_gives_the_number_of_one_receipt_to_the_next_customer() -> None:
    bench = ReceiptBench(cutter_dots=96)
    bench.ask(text("for Ann") + text("No. O-1/receipt/1") + "1D 56 00")
    bench.ask(text("for Bob") + text("No. O-2/receipt/1") + CUT)
    assert [sheet["attempts"] for sheet in bench.sheets] == [[], ["O-1/receipt/1", "O-2/receipt/1"]]


def test_a_host_that_reconnects_hears_no_status_by_itself() -> None:
    bench = ReceiptBench()
    bench.ask(ASB_ALL)
    bench.printer.host(present=False, now=bench.now)
    bench.control("cover", open=True)
    bench.printer.host(present=True, now=bench.now)
    assert bench.sent == bytes.fromhex("14 00 00 00")


def test_the_counter_that_would_prove_a_cut_can_lose_it_with_the_power() -> None:
    bench = ReceiptBench(counters=True)
    read = "1D 67 32 00 B2 00"
    before = bench.ask(read)
    bench.ask(text("for Ann") + CUT)
    bench.fault("power_loss", off_s=1.0)
    bench.run()
    assert len(bench.sheets) == 1
    assert bench.ask(read) == before


def test_a_clone_answers_with_a_name_that_is_not_its_own_and_has_no_process_id() -> None:
    bench = ReceiptBench(identity={"maker": "EPSON", "model": "TM-T88V"}, process_id=False)
    assert bytes.fromhex(bench.ask("1D 49 43")) == b"\x5fTM-T88V\x00"
    assert bench.ask(FIRST) == ""
    assert bench.sheets[-1]["attempts"] == ["O-1/receipt/1"]
