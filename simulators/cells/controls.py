"""What no wire reaches: faults strike, customers come, doors are forced or closed, staff load, state is asked for.

Knows plain JSON requests and a cabinet's parts; it sends nothing to the host itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulators.cells.faults import FAULTS
from simulators.cells.people import parse_person
from simulators.faults import Fault, parse_fault
from simulators.machine import ControlError, verb_of

if TYPE_CHECKING:
    from simulators.cells.line import LockBoards

Request = Mapping[str, Any]


def strike(line: LockBoards, fault: Fault, now: float) -> None:
    """At once, or armed for its next occasion."""
    at_once = _AT_ONCE.get(fault.name)
    if at_once is None or (fault.name == "garbage" and fault.args["where"] != "now"):
        line.armed.add(fault, now)
    else:
        at_once(line, fault, now)


def _dead(line: LockBoards, fault: Fault, now: float) -> None:
    line.dead[fault.args["board"]] = now + (fault.args["for_s"] or 0.0)


_AT_ONCE: dict[str, Callable[[LockBoards, Fault, float], object]] = {
    "dead_board": _dead,
    "power_loss": lambda line, fault, now: line.power_off(fault.args["off_s"], now),
    "garbage": lambda line, fault, now: line.wire.send(fault.args["hex"], now),
    "flood": lambda line, fault, now: line.wire.flood(fault.args["for_s"], fault.args["bytes_per_s"], now),
    "unplug": lambda line, fault, now: line.wire.unplug(fault.args["for_s"]),
}


def do(line: LockBoards, request: Request, now: float) -> dict[str, Any]:
    """One request; the answer's content, or `ControlError` with what to send instead."""
    verb = verb_of(request, _KEYS, line.device)
    return _VERBS[verb][0](line, request, now)


def _fault(line: LockBoards, request: Request, now: float) -> dict[str, Any]:
    strike(line, parse_fault(request.get("name"), request.get("args"), FAULTS), now)
    return {"armed": line.armed.names()}


def _clear(line: LockBoards, request: Request, now: float) -> dict[str, Any]:
    line.armed.clear()
    line.dead.clear()
    return {"armed": []}


def _customer(line: LockBoards, request: Request, now: float) -> dict[str, Any]:
    """For the `next` door that opens, or from now on for all, those who stand before an open one included."""
    person = parse_person({key: value for key, value in request.items() if key not in {"do", "device", "next"}})
    if request.get("next"):
        line.chest.coming.append(person)
        return {}
    line.chest.everyone = person
    for name, cell in line.chest.cells.items():
        if cell.is_open:
            line.chest.meet(name, now, person)
    return {}


def _cell(line: LockBoards, request: Request) -> str:
    name = request.get("cell")
    if not isinstance(name, str) or name not in line.chest.cells:
        raise ControlError(f"'cell' must be one of {', '.join(line.chest.cells)}, not {name!r}")
    return name


def _hands(deed: str) -> Callable[[LockBoards, Request, float], dict[str, Any]]:
    def act(line: LockBoards, request: Request, now: float) -> dict[str, Any]:
        name = _cell(line, request)
        if not line.chest.do(name, deed, now):
            raise ControlError(f"cell {name} is not so that one could {deed} there: ask for its state")
        return {}

    return act


def _force(line: LockBoards, request: Request, now: float) -> dict[str, Any]:
    line.chest.force(_cell(line, request), now, takes=bool(request.get("takes")))
    return {}


def _load(line: LockBoards, request: Request, now: float) -> dict[str, Any]:
    serial = request.get("serial")
    if serial is not None and not (isinstance(serial, str) and serial):
        raise ControlError(f"'serial' must be a text, or null to empty the cell, not {serial!r}")
    line.chest.load(_cell(line, request), serial, now)
    return {}


def _power(line: LockBoards, request: Request, now: float) -> dict[str, Any]:
    if request.get("on"):
        line.power_on(now)
    else:
        line.power_off(None, now)
    return {"powered": line.powered}


def _plug(line: LockBoards, request: Request, now: float) -> dict[str, Any]:
    line.wire.plug()
    return {}


def _state(line: LockBoards, request: Request, now: float) -> dict[str, Any]:
    return {
        "cells": {name: {"serial": cell.serial, "open": cell.is_open} for name, cell in line.chest.cells.items()},
        "pulses": line.chest.pulses,
        "frames": line.frames,
        "powered": line.powered,
        "armed": line.armed.names(),
    }


_VERBS: dict[str, tuple[Callable[[LockBoards, Request, float], dict[str, Any]], tuple[str, ...]]] = {
    "fault": (_fault, ("name", "args")),
    "clear": (_clear, ()),
    "customer": (_customer, ("next", "policy", "after_s", "each_s", "seed")),
    "take": (_hands("take"), ("cell",)),
    "put_back": (_hands("put_back"), ("cell",)),
    "close": (_hands("close"), ("cell",)),
    "force": (_force, ("cell", "takes")),
    "load": (_load, ("cell", "serial")),
    "power": (_power, ("on",)),
    "plug": (_plug, ()),
    "state": (_state, ()),
}
_KEYS = {verb: keys for verb, (_, keys) in _VERBS.items()}
