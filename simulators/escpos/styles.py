"""The formatting commands: what `1B 40` takes back, letters' styles and sizes, Chinese mode, measures of codes.

Knows parameters; the style itself is the writer's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simulators.escpos.jobs import Job

if TYPE_CHECKING:
    from simulators.escpos.printer import EscPosPrinter

Jobs = list[Job]
Act = Callable[["EscPosPrinter", bytes, float], Jobs]


def _initialise(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    printer.writer.reset()
    if printer.options.init_stops_asb:
        printer.wire.watch(0, now)
    return []


def _set(name: str, mask: int = 0xFF) -> Callable[[EscPosPrinter, bytes, float], Jobs]:
    def act(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
        setattr(printer.writer.style, name, data[0] & mask)
        return []

    return act


def _switch(name: str) -> Callable[[EscPosPrinter, bytes, float], Jobs]:
    def act(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
        setattr(printer.writer.style, name, bool(data[0] & 3))
        return []

    return act


def _align(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    if data[0] in {0, 1, 2, 0x30, 0x31, 0x32}:
        printer.writer.style.align = data[0] & 3
    return []


def _print_mode(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    style, n = printer.writer.style, data[0]
    style.bold, style.underline = bool(n & 0x08), bool(n & 0x80)
    style.height, style.width = 1 + (n >> 4 & 1), 1 + (n >> 5 & 1)
    return []


def _chinese_mode(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    style, n = printer.writer.style, data[0]
    style.chinese_width, style.chinese_height = 1 + (n >> 2 & 1), 1 + (n >> 3 & 1)
    style.chinese_underline = bool(n & 0x80)
    return []


def _size(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    printer.writer.size(data[0])
    return []


def _default_spacing(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    printer.writer.style.spacing = 30
    return []


def _chinese_on(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    printer.writer.chinese(on=True)
    return []


def _chinese_off(printer: EscPosPrinter, data: bytes, now: float) -> Jobs:
    printer.writer.chinese(on=False)
    return []


STYLES: dict[str, Act] = {
    "1B40": _initialise,
    "1B61": _align,
    "1B45": _switch("bold"),
    "1B47": _switch("bold"),
    "1B2D": _switch("underline"),
    "1B21": _print_mode,
    "1B33": _set("spacing"),
    "1B32": _default_spacing,
    "1B74": _set("code_page"),
    "1C26": _chinese_on,
    "1C2E": _chinese_off,
    "1C21": _chinese_mode,
    "1C2D": _switch("chinese_underline"),
    "1D21": _size,
    "1D68": _set("bar_height"),
    "1D77": _set("bar_width", 7),
    "1D48": _set("bar_text", 3),
}
