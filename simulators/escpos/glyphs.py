"""The letters in the printer's own memory: one character, its 24 rows of dots.

Knows which signs there are; must not know lines or paper.
"""

from __future__ import annotations

from functools import lru_cache

from device_drivers.pictures import font

ROWS = 24
# What a printer shows for a code that its font has no sign for.
_BOX_12 = (0, 0, 0x7FE, *([0x402] * 18), 0x7FE, 0, 0)


@lru_cache(maxsize=1024)
def glyph(char: str, *, wide: bool) -> tuple[int, ...]:
    """24 rows of 12 dots, or of 24 for a double-byte character, as integers."""
    dots = 24 if wide else 12
    try:
        rows, own = tuple(font.glyph(char)), font.width_of(char)
    except font.UnknownLetterError:
        rows, own = _BOX_12, 12
    return tuple(_squeezed(row) if own > dots else row << (dots - own) // 2 for row in rows)


def _squeezed(row: int) -> int:
    """A sign of the double-byte font, such as é, where a code page has it: two dots become one."""
    pairs = f"{row:024b}"
    return int("".join("1" if "1" in pairs[at : at + 2] else "0" for at in range(0, 24, 2)), 2)
