"""What no wire reaches: faults strike, hands refill, free and close, somebody else prints, power goes.

Knows plain JSON requests and the printer's parts; it sends nothing to the host itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulators.faults import Fault, parse_fault
from simulators.ipp.faults import FAULTS
from simulators.ipp.jobs import Paper
from simulators.machine import ControlError, Plug, Unplug, verb_of

if TYPE_CHECKING:
    from simulators.ipp.printer import IppPrinter

Request = Mapping[str, Any]
_IN_THE_WAY = {"media_empty": "media-empty", "cover_open": "cover-open", "toner_empty": "toner-empty"}
_HANDS = {
    "refill": ("media-empty", "toner-empty"),
    "free": ("media-jam",),
    "close": ("cover-open",),
}


def strike(printer: IppPrinter, fault: Fault, now: float) -> None:
    """At once, or armed for its occasion."""
    if fault.name in _IN_THE_WAY:
        printer.mechanism.stop(_IN_THE_WAY[fault.name], now)
    elif fault.name in {"jam", "abort_job", "completed_with_errors"}:
        printer.mechanism.waiting.append(fault)
    elif fault.name == "restart":
        printer.restart(fault.args["off_s"], now, keeps_history=fault.args["keeps_history"])
    elif fault.name == "unplug":
        printer.closed(now)
        printer.emit(Unplug(fault.args["for_s"]))
    else:
        printer.armed.add(fault, now)


def do(printer: IppPrinter, request: Request, now: float) -> dict[str, Any]:
    """One request; the answer's content, or `ControlError` with what to send instead."""
    verb = verb_of(request, _KEYS, printer.device)
    return _VERBS[verb][0](printer, request, now)


def _fault(printer: IppPrinter, request: Request, now: float) -> dict[str, Any]:
    strike(printer, parse_fault(request.get("name"), request.get("args"), FAULTS), now)
    return {"armed": _armed(printer)}


def _clear(printer: IppPrinter, request: Request, now: float) -> dict[str, Any]:
    printer.armed.clear()
    printer.mechanism.waiting.clear()
    return {"armed": []}


def _hands(printer: IppPrinter, request: Request, now: float) -> dict[str, Any]:
    for trouble in _HANDS[request["do"]]:
        printer.mechanism.mend(trouble, now)
    return {"troubles": list(printer.mechanism.troubles)}


def _print(printer: IppPrinter, request: Request, now: float) -> dict[str, Any]:
    """Somebody else's job, from another computer."""
    name, pages = request.get("name", "elsewhere"), request.get("pages", 1)
    if not isinstance(name, str) or not isinstance(pages, int) or not 1 <= pages <= 1000:
        raise ControlError(f"'name' must be a text and 'pages' 1 to 1000, not {name!r} and {pages!r}")
    job = printer.mechanism.add(name, "somebody", now)
    job.papers.append(Paper("", "application/pdf", pages))
    printer.mechanism.close(job, now)
    return {"job": job.id}


def _plug(printer: IppPrinter, request: Request, now: float) -> dict[str, Any]:
    printer.emit(Plug())
    return {}


def _state(printer: IppPrinter, request: Request, now: float) -> dict[str, Any]:
    mechanism = printer.mechanism
    return {
        "powered": printer.powered,
        "up_s": printer.up_s(now),
        "troubles": list(mechanism.troubles),
        "jobs": [job.saved() for job in mechanism.jobs],
        "sheets": mechanism.sheets,
        "armed": _armed(printer),
        "now_s": now,
    }


def _armed(printer: IppPrinter) -> list[str]:
    return [*printer.armed.names(), *(fault.name for fault in printer.mechanism.waiting)]


_VERBS: dict[str, tuple[Callable[[IppPrinter, Request, float], dict[str, Any]], tuple[str, ...]]] = {
    "fault": (_fault, ("name", "args")),
    "clear": (_clear, ()),
    "refill": (_hands, ()),
    "free": (_hands, ()),
    "close": (_hands, ()),
    "print": (_print, ("name", "pages")),
    "plug": (_plug, ()),
    "state": (_state, ()),
}
_KEYS = {verb: keys for verb, (_, keys) in _VERBS.items()}
