"""What each queued command does when its turn has come: text, paper, images and codes; the rest by its own table.

Knows the command table (Epson's ESC/POS reference, Chinese makers' manuals); lengths are `lengths`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.escpos import codes
from simulators.escpos.answers import ANSWERS
from simulators.escpos.jobs import Job
from simulators.escpos.styles import STYLES, Act
from simulators.escpos.tokens import Token

if TYPE_CHECKING:
    from simulators.escpos.printer import EscPosPrinter

Jobs = list[Job]


def execute(printer: EscPosPrinter, token: Token, now: float) -> Jobs:
    """Do it; what it gives the mechanism to do."""
    if token.name == "text":
        return printer.writer.text(token.data[0])
    if token.name in {"unknown", "too_long"}:
        printer.tell_once("unknown_command", token.data, now)
        return []
    act = _ACTS.get(token.name)
    return [] if act is None else act(printer, token.data, now)


# --- paper ------------------------------------------------------------------------------------------------------


def _line_feed(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    return printer.writer.new_line()


def _tab(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    return printer.writer.tab()


def _feed_lines(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    return printer.writer.feed_lines(data[0])


def _feed_dots(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    return printer.writer.feed(data[0])


def _cut(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    """Without the feeding form, paper that is still under the cutter's edge stays in the printer."""
    feeds = len(data) == 2
    feed = printer.options.cutter_dots + data[1] if feeds else 0
    return printer.writer.cut(full=data[0] in {0, 0x30, 65, 97, 103}, feed=feed)


def _cut_now(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    return printer.writer.cut(full=False, feed=0)


def _raster(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    mode, stride = data[0], data[1]
    wide, high = 1 + (mode & 1), 1 + (mode >> 1 & 1)
    rows = [int.from_bytes(data[at : at + stride], "big") for at in range(2, len(data), stride)]
    return codes.image(printer.writer, rows, stride * 8, wide, high)


def _vendor(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    if data == b"retract":
        printer.presenter.retract(now)
    else:
        printer.presenter.eject(now)
    return []


def _extended(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    """`1D 28 x pL pH …`: process ID and codes; the rest is passed over by its length."""
    function, content = data[:1], data[3:]
    if function == b"H":
        return _process_id(printer, content, now)
    if function == b"k":
        return codes.two_dimensional(printer, content, now)
    if function == b"L":
        return codes.graphics(printer, content, now)
    if function not in {b"A", b"C", b"D", b"E", b"K", b"M", b"N", b"P", b"Q"}:
        printer.tell_once("unknown_command", b"\x1d(" + function, now)
    return []


def _process_id(printer: EscPosPrinter, content: bytes, now: float) -> Jobs:
    if not printer.options.process_id:
        printer.tell_once("unknown_command", b"\x1d(H", now)
    elif len(content) == 6 and content[0] in {0, 0x30} and all(0x20 <= byte <= 0x7E for byte in content[2:]):
        printer.wire.process_id(content[2:], now)
    return []


def _barcode(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    return codes.barcode(printer, data, now)


def _column_image(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    return codes.column_image(printer.writer, data)


def _graphics(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    return codes.graphics(printer, data[5:], now)


_ACTS: dict[str, Act] = {
    **STYLES,
    **ANSWERS,
    "raster": _raster,
    "vendor": _vendor,
    "09": _tab,
    "0A": _line_feed,
    "1B64": _feed_lines,
    "1B4A": _feed_dots,
    "1B69": _cut_now,
    "1B6D": _cut_now,
    "1B2A": _column_image,
    "1D56": _cut,
    "1D28": _extended,
    "1D38": _graphics,
    "1D6B": _barcode,
}
