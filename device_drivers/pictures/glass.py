"""Lines of letters on dark glass as a picture: what a screen of light-emitting dots looks like, page under page.

Knows where lines and pages stand; must not know what they say. A real screen's letters may look a little otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from device_drivers.pictures.canvas import Canvas
from device_drivers.pictures.font import HEIGHT, NARROW, width_of
from device_drivers.pictures.png import png

EDGE = 12  # dark dots around the letters, and white ones between two pages
ROW = HEIGHT + 6
DOT = 2  # dots of the picture for one of the screen


def lit(pages: Sequence[Sequence[str]], columns: int) -> bytes:
    """A PNG file; a line wider than `columns` is drawn as long as it is. Raises UnknownLetterError."""
    wide = max([columns, *(_columns(line) for page in pages for line in page)])
    width = (wide * NARROW + 2 * EDGE) * DOT
    rows: list[bytes] = []
    for number, page in enumerate(pages):
        rows += [bytes((width + 7) // 8)] * (EDGE if number else 0)
        for row in _page(page, width // DOT).rows():
            dots = int.from_bytes(row) >> (len(row) * 8 - width // DOT)
            rows += [_dark(dots, width)] * DOT
    return png(rows, width)


def _columns(line: str) -> int:
    return sum(map(width_of, line)) // NARROW


def _page(lines: Sequence[str], width: int) -> Canvas:
    canvas = Canvas(width)
    canvas.extend(len(lines) * ROW + 2 * EDGE)
    for number, line in enumerate(lines):
        canvas.text(EDGE, EDGE + number * ROW + (ROW - HEIGHT) // 2, line)
    return canvas


def _dark(dots: int, width: int) -> bytes:
    """One row packed: lit dots are white, the glass is black, each dot is DOT wide."""
    row = 0
    for place in range(width // DOT - 1, -1, -1):
        row = row << DOT | (0 if dots >> place & 1 else (1 << DOT) - 1)
    stride = (width + 7) // 8
    return (row << (stride * 8 - width)).to_bytes(stride)
