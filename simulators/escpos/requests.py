"""What the real-time lane's requests do, at once and whatever else is going on.

Knows `10 04`, `10 05` and `10 14` (devices: Epson ESC/POS references, Custom KPM manual); patterns are the scanner's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.escpos import status
from simulators.escpos.realtime import CLEAR_BUFFERS, POWER_OFF, RECOVER, STATUS

if TYPE_CHECKING:
    from simulators.escpos.printer import EscPosPrinter

PRESENTER_STATUS, PRINT_STATUS = 0x14, 0x11
RESUME, START_ANEW = 1, 2


def obey(printer: EscPosPrinter, request: bytes, now: float) -> None:
    """One whole request; what the printer does not know it ignores."""
    if request[1] == STATUS:
        _answer(printer, request[2], now)
    elif request[1] == RECOVER:
        _recover(printer, request[2], now)
    elif request == CLEAR_BUFFERS:
        printer.clear_buffers(now)
    elif request == POWER_OFF:
        printer.power_off(None, now)
    elif request[2] == 1:
        printer.tell("show", "drawer_pulse", {"pin": request[3] & 1}, now)
    elif request[2:] == b"\x07\x01":
        printer.wire.status_block(now)


def _answer(printer: EscPosPrinter, n: int, now: float) -> None:
    busy = printer.mechanism.busy
    byte = status.dle_eot(printer.condition, n)
    if byte is not None:
        printer.wire.reply(bytes((byte,)), now)
    elif printer.options.presenter and n == PRESENTER_STATUS:
        waits = printer.presenter.ticket is not None
        printer.wire.reply(status.presenter(printer.condition, ticket_waits=waits, busy=busy), now)
    elif printer.options.presenter and n == PRINT_STATUS:
        printer.wire.reply(bytes((status.print_status(printer.condition, busy=busy),)), now)


def _recover(printer: EscPosPrinter, n: int, now: float) -> None:
    """Only the cutter's error waits for this, and only once the cutter is free."""
    if n not in {RESUME, START_ANEW}:
        return
    if n == START_ANEW:
        printer.clear_buffers(now)
    if printer.condition.cutter_error and not printer.condition.cutter_jammed:
        printer.condition.cutter_error = False
        if n == RESUME:
            printer.mechanism.repeat_last_line()
        printer.tell("show", "recovered", {"by": f"10 05 {n:02X}"}, now)
        printer.changed(now)
