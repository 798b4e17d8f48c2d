"""What goes wrong with a printer, and when: now, within a line of paper, or at the next occasion.

Knows faults and the printer's parts; it sends nothing to the host itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulators.faults import Fault
from simulators.machine import Unplug

if TYPE_CHECKING:
    from simulators.escpos.printer import EscPosPrinter

Request = Mapping[str, Any]


def strike(printer: EscPosPrinter, fault: Fault, now: float) -> None:
    """Let a fault happen: at once, within a line of paper, or armed for its next occasion."""
    args = fault.args
    if args.get("at_line") is not None or args.get("at_fraction") is not None:
        printer.mechanism.waits_for.append(fault)
    elif fault.name in {"cutter_jam", "silence", "late_reply"} or args.get("where", "now") != "now":
        printer.armed.add(fault, now)
    else:
        happen(printer, fault, now)


def happen(printer: EscPosPrinter, fault: Fault, now: float) -> None:
    """Now."""
    _NOW[fault.name](printer, fault.args, now)


def _near_end(printer: EscPosPrinter, args: Request, now: float) -> None:
    printer.condition.near_end = True
    printer.tell("show", "paper_near_end", {}, now)
    printer.changed(now)


def _paper_end(printer: EscPosPrinter, args: Request, now: float) -> None:
    printer.condition.paper_end = True
    printer.condition.near_end = printer.options.near_end_sensor
    printer.tell("show", "paper_end", {}, now)
    printer.changed(now)


def open_cover(printer: EscPosPrinter, args: Request, now: float) -> None:
    """Offline; in the middle of a line it is an error that closing recovers."""
    if printer.condition.cover_open:
        return
    printer.condition.cover_open = True
    printer.condition.opened_in_print = printer.mechanism.busy
    printer.tell("show", "cover_opened", {}, now)
    printer.changed(now)
    for_s = args.get("for_s")
    if for_s is not None:
        printer.agenda.at(now + for_s, lambda at_s: close_cover(printer, at_s))


def close_cover(printer: EscPosPrinter, now: float) -> None:
    """It goes on by itself."""
    if not printer.condition.cover_open:
        return
    printer.condition.cover_open = printer.condition.opened_in_print = False
    printer.tell("show", "cover_closed", {}, now)
    printer.changed(now)


def _hot(printer: EscPosPrinter, args: Request, now: float) -> None:
    printer.condition.head_hot = True
    printer.tell("show", "head_hot", {}, now)
    printer.changed(now)

    def cooled(at_s: float) -> None:
        if printer.condition.head_hot:
            printer.condition.head_hot = False
            printer.tell("show", "head_cooled", {}, at_s)
            printer.changed(at_s)

    printer.agenda.at(now + args["for_s"], cooled)


def _broken(printer: EscPosPrinter, args: Request, now: float) -> None:
    printer.condition.unrecoverable = True
    printer.tell("show", "unrecoverable_error", {}, now)
    printer.changed(now)


_NOW: dict[str, Callable[[EscPosPrinter, Request, float], object]] = {
    "paper_near_end": _near_end,
    "paper_end": _paper_end,
    "cover_open": open_cover,
    "head_hot": _hot,
    "unrecoverable": _broken,
    "power_loss": lambda printer, args, now: printer.power_off(args["off_s"], now),
    "stall": lambda printer, args, now: printer.stall(args["for_s"], now),
    "byte_loss": lambda printer, args, now: printer.noise.lose(args["count"], args["after"]),
    "parity_noise": lambda printer, args, now: printer.noise.spoil(args["count"], args["every"]),
    "garbage": lambda printer, args, now: printer.wire.reply(args["hex"], now),
    "host_busy": lambda printer, args, now: printer.wire.busy(args["for_s"], now),
    "asb_off": lambda printer, args, now: printer.wire.watch(0, now),
    "unplug": lambda printer, args, now: printer.emit(Unplug(args["for_s"])),
}
