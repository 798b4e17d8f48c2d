"""A line with one relay board, from the options of the command line or of a branch.

Knows that it is a line of Modbus units with one of the kind `relay`; what that does is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.kinds import Line, MachineKind, only_device
from simulators.modbus.faults import LINE_FAULTS, OCCASIONS, UNIT_FAULTS
from simulators.modbus.kind import build as build_line
from simulators.modbus.relay import Relay
from simulators.plan import Plan


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """One board under the unit that it is given; as a real one's, its address is 1 where none is."""
    device = only_device(devices)
    return build_line({device: devices[device] or 1}, {**options, "units": {device: {"kind": "relay"}}}, plan)


KIND = MachineKind(build, {**LINE_FAULTS, **UNIT_FAULTS}, (*OCCASIONS, *Relay.OCCASIONS))
