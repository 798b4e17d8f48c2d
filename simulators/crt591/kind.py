"""How a line of CRT-591 units is built from the options of the command line or of a branch.

Knows plain values and the line's constructor; what a unit does with its options is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.crt591.line import Crt591Line
from simulators.crt591.options import parse_options
from simulators.faults import FAULTS
from simulators.kinds import Line, MachineKind
from simulators.machine import ControlError
from simulators.plan import OCCASIONS, Plan


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """`devices` maps each name to its unit address; `options["units"]` has a unit's own over the line's."""
    common = dict(options)
    tcp = {"line_delay_s": common.pop("line_delay_s", 0.0), "holds_answers": common.pop("holds_answers", False)}
    own = common.pop("units", {})
    if not isinstance(own, Mapping) or any(name not in devices for name in own):
        raise ControlError(f"option 'units' maps a device of {', '.join(devices)} to its own options, not {own!r}")
    if len(set(devices.values())) != len(devices):
        raise ControlError("two devices on one line need two unit addresses: give each its own --unit")
    units = {address: (device, parse_options({**common, **own.get(device, {})})) for device, address in devices.items()}
    return Line(Crt591Line(units, plan), tcp)


KIND = MachineKind(build, FAULTS, OCCASIONS)
