"""Codes: what is drawn is what an independent reader reads, and what cannot be in a code is refused."""

from __future__ import annotations

import io

import pytest
import zxingcpp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from device_drivers.pictures.barcodes import BadBars, checked_ean13, code128_modules, ean13_modules
from device_drivers.pictures.qr import BadQr, qr_modules, qr_width
from device_drivers.receipts.paper import Paper
from device_drivers.receipts.preview import preview
from device_drivers.receipts.sheet import Code, Cut, Sheet, Symbology

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=18)


def scanned(data: str, symbology: Symbology, size: int = 2, level: str = "M") -> zxingcpp.Barcode:
    """What a reader makes of the picture of a sheet with that code."""
    sheet = Sheet((Code(data, symbology, size, level), Cut()), 48)  # type: ignore[arg-type]
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(preview(sheet, Paper()))).convert("L"))
    return found


def kind_of(found: zxingcpp.Barcode) -> str:
    return str(found.format).lower().replace("-", "").replace(" ", "")


@settings(max_examples=40, deadline=None)
@given(PRINTABLE)
@example("0123456789")
@example("{B}{C}")
@example("O-17/receipt/1")
def test_code128_reads_as_it_was_meant(data: str) -> None:
    found = scanned(data, "code128")
    assert "code128" in kind_of(found)
    assert found.text == data


@settings(max_examples=20, deadline=None)
@given(st.text("0123456789", min_size=12, max_size=12))
@example("400638133393")
def test_ean13_reads_with_its_check_digit(digits: str) -> None:
    data = checked_ean13(digits)
    found = scanned(data, "ean13")
    assert "ean13" in kind_of(found)
    assert (found.text, found.text[:12]) == (data, digits)


@settings(max_examples=20, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=60),
    st.sampled_from("LMQH"),
)
@example("https://branch.example/q/A018?名=李", "M")
@example("0123456789", "H")
def test_qr_reads_as_utf_8(data: str, level: str) -> None:
    found = scanned(data, "qr", 4, level)
    assert "qrcode" in kind_of(found)
    assert found.bytes == data.encode("utf-8")


def test_the_check_digit_of_the_standard() -> None:
    assert checked_ean13("400638133393") == checked_ean13("4006381333931") == "4006381333931"
    assert len(ean13_modules("4006381333931")) == 95
    with pytest.raises(BadBars) as error:
        checked_ean13("4006381333930")
    assert error.value.code == "print_check_digit"
    assert "40063" not in str(error.value), "values stay out of logs"


@pytest.mark.parametrize("data", ["", "12345", "40063813339a", "４００６３８１３３３９３", "40063813339311"])
def test_what_is_no_ean13_is_refused(data: str) -> None:
    with pytest.raises(BadBars):
        checked_ean13(data)


@pytest.mark.parametrize("data", ["", "号", "a\n", "\x7f", "é"])
def test_what_code128_cannot_hold_is_refused(data: str) -> None:
    with pytest.raises(BadBars):
        code128_modules(data)


@given(PRINTABLE)
def test_bars_are_as_wide_as_code_set_b_makes_them(data: str) -> None:
    """Start, check and stop take 35 modules: a printer that is told set B needs no more room than was measured."""
    assert len(code128_modules(data)) == 11 * len(data) + 35


def test_what_a_qr_code_cannot_hold_is_refused() -> None:
    assert qr_width("1234", "L") == 21
    assert len(qr_modules("x" * 2953, "L")) == 177
    for data, level, code in (
        ("", "L", "print_code_empty"),
        ("x" * 2954, "L", "print_qr"),
        ("x" * 1274, "H", "print_qr"),
    ):
        with pytest.raises(BadQr) as error:
            qr_modules(data, level)
        assert error.value.code == code
