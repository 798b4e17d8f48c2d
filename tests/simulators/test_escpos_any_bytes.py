"""Any bytes in any slices: no crash, no growth, and a restart between any two of them changes nothing."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from simulators.escpos.tokens import MAX_KEPT
from tests.simulators.receipt_bench import CHINESE, CUT, INIT, ReceiptBench, band, process_id, receipt, text

COMMANDS = [
    bytes.fromhex(one)
    for one in (
        INIT,
        CHINESE,
        CUT,
        "1D 56 00",
        "1C 2E",
        "1D 21 11",
        "1D 61 FF",
        "1D 72 01",
        "1D 49 43",
        "1D 67 32 00 32 00",
        "10 04 01",
        "10 05 02",
        "10 05 01",
        "10 14 08 01 03 14 01 06 02 08",
        "1D 6B 02" + b"4006381333931".hex() + "00",
        "1D 6B 49 05 7B 42 41 42 43",
        "1D286B0700315030313233341D286B0300315130",
        "1B 2A 21 03 00 AA AA AA BB BB BB CC CC CC",
        "1D 28 4C 0C 00 30 70 30 01 01 31 08 00 02 00 FF 81 1D 28 4C 02 00 30 32",
        "1B 64 FF",
        process_id("0001"),
        band(2, 4),
        band(30, 3),
        text("回单 x"),
        "1D 65 02",
    )
]
PIECES = st.lists(st.one_of(st.sampled_from(COMMANDS), st.binary(max_size=40)), max_size=20).map(b"".join)


@given(PIECES, st.lists(st.integers(1, 30), min_size=1, max_size=8), st.booleans())
@settings(max_examples=150, deadline=None)
@example(bytes.fromhex("1C 26 10 05 02 BB D8 B5 A5 0A 1D 56 42 00"), [1], False)
def test_any_bytes_never_crash_it(data: bytes, slices: list[int], presenter: bool) -> None:
    bench = ReceiptBench(presenter=presenter, counters=True, chinese_default=presenter)
    whole = ReceiptBench(presenter=presenter, counters=True, chinese_default=presenter)
    at = 0
    while at < len(data):
        for size in slices:
            bench.feed(data[at : at + size])
            at += size
    whole.feed(data)
    bench.run(3600.0)
    whole.run(3600.0)
    assert bench.sheets == whole.sheets
    json.dumps(bench.printer.snapshot())
    assert bench.ask("10 04 01" * 2, 0.0) != "" or bench.printer.powered is False


@given(PIECES)
@settings(max_examples=60, deadline=None)
def test_a_new_process_between_any_two_bytes_changes_nothing(data: bytes) -> None:
    at_once: dict[str, Any] = {"line_s": 0.0, "cut_s": 0.0}  # a job under way would begin again, and be cleared later
    plain, torn = ReceiptBench(**at_once), ReceiptBench(**at_once)
    sheets: list[dict[str, Any]] = []
    sent = b""
    for byte in data:
        plain.feed(bytes((byte,)))
        plain.run(0.003)
        torn.feed(bytes((byte,)))
        torn.run(0.003)
        saved = torn.printer.snapshot()
        sheets, sent = sheets + torn.sheets, sent + torn.sent
        torn = torn.reborn(**at_once)
        assert torn.printer.snapshot() == saved
    for bench in (plain, torn):
        bench.run(3600.0)
    assert [{**sheet, "png": ""} for sheet in sheets + torn.sheets] == [{**sheet, "png": ""} for sheet in plain.sheets]
    assert sorted(sent + torn.sent) == sorted(plain.sent)


def test_a_receipt_byte_by_byte_through_a_new_process_each_time_is_the_same_picture() -> None:
    job = bytes.fromhex(
        receipt("O-1/receipt/1", "0001", "回单", "x")[: -len(CUT)] + band(26, 5) + COMMANDS[16].hex() + CUT
    )
    plain, torn = ReceiptBench(), ReceiptBench()
    plain.feed(job)
    plain.run()
    papers = []
    for byte in job:
        torn.feed(bytes((byte,)))
        papers += torn.papers
        torn = torn.reborn()
    torn.run()
    papers += torn.papers
    assert papers == plain.papers


def test_memory_stays_bounded_whatever_comes() -> None:
    bench = ReceiptBench(flow="none", buffer_bytes=4096)
    bench.control("cover", open=True)
    for start in (
        "1D 6B 02",
        "1B 44",
        "1D 28 4C FF FF",
        "1D 38 4C FF FF FF FF",
        "1D 76 30 00 FF FF FF FF",
        "1B 26 03 00 FF",
    ):
        bench.send("10 14 08 01 03 14 01 06 02 08" + start)
        for _ in range(20):
            bench.feed(bytes((0x41,)) * 20_000)
        assert len(json.dumps(bench.printer.snapshot())) < 3 * MAX_KEPT
        assert bench.control("state")["buffered"] <= 4096


def test_unknown_commands_are_remembered_once_each() -> None:
    bench = ReceiptBench(line_s=0.0)
    for lead in (0x1B, 0x1C, 0x1D):
        for second in range(256):
            bench.feed(bytes((lead, second, 0x18)))
            bench.feed(bytes(64))
    bench.run()
    told = bench.shows.count("unknown_command")
    assert 0 < told < 700
    assert bench.shows.count("unknown_command") == len(
        {effect.detail["command"] for effect in bench.effects if effect.act == "unknown_command"}
    )
