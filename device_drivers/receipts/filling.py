"""Blocks of a template become blocks of a sheet, each by its own function.

Knows how each kind of block is filled in, wrapped and measured; must not know the order of blocks nor the marks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from device_drivers.pictures.barcodes import BadBars, checked_ean13, code128_width, ean13_width
from device_drivers.pictures.qr import BadQr, qr_width
from device_drivers.pictures.seal import seal
from device_drivers.receipts import blocks as b
from device_drivers.receipts.blanks import filled
from device_drivers.receipts.cells import GAP, NARROWEST, Filled, rows_of, widths_of
from device_drivers.receipts.images import Dots
from device_drivers.receipts.letters import unprintable_in, width_of
from device_drivers.receipts.paper import Paper
from device_drivers.receipts.sheet import Align, Block, Code, Feed, Picture, Rule, TextLine
from device_drivers.receipts.unprintable import unprintable
from device_drivers.receipts.wrapping import wrapped

MAX_CHARACTERS = 4000  # of one text with its values: more is a mistake, and would only make the loop wait


def cleaned(name: str, value: str) -> str:
    """A value that may be printed: no control character but the end of a line. Raises Unprintable."""
    value = value.replace("\r\n", "\n")
    for number, line in enumerate(value.split("\n"), 1):
        if bad := unprintable_in(line):
            raise unprintable("print_character", name, line=number, **bad.places)
    return value


class Filler:
    """Puts values into the blocks of one sheet; `at` names the block in errors."""

    def __init__(self, values: Mapping[str, str], paper: Paper) -> None:
        self.values = values
        self.paper = paper
        self.at = ""

    def blocks(self, block: b.AnyBlock, number: int) -> list[Block]:
        """What a block of the template becomes. Raises Unprintable."""
        self.at = f"block {number}"
        make: Callable[[Filler, Any], list[Block]] = _MAKERS[type(block)]
        return make(self, block)

    def text(self, text: str) -> str:
        """A template's text with its values."""
        try:
            whole = filled(text, self.values)
        except KeyError as missing:
            raise unprintable("print_value_missing", str(missing.args[0])) from None
        if len(whole) > MAX_CHARACTERS:
            raise unprintable("print_characters", self.at, limit=MAX_CHARACTERS)
        return whole

    def one_line(self, text: str) -> str:
        whole = self.text(text)
        if "\n" in whole:
            raise unprintable("print_lines", self.at)
        return whole

    def refuse_wide(self, width: int, limit: int, code: str) -> None:
        if width > limit:
            raise unprintable(code, self.at, width=width, limit=limit)


def _text(filler: Filler, block: b.Text) -> list[Block]:
    width, height = block.width or block.size, block.height or block.size
    columns = filler.paper.columns // width
    text = filler.text(block.text)
    _refuse_unwrapped(filler, text, columns, wrap=block.wrap)
    return [TextLine(line, block.align, block.bold, width, height, block.underline) for line in wrapped(text, columns)]


def _refuse_unwrapped(filler: Filler, text: str, columns: int, *, wrap: bool) -> None:
    if not wrap:
        filler.refuse_wide(max(width_of(line) for line in text.split("\n")), columns, "print_columns")


def _columns(filler: Filler, block: b.Columns) -> list[Block]:
    cells = [Filled(filler.text(cell.text), cell.share, cell.align) for cell in block.columns]
    columns = filler.paper.columns // block.size
    filler.refuse_wide(len(cells) * (NARROWEST + GAP) - GAP, columns, "print_columns")
    widths = widths_of([cell.share for cell in cells], columns)
    for cell, whole, width in zip(block.columns, cells, widths, strict=True):
        _refuse_unwrapped(filler, whole.text, width, wrap=cell.wrap)
    rows = rows_of(cells, columns)
    return [TextLine(row, "left", block.bold, block.size, block.size, block.underline) for row in rows]


def _rule(filler: Filler, block: b.Line) -> list[Block]:
    return [Rule(block.rule * filler.paper.columns)]


def _qr(filler: Filler, block: b.Qr) -> list[Block]:
    data = filler.one_line(block.qr)
    try:
        width = qr_width(data, block.level)
    except BadQr as bad:
        raise unprintable(bad.code, filler.at, characters=len(data)) from bad
    filler.refuse_wide(width * block.size, filler.paper.dots, "print_dots")
    return [Code(data, "qr", block.size, block.level, block.align)]


def _barcode(filler: Filler, block: b.Barcode) -> list[Block]:
    data = filler.one_line(block.barcode)
    try:
        if block.symbology == "ean13":
            data, width = checked_ean13(data), ean13_width()
        else:
            width = code128_width(data)
    except BadBars as bad:
        raise unprintable(bad.code, filler.at) from bad
    filler.refuse_wide(width * block.size, filler.paper.dots, "print_dots")
    return [Code(data, block.symbology, block.size, "M", block.align, block.height, block.caption)]


def _image(filler: Filler, block: b.Image) -> list[Block]:
    return [_picture(filler, block.dots, block.align)]


def _picture(filler: Filler, dots: Dots | None, align: Align) -> Picture:
    if dots is None:
        raise unprintable("print_no_picture", filler.at)
    filler.refuse_wide(dots.width, filler.paper.dots, "print_dots")
    return Picture(dots.width, dots.rows(), align)


def _seal(filler: Filler, block: b.Seal) -> list[Block]:
    if block.image is not None:
        return [_picture(filler, block.dots, block.align)]
    filler.refuse_wide(block.width, filler.paper.dots, "print_dots")
    rows = seal(filler.one_line(block.seal), filler.one_line(block.below), block.width)
    return [Picture(block.width, rows, block.align)]


def _blank(_filler: Filler, block: b.Blank) -> list[Block]:
    return [Feed(block.feed)]


_MAKERS: dict[type[Any], Callable[[Filler, Any], list[Block]]] = {
    b.Text: _text,
    b.Columns: _columns,
    b.Line: _rule,
    b.Qr: _qr,
    b.Barcode: _barcode,
    b.Image: _image,
    b.Seal: _seal,
    b.Blank: _blank,
}
