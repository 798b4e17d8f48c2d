"""A sheet as a picture of its paper, dot for dot as a printer of 203 dpi makes it.

Knows where blocks stand on a strip; must not know commands: a real printer may space its lines a little otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from device_drivers.pictures.barcodes import code128_modules, ean13_modules
from device_drivers.pictures.canvas import Canvas
from device_drivers.pictures.font import HEIGHT, NARROW
from device_drivers.pictures.png import png
from device_drivers.pictures.qr import qr_modules
from device_drivers.receipts.letters import width_of
from device_drivers.receipts.paper import Paper
from device_drivers.receipts.sheet import Align, Code, Cut, Feed, Picture, Rule, Sheet, TextLine

LINE = 30  # dots from one line of letters to the next
MARGIN = 32  # white paper at the sides, where no head reaches
_DASH = 12


def preview(sheet: Sheet, paper: Paper) -> bytes:
    """A PNG file of the whole sheet."""
    canvas = drawn(sheet, paper)
    return png(canvas.rows(), canvas.width)


def drawn(sheet: Sheet, paper: Paper) -> Canvas:
    """The strip of paper with its margins, the cut as a dashed line across it."""
    strip = _Strip(paper)
    for block in sheet.blocks:
        _DRAWERS[type(block)](strip, block)
    return strip.canvas


class _Strip:
    """A canvas that is drawn on from top to bottom; `y` is where the next block begins."""

    def __init__(self, paper: Paper) -> None:
        self.dots = paper.dots
        self.canvas = Canvas(paper.dots + 2 * MARGIN)
        self.y = MARGIN

    def left_of(self, width: int, align: Align) -> int:
        free = self.dots - width
        return MARGIN + {"left": 0, "centre": free // 2, "right": free}[align]

    def feed(self, dots: int) -> None:
        self.y += dots
        self.canvas.extend(self.y)


def _text(strip: _Strip, line: TextLine) -> None:
    x = strip.left_of(width_of(line.text) * NARROW * line.width, line.align)
    strip.canvas.text(x, strip.y, line.text, line.width, line.height, bold=line.bold, underline=line.underline)
    strip.feed(HEIGHT * line.height + LINE - HEIGHT)


def _rule(strip: _Strip, rule: Rule) -> None:
    _text(strip, TextLine(rule.text))


def _picture(strip: _Strip, picture: Picture) -> None:
    x = strip.left_of(picture.width_dots, picture.align)
    strip.canvas.blit(picture.rows, x, strip.y, picture.width_dots)
    strip.feed(len(picture.rows))


def _code(strip: _Strip, code: Code) -> None:
    if code.symbology == "qr":
        _modules(strip, code, [[bool(dot) for dot in row] for row in qr_modules(code.data, code.level)], code.size)
    else:
        bars = ean13_modules(code.data) if code.symbology == "ean13" else code128_modules(code.data)
        _modules(strip, code, [[bar == "1" for bar in bars]], code.height)
        if code.caption:
            _text(strip, TextLine(code.data, code.align))


def _modules(strip: _Strip, code: Code, rows: list[list[bool]], height: int) -> None:
    """Modules of `code.size` dots by `height`."""
    left = strip.left_of(len(rows[0]) * code.size, code.align)
    for row in rows:
        for place, black in enumerate(row):
            if black:
                strip.canvas.fill(left + place * code.size, strip.y, code.size, height)
        strip.feed(height)
    strip.feed(LINE - HEIGHT)


def _feed(strip: _Strip, feed: Feed) -> None:
    strip.feed(feed.lines * LINE)


def _cut(strip: _Strip, cut: Cut) -> None:
    """The paper that lies between head and knife, then the cut: dashed, and whole where the cut is."""
    strip.feed(2 * LINE)
    for x in range(0, strip.canvas.width, _DASH):
        strip.canvas.fill(x, strip.y, _DASH if cut.full else _DASH // 2, 2)
    strip.feed(2)


_DRAWERS: dict[type[Any], Callable[[_Strip, Any], None]] = {
    TextLine: _text,
    Rule: _rule,
    Picture: _picture,
    Code: _code,
    Feed: _feed,
    Cut: _cut,
}
