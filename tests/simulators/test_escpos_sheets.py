"""What came out of the printer: one continuous roll, sheets between two cuts, and what the ledger says of each."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from simulators import sheets as sheet_files
from simulators.escpos import EscPosPrinter, parse_options
from simulators.escpos.roll import MAX_ROWS
from simulators.ledger import Ledger, read_ledger
from simulators.runtime import Runtime
from simulators.state import StateFile
from tests.simulators.receipt_bench import CHINESE, CUT, INIT, ReceiptBench, band, process_id, proof, receipt, text
from tests.simulators.test_ledger_and_state import Wire
from tests.simulators.virtual_time import run_in_virtual_time

pytestmark = pytest.mark.rule("SIM-1")


def test_a_sheet_in_the_ledger() -> None:
    bench = ReceiptBench()
    bench.ask(receipt("O-17/receipt/1", "0001", "银行回单", "Amount 100.00"))
    assert bench.sheets == [
        {
            "sheet": 1,
            "attempts": ["O-17/receipt/1"],
            "reprint": 0,
            "void": False,
            "lines": ["银行回单", "Amount 100.00", "No. O-17/receipt/1"],
            "cut": True,
            "png": "sheets/receipt-1-0001.png",
        }
    ]
    assert [effect.kind for effect in bench.effects] == ["act"]
    assert bench.papers[0].name == "receipt-1-0001"
    assert bench.papers[0].text == "银行回单\nAmount 100.00\nNo. O-17/receipt/1\n"


def test_another_number_in_the_text_is_no_attempt() -> None:
    bench = ReceiptBench()
    bench.ask(receipt("O-17/receipt/1", "0001", "No. 6222", "  0200", "No. 5 of 7", "No. 12/3"))
    assert bench.sheets[0]["attempts"] == ["O-17/receipt/1"]


def test_without_drawing_the_same_sheets_come_off_as_texts_only() -> None:
    drawing, plain = ReceiptBench(), ReceiptBench(draws=False)
    for bench in (drawing, plain):
        bench.ask(receipt("O-17/receipt/1", "0001", "银行回单", "重印 REPRINT 1") + band(48))
        bench.ask(receipt("O-17/receipt/2", "0002", "x" * 60))
    assert plain.sheets == [{**sheet, "png": ""} for sheet in drawing.sheets]
    assert len(plain.sheets) == 2
    assert plain.printer.mechanism.roll.rows == drawing.printer.mechanism.roll.rows
    assert drawing.papers
    assert not plain.papers


def test_a_reprint_is_known_by_a_line_of_its_own() -> None:
    bench = ReceiptBench()
    bench.ask(f"{INIT} {CHINESE} 1B 61 01 {text('重印 REPRINT 2')} 1B 61 00 {text('No. O-1/receipt/3')} {CUT}")
    bench.ask(f"{INIT} {CHINESE} {text('half a sheet')} {text('重印 REPRINT 3')} {CUT}")
    bench.ask(f"{INIT} {CHINESE} {text('not 重印 REPRINT 4')} {CUT}")
    assert [sheet["reprint"] for sheet in bench.sheets] == [2, 3, 0]


def test_a_void_slip_names_several_attempts_and_long_numbers_go_on_in_further_lines() -> None:
    bench = ReceiptBench()
    long = "O-" + "x" * 42 + "/receipt/12"
    number = text("No. " + long[:44]) + text("  " + long[44:])
    bench.ask(f"{INIT} {CHINESE} 1D 21 11 {text('作废 VOID')} 1D 21 00 {number} {text('No. O-2/receipt/1')} {CUT}")
    assert bench.sheets[0]["void"] is True
    assert bench.sheets[0]["attempts"] == [long, "O-2/receipt/1"]


def test_what_only_looks_like_a_number_or_a_mark_is_none() -> None:
    bench = ReceiptBench()
    bench.ask(text("Card No. 7") + text("No.8") + text("  9") + text("VOID") + text("not 作废 VOID") + CUT)
    assert (bench.sheets[0]["attempts"], bench.sheets[0]["void"]) == ([], False)


def test_sheets_back_to_back_stay_apart() -> None:
    bench = ReceiptBench()
    said = bench.ask("".join(receipt(f"O-{n}/receipt/1", f"{n:04d}", f"line {n}") for n in range(1, 6)))
    assert bytes.fromhex(said) == b"".join(proof(f"{n:04d}") for n in range(1, 6))
    assert [sheet["attempts"] for sheet in bench.sheets] == [[f"O-{n}/receipt/1"] for n in range(1, 6)]
    assert [sheet["lines"][0] for sheet in bench.sheets] == [f"line {n}" for n in range(1, 6)]
    assert [sheet["sheet"] for sheet in bench.sheets] == [1, 2, 3, 4, 5]


def test_a_cut_without_feed_leaves_the_last_lines_in_the_printer_for_the_next_sheet() -> None:
    bench = ReceiptBench(cutter_dots=96)
    bench.ask("".join(text(f"line {n}") for n in range(8)) + "1D 56 00")
    assert bench.lines == [f"line {n}" for n in range(5)]
    bench.ask(text("next") + CUT)
    assert bench.lines == ["line 5", "line 6", "line 7", "next"]
    heights = [Image.open(io.BytesIO(paper.png)).height for paper in bench.papers]
    assert heights == [8 * 30 - 96, 96 + 30], "no dot of paper is lost between two sheets"


def test_paper_torn_by_hand_is_a_sheet_that_was_not_cut() -> None:
    bench = ReceiptBench(cutter_dots=96)
    bench.ask(text("half"))
    assert bench.control("tear") == {"sheet": 1}
    assert (bench.lines, bench.sheets[0]["cut"]) == (["half"], False)
    bench.ask(text("whole") + CUT)
    assert (bench.lines, bench.sheets[1]["cut"]) == (["whole"], True)


def test_three_metres_without_a_cut_tear_by_themselves() -> None:
    bench = ReceiptBench(line_s=0.0)
    bench.ask("1B 33 FF" + "1B 64 FF" * (MAX_ROWS // 8128 + 1))
    assert [sheet["cut"] for sheet in bench.sheets] == [False]
    assert bench.control("state")["roll"]["rows"] == 0


def test_sizes_bold_underline_and_alignment_are_seen_in_the_picture() -> None:
    def black(prefix: str, words: str = "A") -> int:
        bench = ReceiptBench()
        bench.ask(prefix + text(words) + CUT)
        assert bench.lines == [words]
        return bench.black()

    plain = black("")
    assert black("1D 21 11") == 4 * plain
    assert black("1D 21 30") == 4 * plain
    assert black("1B 21 30") == 4 * plain
    assert black("1B 45 01") > plain
    assert black("1B 2D 01") > plain
    assert black("1B 45 01 1B 40") == plain
    chinese = black("", "回")
    assert black("1C 21 0C", "回") == 4 * chinese
    assert black("1C 21 0C") == plain, "FS ! is for double-byte letters only"
    assert black("1C 21 80", "回") > chinese


@pytest.mark.parametrize(("align", "left"), [("00", 40), ("01", 40 + (576 - 8) // 2), ("02", 40 + 576 - 8)])
def test_alignment(align: str, left: int) -> None:
    bench = ReceiptBench()
    bench.ask(f"1B 61 {align} 1D 76 30 00 01 00 01 00 FF" + CUT)
    assert [bench.picture().getpixel((x, 40)) for x in (left - 1, left, left + 7, left + 8)] == [255, 0, 0, 255]


def test_lines_wrap_at_the_papers_edge_with_chinese_as_two_columns() -> None:
    bench = ReceiptBench()
    bench.ask(text("x" * 49) + text("回" * 25) + "1D 21 10" + text("y" * 25) + CUT)
    assert bench.lines == ["x" * 48, "x", "回" * 24, "回", "y" * 24, "y"]


def test_spacing_feeds_and_tabs() -> None:
    def height(commands: str) -> int:
        bench = ReceiptBench()
        bench.ask(commands + CUT)
        return bench.picture().height - 80

    assert height(text("a")) == 30
    assert height("1B 33 40" + text("a")) == 0x40
    assert height("1B 33 40 1B 32" + text("a")) == 30
    assert height("41 1B 64 03") == 90
    assert height("41 1B 4A 64") == 100
    assert height("1B 64 02") == 60
    assert height("1D 21 01" + text("a")) == 48
    bench = ReceiptBench()
    bench.ask(b"a\tb\n".hex() + CUT)
    assert bench.lines == ["a       b"]


def test_an_image_stands_in_the_picture_where_it_was_printed() -> None:
    bench = ReceiptBench()
    bench.ask(text("a") + band(24, 1, "F0") + text("b") + CUT)
    page = bench.picture()
    assert [page.getpixel((x, 40 + 30 + 12)) for x in (40, 43, 44, 47)] == [0, 0, 255, 255]
    assert bench.lines == ["a", "b"]


def test_too_wide_an_image_falls_beside_the_paper() -> None:
    bench = ReceiptBench()
    bench.ask(band(2, 200, "FF") + text("after") + CUT)
    assert bench.lines == ["after"]
    assert bench.picture().getpixel((40 + 575, 40)) == 0


def test_what_falls_beside_the_paper_takes_no_room_in_the_buffer() -> None:
    bench = ReceiptBench(flow="none", buffer_bytes=4096)
    bench.ask(band(24, 5000))
    bench.ask(text("after") + CUT)
    assert bench.lines == ["after"]


async def _life(folder: Path, sent: str, diary: list[str] | None = None) -> Wire:
    ledger = Ledger(folder / "ledger.jsonl")
    printer = EscPosPrinter("receipt-1", parse_options({"cutter_dots": 0}))
    runtime = Runtime(printer, ledger, StateFile(folder / "state.json"))
    wire = Wire([] if diary is None else diary)
    runtime.attach(wire)
    runtime.feed(bytes.fromhex(sent))
    await asyncio.sleep(60.0)
    runtime.close()
    ledger.close()
    return wire


def test_the_sheet_is_on_disk_before_the_ledger_and_the_ledger_before_the_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary: list[str] = []
    write, append = sheet_files._write, Ledger.append

    def written(path: Path, data: bytes) -> None:
        write(path, data)
        diary.append(path.name)

    def appended(self: Ledger, lines: Any) -> None:
        append(self, lines)
        diary.extend(line["act"] for line in lines)

    monkeypatch.setattr(sheet_files, "_write", written)
    monkeypatch.setattr(Ledger, "append", appended)
    run_in_virtual_time(_life(tmp_path, receipt("O-1/receipt/1", "0001", "回单"), diary))
    assert diary == ["receipt-1-0001.png", "receipt-1-0001.txt", "sheet_out", "send " + proof("0001").hex()]
    (line,) = read_ledger(tmp_path / "ledger.jsonl")
    with Image.open(tmp_path / line["detail"]["png"]) as picture:
        assert picture.size == (576, 60)
    assert (tmp_path / "sheets/receipt-1-0001.txt").read_text(encoding="utf-8") == "回单\nNo. O-1/receipt/1\n"


def test_half_a_receipt_survives_the_simulators_own_restart(tmp_path: Path) -> None:
    run_in_virtual_time(_life(tmp_path, text("half") + band(24)[:-40]))
    wire = run_in_virtual_time(_life(tmp_path, "AA" * 20 + text("rest") + CUT + process_id("0007")))
    assert wire.sent == proof("0007")
    (line,) = read_ledger(tmp_path / "ledger.jsonl")
    assert line["detail"]["lines"] == ["half", "rest"]
