"""A strip of paper in dots, as wide as the head and as long as what is put on it.

Knows dots, letters of several sizes and where they go; must not know lines, alignment nor what is printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from device_drivers.pictures import font


class Canvas:
    """`width` dots; a row is a number whose highest bit is the leftmost dot. What lies outside is cut off."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._rows: list[int] = []

    @property
    def height(self) -> int:
        return len(self._rows)

    def extend(self, height: int) -> None:
        """White paper down to that height, where there is none yet."""
        self._rows += [0] * (height - len(self._rows))

    def put(self, x: int, y: int) -> None:
        """One black dot."""
        self._add(1, 1, x, y)

    def fill(self, x: int, y: int, width: int, height: int) -> None:
        """A black box."""
        for row in range(y, y + height):
            self._add((1 << width) - 1, width, x, row)

    def blit(self, rows: Iterable[bytes], x: int, y: int, width: int | None = None) -> None:
        """Packed rows, their left upper corner at x, y; `width` in dots where the last byte is not full."""
        for place, row in enumerate(rows):
            bits = len(row) * 8
            wide = bits if width is None else width
            self._add(int.from_bytes(row) >> (bits - wide), wide, x, y + place)

    def text(
        self, x: int, y: int, text: str, width: int = 1, height: int = 1, *, bold: bool = False, underline: bool = False
    ) -> int:
        """Letters from left to right, `width` and `height` times as large; where the next one would begin.

        Raises UnknownLetterError.
        """
        for character in text:
            wide = font.width_of(character)
            letter = _enlarged(_styled(font.glyph(character), wide, bold=bold, underline=underline), wide, width)
            for place, row in enumerate(letter):
                for repeated in range(height):
                    self._add(row, wide * width, x, y + place * height + repeated)
            x += wide * width
        return x

    def crop(self, top: int, bottom: int) -> Canvas:
        """A copy of the rows from `top` to before `bottom`."""
        piece = Canvas(self.width)
        piece._rows = self._rows[top:bottom]
        return piece

    def rows(self) -> tuple[bytes, ...]:
        """One `bytes` a row, the leftmost dot in the highest bit, white on the right up to the whole byte."""
        stride = (self.width + 7) // 8
        return tuple((row << (stride * 8 - self.width)).to_bytes(stride) for row in self._rows)

    def _add(self, bits: int, wide: int, x: int, y: int) -> None:
        if y < 0:
            return
        self.extend(y + 1)
        shift = self.width - x - wide
        moved = bits << shift if shift >= 0 else bits >> -shift
        self._rows[y] |= moved & ((1 << self.width) - 1)


def _styled(rows: Sequence[int], wide: int, *, bold: bool, underline: bool) -> list[int]:
    """Bold is the letter struck twice, one dot apart; an underline is the lowest two rows."""
    letter = [(row | row >> 1) if bold else row for row in rows]
    if underline:
        letter[-2:] = [(1 << wide) - 1] * 2
    return letter


def _enlarged(rows: Sequence[int], wide: int, width: int) -> list[int]:
    return list(rows) if width == 1 else [_stretched(row, wide, width) for row in rows]


def _stretched(row: int, wide: int, width: int) -> int:
    stretched = 0
    for place in range(wide - 1, -1, -1):
        stretched = stretched << width | (((1 << width) - 1) if row >> place & 1 else 0)
    return stretched
