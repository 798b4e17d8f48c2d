"""What the control interface may ask of a line with screens.

Knows requests and their keys; what they do is the line's and the glasses' affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulators.faults import parse_fault
from simulators.machine import ControlError, Plug, verb_of
from simulators.screens.faults import FAULTS

if TYPE_CHECKING:
    from simulators.screens.line import ScreenLine, Unit

_KEYS = {"fault": {"name", "args"}, "clear": set(), "plug": set(), "power": {"on"}, "state": set()}


def do(line: ScreenLine, request: Mapping[str, Any], now: float) -> dict[str, Any]:
    """One request; the answer tells what the screen shows. Raises ControlError."""
    verb = verb_of(request, _KEYS)
    if verb == "plug":
        line.emit(Plug())
        return {}
    unit = line.unit_of(request.get("device"))
    if verb == "fault":
        line.strike(unit, parse_fault(request.get("name"), request.get("args"), FAULTS), now)
    elif verb == "clear":
        unit.armed.clear()
        line.line_armed.clear()
    elif verb == "power":
        _power(unit, request.get("on"), now)
    return _state(line, unit)


def _power(unit: Unit, wanted: object, now: float) -> None:
    if not isinstance(wanted, bool):
        raise ControlError(f"'on' must be true or false, not {wanted!r}")
    unit.epoch += 1
    if wanted:
        unit.glass.power_on(now)
    else:
        unit.glass.power_off(now)


def _state(line: ScreenLine, unit: Unit) -> dict[str, Any]:
    glass = unit.glass
    return {
        "shows": glass.text,
        "pages": glass.pages,
        "powered": glass.powered,
        "shown": glass.shown,
        "frames": unit.frames,
        "armed": [*unit.armed.names(), *line.line_armed.names()],
        "noise_bytes": line.wire.noise_bytes,
    }
