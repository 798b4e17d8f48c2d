"""Letters: every character that a receipt printer has is there, and looks like itself."""

from __future__ import annotations

import pytest

from device_drivers.pictures.canvas import Canvas
from device_drivers.pictures.font import UnknownLetterError, glyph, width_of

GBK = [
    character
    for lead in range(0x81, 0xFF)
    for trail in range(0x40, 0xFF)
    if len(character := bytes((lead, trail)).decode("gbk", errors="ignore")) == 1 and not character.isascii()
]


def picture(character: str) -> str:
    """The letter as text, a line a row."""
    wide = width_of(character)
    return "\n".join(f"{row:0{wide}b}".replace("0", ".").replace("1", "#") for row in glyph(character))


def test_all_of_gbk_is_there_and_nothing_but_blanks_is_blank() -> None:
    assert len(GBK) > 21_700
    assert [one for one in GBK if not any(glyph(one))] == ["\u3000"]
    assert [chr(code) for code in range(0x20, 0x7F) if not any(glyph(chr(code)))] == [" "]


def test_letters_differ_from_each_other() -> None:
    """A box for the unknown would stand for many."""
    forms: dict[tuple[int, ...], list[str]] = {}
    for one in GBK:
        forms.setdefault(glyph(one), []).append(one)
    assert max(len(same) for same in forms.values()) <= 4, "dashes and bars look alike, letters do not"


def test_letters_stay_in_their_cells() -> None:
    assert all(len(glyph(one)) == 24 and max(glyph(one)) < 1 << 24 for one in GBK)
    assert all(max(glyph(chr(code))) < 1 << 12 for code in range(0x20, 0x7F))


def test_a_letter_looks_like_itself() -> None:
    stroke, bend, blank = ".##.........", ".##########.", "............"
    assert picture("L").splitlines() == [*[blank] * 4, *[stroke] * 14, bend, *[blank] * 5]
    middle = picture("中").splitlines()
    upright, mouth = "." * 11 + "##" + "." * 11, "...##################..."
    assert [middle[row] for row in (1, 6, 14, 22)] == [upright, mouth, mouth, upright]


@pytest.mark.parametrize("character", ["\n", "\x1b", "\x7f", "😀", "¥", "한"])
def test_what_no_printer_has_is_refused(character: str) -> None:
    with pytest.raises(UnknownLetterError):
        glyph(character)
    with pytest.raises(UnknownLetterError):
        Canvas(24).text(0, 0, character)
