"""python-escpos, an encoder that nobody here wrote, drives the printer: what it means is what comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from escpos.printer import Dummy  # type: ignore[import-untyped]
from PIL import Image

from tests.simulators.receipt_bench import LONG_S, ReceiptBench

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def printed(draw: Callable[[Dummy], Any], **options: Any) -> ReceiptBench:
    """What the encoder's bytes become on the paper of a printer with its usual distance from head to cutter."""
    encoder = Dummy()
    encoder.hw("INIT")
    draw(encoder)
    encoder.cut()
    bench = ReceiptBench(cutter_dots=96, **options)
    bench.feed(encoder.output)
    bench.run(LONG_S)
    assert bench.shows == []
    return bench


def test_text_of_all_sizes_and_styles() -> None:
    def draw(encoder: Dummy) -> None:
        encoder.text("plain\n")
        for size in range(1, 5):
            encoder.set(align="center", bold=True, underline=1, width=size, height=size, custom_size=True)
            encoder.text(f"size {size}\n")
        encoder.set_with_default()
        encoder.text("plain again\n")

    bench = printed(draw)
    assert bench.lines == ["plain", "size 1", "size 2", "size 3", "size 4", "plain again"]
    assert bench.sheets[0]["cut"] is True


def test_the_picture_of_bold_and_large_text_is_larger_and_blacker() -> None:
    def black(**style: Any) -> int:
        def draw(encoder: Dummy) -> None:
            encoder.set(**style)
            encoder.text("ABC\n")

        return printed(draw).black()

    assert black(custom_size=True, width=2, height=2) == 4 * black()
    assert black(bold=True) > black()
    assert black(underline=1) > black()


def test_chinese_by_its_own_means_which_hope_for_the_models_default() -> None:
    def draw(encoder: Dummy) -> None:
        encoder.text("银行回单\n")

    assert printed(draw).lines == ["银行回单"]
    assert printed(draw, chinese_default=False).lines != ["银行回单"], "it never sends FS &"


@pytest.mark.parametrize("native", [True, False])
def test_qr(native: bool) -> None:
    pytest.importorskip("qrcode") if not native else None

    def draw(encoder: Dummy) -> None:
        encoder.qr("https://bank.example/O-17", native=native, size=6)

    assert printed(draw).codes() == [("QRCode", "https://bank.example/O-17")]


def test_ean_13_and_code_128() -> None:
    def draw(encoder: Dummy) -> None:
        encoder.barcode("4006381333931", "EAN13", 80, 3)
        encoder.text("\n")
        encoder.barcode("{BO-17/receipt", "CODE128", 80, 2, function_type="B")

    assert printed(draw).codes() == [("Code128", "O-17/receipt"), ("EAN13", "4006381333931")]


@pytest.mark.parametrize("form", ["bitImageRaster", "graphics", "bitImageColumn"])
def test_an_image_of_each_form_is_the_same_image(form: str) -> None:
    source = Image.new("1", (64, 48), 1)
    for x in range(64):
        for y in range(48):
            if (x // 5 + y // 7) % 2 == 0:
                source.putpixel((x, y), 0)

    page = printed(lambda encoder: encoder.image(source, impl=form)).picture()
    crop = page.crop((40, 40, 104, 88))
    assert list(crop.getdata()) == list(source.convert("L").getdata())


def test_cuts_and_sheets_back_to_back() -> None:
    encoder = Dummy()
    for number in (1, 2, 3):
        encoder.text(f"sheet {number}\n")
        encoder.cut(mode="PART" if number == 2 else "FULL")
    bench = ReceiptBench(cutter_dots=96)
    bench.feed(encoder.output)
    bench.run(LONG_S)
    assert [sheet["lines"] for sheet in bench.sheets] == [["sheet 1"], ["sheet 2"], ["sheet 3"]]


def test_its_status_questions_are_answered() -> None:
    from escpos.constants import RT_STATUS_ONLINE, RT_STATUS_PAPER  # type: ignore[import-untyped]

    bench = ReceiptBench(drawer_high=False, near_end_sensor=False)
    assert bench.ask(RT_STATUS_ONLINE.hex() + RT_STATUS_PAPER.hex(), 0.0) == "12 12"
    bench.fault("paper_end")
    assert bench.ask(RT_STATUS_ONLINE.hex() + RT_STATUS_PAPER.hex(), 0.0) == "1A 72"
