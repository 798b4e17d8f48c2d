"""The control interface of a printer: hands refill, open, free and tear, customers come, power is switched.

Knows plain JSON requests and the printer's parts; what a fault does is told in `mishaps`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulators.customer import parse_customer
from simulators.escpos.faults import FAULTS
from simulators.escpos.mishaps import close_cover, open_cover, strike
from simulators.faults import parse_fault
from simulators.machine import ControlError, Plug, verb_of

if TYPE_CHECKING:
    from simulators.escpos.printer import EscPosPrinter

Request = Mapping[str, Any]


def do(printer: EscPosPrinter, request: Request, now: float) -> dict[str, Any]:
    """One request; the answer's content, or `ControlError` with what to send instead."""
    verb = verb_of(request, _KEYS, printer.device)
    return _VERBS[verb][0](printer, request, now)


def _fault(printer: EscPosPrinter, request: Request, now: float) -> dict[str, Any]:
    strike(printer, parse_fault(request.get("name"), request.get("args"), FAULTS), now)
    return {"armed": _armed(printer)}


def _clear(printer: EscPosPrinter, request: Request, now: float) -> dict[str, Any]:
    printer.armed.clear()
    printer.noise.clear()
    printer.mechanism.waits_for.clear()
    return {"armed": []}


def _refill(printer: EscPosPrinter, request: Request, now: float) -> dict[str, Any]:
    """A new roll. The tail of one that had come to its end is taken out: a sheet that was never cut."""
    if printer.condition.paper_end and printer.mechanism.roll.printed:
        printer.mechanism.come_off(now, cut=False)
    printer.condition.paper_end = printer.condition.near_end = False
    printer.tell("show", "paper_refilled", {}, now)
    printer.changed(now)
    return {}


def _cover(printer: EscPosPrinter, request: Request, now: float) -> dict[str, Any]:
    wanted = request.get("open")
    if not isinstance(wanted, bool):
        raise ControlError(f"'open' must be true or false, not {wanted!r}")
    if wanted:
        open_cover(printer, {}, now)
    else:
        close_cover(printer, now)
    return {}


def _free(printer: EscPosPrinter, request: Request, now: float) -> dict[str, Any]:
    """A hand frees the cutter; with `resumes` false the error stays until `10 05 01` or `10 05 02`."""
    printer.condition.cutter_jammed = False
    printer.tell("show", "cutter_freed", {}, now)
    if request.get("resumes", True):
        printer.condition.cutter_error = False
        printer.changed(now)
    return {}


def _tear(printer: EscPosPrinter, request: Request, now: float) -> dict[str, Any]:
    if not printer.mechanism.roll.printed:
        raise ControlError("nothing printed hangs out of the printer")
    printer.mechanism.come_off(now, cut=False)
    return {"sheet": printer.mechanism.sheets}


def _customer(printer: EscPosPrinter, request: Request, now: float) -> dict[str, Any]:
    """`take` now; or a customer for the `next` ticket, or from now on for all."""
    presenter = printer.presenter
    if request.get("take"):
        if not presenter.take(now):
            raise ControlError("no ticket waits in the presenter: print one first")
        return {}
    customer = parse_customer({key: request[key] for key in request if key not in {"do", "device", "take", "next"}})
    if request.get("next"):
        presenter.coming.append(customer)
    else:
        presenter.everyone = presenter.customer = customer
        presenter.decide(now)
    return {}


def _power(printer: EscPosPrinter, request: Request, now: float) -> dict[str, Any]:
    wanted = request.get("on")
    if not isinstance(wanted, bool):
        raise ControlError(f"'on' must be true or false, not {wanted!r}")
    if wanted:
        printer.power_on(now)
    else:
        printer.power_off(None, now)
    return {"powered": printer.powered}


def _plug(printer: EscPosPrinter, request: Request, now: float) -> dict[str, Any]:
    printer.emit(Plug())
    return {}


def _state(printer: EscPosPrinter, request: Request, now: float) -> dict[str, Any]:
    roll = printer.mechanism.roll
    return {
        "powered": printer.powered,
        "offline": printer.condition.offline,
        "condition": printer.condition.snapshot(),
        "buffered": printer.buffered,
        "half_command": printer.tokenizer.waits,
        "printing": printer.mechanism.busy,
        "roll": {"rows": roll.rows, "lines": roll.lines, "printed": roll.printed, "texts": roll.texts},
        "sheets": printer.mechanism.sheets,
        "ticket": printer.presenter.ticket,
        "counters": printer.counters.snapshot(),
        "lost_bytes": printer.lost_bytes,
        "asb": printer.wire.mask,
        "armed": _armed(printer),
        "now_s": now,
    }


def _armed(printer: EscPosPrinter) -> list[str]:
    return [
        *printer.armed.names(),
        *(fault.name for fault in printer.mechanism.waits_for),
        *printer.noise.names(),
    ]


_VERBS: dict[str, tuple[Callable[[EscPosPrinter, Request, float], dict[str, Any]], tuple[str, ...]]] = {
    "fault": (_fault, ("name", "args")),
    "clear": (_clear, ()),
    "refill": (_refill, ()),
    "cover": (_cover, ("open",)),
    "free_cutter": (_free, ("resumes",)),
    "tear": (_tear, ()),
    "customer": (_customer, ("take", "next", "policy", "after_s", "chance", "seed")),
    "power": (_power, ("on",)),
    "plug": (_plug, ()),
    "state": (_state, ()),
}
_KEYS = {verb: keys for verb, (_, keys) in _VERBS.items()}
