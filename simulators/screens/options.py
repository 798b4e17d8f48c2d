"""The options that every line of screens has: how large a glass is, what it shows by itself, how slowly it answers.

Knows plain values; must not know frames.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.kinds import Line
from simulators.machine import Action, ControlError
from simulators.plan import Plan
from simulators.screens.glass import Glass
from simulators.screens.line import ANSWER_S, ScreenLine, Unit, Wire

_DEFAULTS: dict[str, Any] = {"columns": 16, "rows": 1, "boot": "", "answer_s": ANSWER_S}


def build_line(
    devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None, wire: Wire, addresses: range
) -> Line:
    """`options["units"]` has a screen's own over the line's. An address that is 0 becomes 1, as a new screen's is."""
    common = dict(options)
    tcp = {"line_delay_s": common.pop("line_delay_s", 0.0)}
    own = common.pop("units", {})
    if not isinstance(own, Mapping) or any(name not in devices for name in own):
        raise ControlError(f"option 'units' maps a device of {', '.join(devices)} to its own options, not {own!r}")
    out: list[Action] = []
    units: dict[int, Unit] = {}
    for device, address in devices.items():
        place = address or 1
        if place not in addresses or place in units:
            raise ControlError(f"{device}: each screen of a line has an address of its own, not {address}")
        units[place] = _unit(device, {**common, **own.get(device, {})}, out)
    return Line(ScreenLine(units, wire, plan, out), tcp)


def _unit(device: str, given: Mapping[str, Any], out: list[Action]) -> Unit:
    if unknown := sorted(set(given) - set(_DEFAULTS)):
        raise ControlError(f"option {unknown[0]!r} is not known; known are {', '.join(_DEFAULTS)}")
    wanted = {**_DEFAULTS, **given}
    if not isinstance(wanted["boot"], str):
        raise ControlError(f"option 'boot' must be a text, not {wanted['boot']!r}")
    columns, rows = (number(key, wanted[key], 1, 200) for key in ("columns", "rows"))
    answer_s = number("answer_s", wanted["answer_s"], 0, 60)
    return Unit(Glass(device, int(columns), int(rows), wanted["boot"], out.append), answer_s)


def number(key: str, value: Any, low: float, high: float) -> float:
    """A number within bounds. Raises ControlError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ControlError(f"option {key!r} must be a number from {low:g} to {high:g}, not {value!r}")
    return float(value)
