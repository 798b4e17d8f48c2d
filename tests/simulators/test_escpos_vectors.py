"""The bytes of the manuals: what the printer answers to each question in each condition, and what each form prints."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulators.receipt_bench import ASB_ALL, CUT, ReceiptBench, process_id, text


def in_condition(condition: str, **options: Any) -> ReceiptBench:
    bench = ReceiptBench(**options)
    if condition == "cutter":
        bench.fault("cutter_jam")
        bench.send(text("x") + CUT)
        bench.run()
    elif condition:
        bench.fault(condition)
    bench.actions.clear()
    return bench


@pytest.mark.parametrize(
    ("condition", "n", "reply"),
    [
        ("", 1, "12"),
        ("", 2, "12"),
        ("", 3, "12"),
        ("", 4, "12"),
        ("cover_open", 1, "1A"),
        ("cover_open", 2, "16"),
        ("paper_end", 1, "1A"),
        ("paper_end", 2, "32"),
        ("cutter", 2, "52"),
        ("cutter", 3, "1A"),
        ("head_hot", 2, "52"),
        ("head_hot", 3, "52"),
        ("unrecoverable", 3, "32"),
        ("paper_near_end", 4, "1E"),
        ("paper_near_end", 1, "12"),
        ("paper_end", 4, "7E"),
    ],
)
def test_dle_eot(condition: str, n: int, reply: str) -> None:
    assert in_condition(condition, drawer_high=False).ask(f"10 04 {n:02X}", 0.0) == reply


def test_dle_eot_with_the_drawer_line_high_and_without_a_near_end_sensor() -> None:
    assert ReceiptBench(drawer_high=True).ask("10 04 01", 0.0) == "16"
    assert in_condition("paper_end", near_end_sensor=False).ask("10 04 04", 0.0) == "72"


@pytest.mark.parametrize("n", ["00", "05", "09", "11", "14", "FF"])
def test_dle_eot_of_another_number_is_not_answered(n: str) -> None:
    assert ReceiptBench().ask(f"10 04 {n}") == ""


@pytest.mark.parametrize(
    ("condition", "byte"),
    [("", 0x18), ("paper_near_end", 0x18), ("paper_end", 0x28), ("cover_open", 0x08), ("cutter", 0x00)],
)
def test_port_status_of_a_usb_plug(condition: str, byte: int) -> None:
    assert in_condition(condition).printer.port_status() == byte


def test_a_printer_without_power_is_gone_from_the_bus() -> None:
    bench = ReceiptBench()
    bench.control("power", on=False)
    assert (bench.printer.port_status(), bench.printer.outages) == (None, 1)


@pytest.mark.parametrize(
    ("condition", "block"),
    [
        ("", "14 00 00 00"),
        ("paper_near_end", "14 00 03 00"),
        ("cover_open", "3C 00 00 00"),
        ("paper_end", "1C 00 0F 00"),
        ("cutter", "1C 08 00 00"),
        ("head_hot", "1C 40 00 00"),
    ],
)
def test_asb_blocks_by_change_and_by_request(condition: str, block: str) -> None:
    bench = ReceiptBench()
    assert bench.ask(ASB_ALL) == "14 00 00 00"
    if condition == "cutter":
        bench.fault("cutter_jam")
        assert bench.ask(text("x") + CUT) == block
    elif condition:
        before = len(bench.sent)
        bench.fault(condition, **({"for_s": 3600} if condition == "head_hot" else {}))
        assert bench.sent[before:].hex(" ").upper() == block
    assert bench.ask("10 14 07 01", 0.0) == block
    assert bench.heard() == "", "a state is told once, not again and again"


def test_asb_tells_only_what_its_mask_watches_and_nothing_when_off() -> None:
    bench = ReceiptBench()
    assert bench.ask("1D 61 08") == "14 00 00 00"
    bench.control("cover", open=True)
    bench.control("cover", open=False)
    bench.fault("paper_near_end")
    assert bench.heard() == ""
    assert bench.sent.hex(" ").upper() == "14 00 00 00 14 00 03 00"
    assert bench.ask("1D 61 00") == ""
    bench.control("refill")
    assert bench.heard() == ""


@pytest.mark.parametrize("initialise", [True, False])
def test_an_initialise_switches_asb_off_where_the_model_does_so(initialise: bool) -> None:
    bench = ReceiptBench(init_stops_asb=initialise)
    bench.ask(ASB_ALL + "1B 40")
    bench.actions.clear()
    bench.fault("paper_near_end")
    assert bool(bench.sent) is not initialise


@pytest.mark.parametrize(
    ("condition", "question", "reply"),
    [
        ("", "1D 72 01", "00"),
        ("", "1D 72 31", "00"),
        ("paper_near_end", "1D 72 01", "03"),
        ("", "1D 72 02", "01"),
        ("", "1D 72 32", "01"),
        ("", "1D 72 07", ""),
        ("paper_end", "1D 72 01", ""),
    ],
)
def test_gs_r(condition: str, question: str, reply: str) -> None:
    assert in_condition(condition).ask(question) == reply


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("1D 49 01", "20"),
        ("1D 49 31", "20"),
        ("1D 49 02", "03"),
        ("1D 49 33", "01"),
        ("1D 49 41", b"\x5f1.00\x00".hex(" ").upper()),
        ("1D 49 42", b"\x5fEPSON\x00".hex(" ").upper()),
        ("1D 49 43", b"\x5fTM-T88V\x00".hex(" ").upper()),
        ("1D 49 45", b"\x5fGB18030\x00".hex(" ").upper()),
        ("1D 49 44", ""),
    ],
)
def test_gs_i_of_a_clone_that_lies(question: str, reply: str) -> None:
    assert ReceiptBench(identity={"maker": "EPSON", "model": "TM-T88V"}).ask(question) == reply
    assert ReceiptBench(identity=None).ask(question) == ""


@pytest.mark.parametrize("number", ["    ", "0001", "9999", "~~~~"])
def test_process_id(number: str) -> None:
    reply = ReceiptBench().ask(process_id(number))
    assert reply == f"37 22 {number.encode('ascii').hex(' ').upper()} 00"


def test_a_printer_without_process_id_passes_the_command_over_and_tells_once() -> None:
    bench = ReceiptBench(process_id=False)
    assert bench.ask(process_id("0001") * 2 + text("after") + CUT) == ""
    assert bench.lines == ["after"]
    assert bench.shows == ["unknown_command"]


def test_process_id_outside_of_printable_ascii_is_not_answered() -> None:
    assert ReceiptBench().ask("1D 28 48 06 00 30 30 30 30 30 7F") == ""


def test_maintenance_counters_and_their_loss() -> None:
    bench = ReceiptBench(counters=True, counters_kept_every=2)
    cuts = "1D 67 32 00 32 00"
    for number in range(1, 4):
        bench.ask(text("x") + CUT)
        assert bench.ask(cuts) == f"5F 3{number} 00"
    bench.fault("power_loss", off_s=1)
    bench.run()
    assert bench.ask(cuts) == "5F 32 00", "the third cut was not written yet"
    assert bench.ask("1D 67 32 00 B2 00") == "5F 32 00"
    assert bench.ask("1D 67 32 00 14 00") == "5F 32 00"
    assert bench.ask("1D 67 32 00 63 00") == ""
    assert ReceiptBench().ask(cuts) == ""


def test_presenter_status() -> None:
    bench = ReceiptBench(presenter=True, customer={"policy": "leave"})
    status = "10 04 14"
    assert bench.ask(status, 0.0) == "10 0F 00 00 00 00"
    bench.ask(text("x") + CUT)
    assert bench.ask(status, 0.0) == "10 0F 20 00 00 00"
    bench.control("customer", take=True)
    assert bench.ask(status, 0.0) == "10 0F 00 00 00 00"
    bench.fault("paper_end")
    assert bench.ask(status, 0.0) == "10 0F 05 00 00 00"
    assert bench.ask("10 04 11", 0.0) == "32"
    assert in_condition("paper_end", presenter=True, near_end_sensor=False).ask(status, 0.0) == "10 0F 01 00 00 00"


def test_print_status_tells_of_the_motor() -> None:
    bench = ReceiptBench(presenter=True)
    bench.send(text("x"))
    assert bench.ask("10 04 11", 0.0) == "16"
    bench.run()
    assert bench.ask("10 04 11", 0.0) == "12"


def test_qr_vector() -> None:
    bench = ReceiptBench()
    bench.ask("1D286B0400314132001D286B03003143031D286B03003145301D286B0700315030313233341D286B0300315130" + CUT)
    assert bench.codes() == [("QRCode", "1234")]
    assert bench.papers[-1].text == "[QR 1234]\n"
    assert bench.lines == []


def test_one_black_dot_and_two_rows() -> None:
    bench = ReceiptBench()
    bench.ask("1D 76 30 00 01 00 01 00 80" + CUT)
    assert (bench.black(), bench.picture().getpixel((40, 40))) == (1, 0)
    bench.ask("1D 76 30 00 01 00 02 00 C0 00" + CUT)
    assert (bench.black(), bench.picture().height) == (2, 82)


@pytest.mark.parametrize(("mode", "dots"), [("00", 1), ("01", 2), ("02", 2), ("03", 4), ("33", 4)])
def test_raster_modes_enlarge(mode: str, dots: int) -> None:
    bench = ReceiptBench()
    bench.ask(f"1D 76 30 {mode} 01 00 01 00 80" + CUT)
    assert bench.black() == dots


def test_ean_13_vector_with_its_digits_under_it() -> None:
    bench = ReceiptBench()
    ean = "1B 61 01 1D 68 40 1D 77 03 1D 66 00 1D 48 {} 1D 6B 02" + b"4006381333931".hex() + "00"
    bench.ask(ean.format("02") + CUT)
    assert bench.codes() == [("EAN13", "4006381333931")]
    with_digits = bench.black()
    bench.ask(ean.format("00") + CUT)
    assert bench.black() < with_digits
    assert bench.papers[-1].text == "[EAN-13 4006381333931]\n"


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("1D 6B 43 0D" + b"4006381333931".hex(), ("EAN13", "4006381333931")),
        ("1D 6B 49 08" + b"{BAb-1%9".hex(), ("Code128", "Ab-1%9")),
        ("1D 6B 49 05" + b"{C".hex() + "0C 22 38", ("Code128", "123456")),
        ("1D 6B 04" + b"ABC-123".hex() + "00", ("Code39", "ABC-123")),
        ("1D 6B 05" + b"12345678".hex() + "00", ("ITF", "12345678")),
    ],
)
def test_barcodes_of_both_forms_are_read_by_a_foreign_reader(command: str, found: tuple[str, str]) -> None:
    bench = ReceiptBench()
    bench.ask("1B 61 01 1D 77 02" + command + CUT)
    assert bench.codes() == [found]


@pytest.mark.parametrize(
    "command",
    [
        "1D 6B 02" + b"4006381333930".hex() + "00",  # a wrong check digit
        "1D 6B 48 03 41 42 43",  # CODE93 is not drawn
        "1D 77 06 1D 6B 04" + b"THIS IS MUCH TOO LONG FOR IT".hex() + "00",
        "1D 28 6B 83 0A 31 50 30" + "41" * 0xA80 + "1D 28 6B 03 00 31 43 10 1D 28 6B 03 00 31 51 30",
    ],
)
def test_a_code_that_cannot_be_drawn_leaves_no_mark_and_is_told(command: str) -> None:
    bench = ReceiptBench()
    bench.ask(command + text("after") + CUT)
    assert bench.shows == ["code_not_printed"]
    assert bench.lines == ["after"]


@pytest.mark.parametrize(("data", "words"), [("BB D8 B5 A5", "回单"), ("C4 FA BA C3", "您好")])
def test_chinese_vectors(data: str, words: str) -> None:
    bench = ReceiptBench(chinese_default=False)
    bench.ask(f"1C 26 {data} 0A" + CUT)
    assert bench.lines == [words]
    chinese = bench.papers[-1].png
    bench.ask(f"1C 2E {data} 0A" + CUT)
    assert bench.lines == [bytes.fromhex(data).decode("cp437")], "a driver that forgets FS & prints garbage"
    assert bench.papers[-1].png != chinese


def test_what_gbk_does_not_have_is_a_box_not_a_crash() -> None:
    bench = ReceiptBench()
    bench.ask("81 20 FF 0A" + CUT)
    assert "□" in bench.lines[0]
