"""Dots of what is printed: a line of letters, an image's rows, a code's modules, laid across the head's width.

Knows rows of packed dots (MSB left, 1 is black); the letters themselves are `device_drivers.pictures`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.escpos.glyphs import glyph

CELL, HIGH = 12, 24  # dots of a letter of size 1; a Chinese one is two cells wide


@dataclass(frozen=True, slots=True)
class Letter:
    """One character as it will stand on the paper."""

    char: str
    wide: bool  # a double-byte character
    width: int
    height: int
    bold: bool
    underline: bool

    @property
    def dots(self) -> int:
        return (2 if self.wide else 1) * CELL * self.width


def letters_row(letters: Sequence[Letter], align: int, dots: int) -> list[bytes]:
    """The rows of one line of text, as high as its highest letter."""
    high = max((letter.height for letter in letters), default=1) * HIGH
    rows = [0] * high
    x = shift(sum(letter.dots for letter in letters), align, dots)
    for letter in letters:
        top = high - letter.height * HIGH
        for number, row in enumerate(_scaled(letter)):
            rows[top + number] |= _place(row, letter.dots, x, dots)
        x += letter.dots
    return [row.to_bytes(dots // 8, "big") for row in rows]


def across(rows: Sequence[int], width: int, align: int, dots: int) -> list[bytes]:
    """Rows of `width` dots each, as integers, placed on the paper; what is too wide falls beside it."""
    x = shift(width, align, dots)
    return [_place(row, width, x, dots).to_bytes(dots // 8, "big") for row in rows]


def enlarged(bits: Sequence[Sequence[int]] | Sequence[str], across_by: int, down_by: int) -> list[int]:
    """Modules (1 or '1' is black) as rows of dots."""
    rows: list[int] = []
    for line in bits:
        row = int("".join(("1" if str(bit) == "1" else "0") * across_by for bit in line), 2)
        rows += [row] * down_by
    return rows


def shift(width: int, align: int, dots: int) -> int:
    """Where something begins: align 0 left, 1 centre, 2 right."""
    return max(0, dots - width) * align // 2


def _place(row: int, width: int, x: int, dots: int) -> int:
    beside = dots - x - width
    return row << beside if beside >= 0 else row >> -beside


def _scaled(letter: Letter) -> list[int]:
    width = (2 if letter.wide else 1) * CELL
    rows: list[int] = []
    for number, thin in enumerate(glyph(letter.char, wide=letter.wide)):
        row = thin | thin >> 1 if letter.bold else thin
        if letter.underline and number >= HIGH - 2:
            row = (1 << width) - 1
        rows += [_stretched(row, width, letter.width)] * letter.height
    return rows


def _stretched(row: int, width: int, by: int) -> int:
    if by == 1:
        return row
    return int("".join(bit * by for bit in f"{row:0{width}b}"), 2)
