"""Images and codes of the printer's own drawing: raster, column and stored graphics, barcodes, QR.

Knows their parameters and modules; must not know time or paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulators.escpos.bars import BadCodeError, decoded
from simulators.escpos.drawing import CELL, HIGH, Letter, enlarged, letters_row, shift
from simulators.escpos.jobs import Job
from simulators.escpos.writer import Writer

if TYPE_CHECKING:
    from simulators.escpos.printer import EscPosPrinter

LEVELS = {0x30: "L", 0x31: "M", 0x32: "Q", 0x33: "H"}
MAX_QR = 7092  # bytes: the largest code's digits
BAND_ROWS = 24


def image(writer: Writer, rows: Sequence[int], width: int, wide: int = 1, high: int = 1) -> list[Job]:
    """A band of an image, each dot `wide` times `high` dots."""
    if wide > 1:
        rows = enlarged([f"{row:0{width}b}" for row in rows], wide, 1)
    tall = [row for row in rows for _ in range(high)]
    return writer.picture(tall, width * wide, None)


def column_image(writer: Writer, data: bytes) -> list[Job]:
    """`1B 2A m nL nH …`: columns of 8 or 24 dots, a band of their own as high as their line."""
    mode, columns, body = data[0], int.from_bytes(data[1:3], "little"), data[3:]
    each = 3 if mode >= 32 else 1
    if columns == 0:
        return []
    pillars = [f"{int.from_bytes(body[at : at + each], 'big'):0{8 * each}b}" for at in range(0, len(body), each)]
    rows = [int("".join(pillar[number] for pillar in pillars), 2) for number in range(8 * each)]
    wide = 1 if mode & 1 else 2
    writer.strip = True
    return image(writer, rows, columns, wide, 1 if each == 3 else 3)


def graphics(printer: EscPosPrinter, content: bytes, now: float) -> list[Job]:
    """`1D 28 4C` and `1D 38 4C`: function 112 stores a raster image, 50 prints it."""
    if content[:2] == b"\x30\x70" and len(content) > 10:
        printer.writer.stored = content[2:]
    elif content[:2] in {b"\x30\x32", b"\x30\x02"} and printer.writer.stored:
        stored, printer.writer.stored = printer.writer.stored, b""
        return _stored(printer.writer, stored)
    return []


def _stored(writer: Writer, stored: bytes) -> list[Job]:
    """Function 112 of Epson's reference: a bx by c xL xH yL yH, then rows."""
    width, height = int.from_bytes(stored[4:6], "little"), int.from_bytes(stored[6:8], "little")
    stride = (width + 7) // 8
    rows = [int.from_bytes(stored[at : at + stride], "big") for at in range(8, 8 + stride * height, max(1, stride))]
    wide, high = (2 if stored[1] == 2 else 1), (2 if stored[2] == 2 else 1)
    return [
        job
        for start in range(0, len(rows), BAND_ROWS)
        for job in image(writer, rows[start : start + BAND_ROWS], stride * 8, wide, high)
    ]


def two_dimensional(printer: EscPosPrinter, content: bytes, now: float) -> list[Job]:
    """`1D 28 6B pL pH 31 fn …`: QR; other symbologies are not drawn."""
    if len(content) < 3 or content[0] != 0x31:
        printer.tell_once("unknown_command", b"\x1d(k" + content[:1], now)
        return []
    writer, function, value = printer.writer, content[1], content[2]
    if function == 0x43 and 1 <= value <= 16:
        writer.style.qr_size = value
    elif function == 0x45 and value in LEVELS:
        writer.style.qr_level = value
    elif function == 0x50 and len(content) - 3 <= MAX_QR:
        writer.qr_data = content[3:]
    elif function == 0x51 and writer.qr_data:
        return _qr(printer, now)
    return []


def _qr(printer: EscPosPrinter, now: float) -> list[Job]:
    import segno  # only who prints such codes needs it

    writer = printer.writer
    try:
        code = segno.make_qr(writer.qr_data, error=LEVELS[writer.style.qr_level], boost_error=False)
    except ValueError:
        return _not_printed(printer, "QR", writer.qr_data, now)
    rows = enlarged([list(row) for row in code.matrix], writer.style.qr_size, writer.style.qr_size)
    width = len(code.matrix) * writer.style.qr_size
    if width > printer.options.dots:
        return _not_printed(printer, "QR", writer.qr_data, now)
    return writer.picture(rows, width, f"\0[QR {writer.qr_data.decode('utf-8', 'replace')}]")


def barcode(printer: EscPosPrinter, data: bytes, now: float) -> list[Job]:
    """`1D 6B m …` in both forms."""
    m = data[0]
    body = data[1:].rstrip(b"\0") if m <= 6 else data[2:]
    try:
        name, text, modules = decoded(m if m > 6 else m + 65, body)
    except BadCodeError:
        return _not_printed(printer, f"1D 6B {m:02X}", body, now)
    writer, style = printer.writer, printer.writer.style
    by = min(max(style.bar_width, 1), 6)
    width = len(modules) * by
    if width > printer.options.dots:
        return _not_printed(printer, name, body, now)
    bars = enlarged([modules], by, 1) * max(1, style.bar_height)
    under = _caption(text, width)
    above = under if style.bar_text & 1 else []
    below = under if style.bar_text & 2 else []
    return writer.picture([*above, *bars, *below], width, f"\0[{name} {text}]")


def _caption(text: str, width: int) -> list[int]:
    """The digits under the bars, in the middle of them, as far as they have room."""
    letters = [Letter(char, False, 1, 1, False, False) for char in text]
    own = len(letters) * CELL
    if own > width:
        return []
    room = (width + 7) // 8 * 8
    rows = letters_row(letters, 0, room)
    at = shift(own, 1, width)
    blank = [0] * 4
    return [*blank, *(int.from_bytes(row, "big") >> (room - width) >> at for row in rows[:HIGH])]


def _not_printed(printer: EscPosPrinter, what: str, data: bytes, now: float) -> list[Job]:
    printer.tell("show", "code_not_printed", {"code": what, "data": data[:64].decode("ascii", "replace")}, now)
    return []
