"""The queued questions: automatic status, paper, identity, counters; each is answered when its turn has come.

Knows which reply belongs to which command; when bytes leave is the transmitter's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simulators.escpos import status
from simulators.escpos.jobs import Job

if TYPE_CHECKING:
    from simulators.escpos.printer import EscPosPrinter

Jobs = list[Job]
Act = Callable[["EscPosPrinter", bytes, float], Jobs]


def _asb(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    if printer.options.asb:
        printer.wire.watch(data[0], now)
    return []


def _paper_status(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    byte = status.gs_r(printer.condition, data[0]) if printer.options.gs_r else None
    if byte is not None:
        printer.wire.reply(bytes((byte,)), now)
    return []


def _identity(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    reply = _identity_reply(printer, data[0])
    if reply:
        printer.wire.reply(reply, now)
    return []


def _identity_reply(printer: EscPosPrinter, n: int) -> bytes:
    own = printer.options.identity
    if own is None:
        return b""
    single = {1: own.model_id, 2: 0x03, 3: own.rom_id}
    texts = {65: own.firmware, 66: own.maker, 67: own.model, 69: own.language}
    if n - 0x30 in single or n in single:
        return bytes((single[n & 0x0F],))
    return b"\x5f" + texts[n].encode("ascii") + b"\x00" if n in texts else b""


def _counter(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    value = printer.counters.read(int.from_bytes(data[2:4], "little")) if printer.options.counters else None
    if data[0] == 0x32 and value is not None:
        printer.wire.reply(b"\x5f" + str(value).encode("ascii") + b"\x00", now)
    return []


ANSWERS: dict[str, Act] = {
    "1D61": _asb,
    "1D72": _paper_status,
    "1D49": _identity,
    "1D67": _counter,
}
