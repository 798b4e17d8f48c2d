"""How a line of Modbus units is built from the options of the command line or of a branch.

Knows plain values and the line's constructor; what a unit does with its options is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.kinds import Line, MachineKind
from simulators.machine import ControlError
from simulators.modbus.frames import Framing, Rtu, Tcp
from simulators.modbus.kinds import all_faults, all_occasions, unit_class
from simulators.modbus.line import ModbusLine
from simulators.modbus.port import open_modbus_port
from simulators.plan import Plan

LINE_OPTIONS: Mapping[str, Any] = {
    "framing": "rtu",
    "baud": 9600,
    "strict": False,
    "line_delay_s": 0.0,
    "holds_answers": False,
}


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """`options["units"]` says of each device its `kind` and that kind's own options; `devices` its address."""
    own = {**LINE_OPTIONS, **options}
    units = own.pop("units", {})
    if unknown := sorted(set(own) - set(LINE_OPTIONS)):
        raise ControlError(f"option {unknown[0]!r} is not known; known are units, {', '.join(LINE_OPTIONS)}")
    if not isinstance(units, Mapping) or set(units) != set(devices):
        raise ControlError(
            f"option 'units' says of each of {', '.join(devices)} what it is, such as "
            f"{{{next(iter(devices))!r}: {{'kind': 'relay'}}}}, not {units!r}"
        )
    line = ModbusLine(_framing(own), plan)
    for device, address in devices.items():
        told = dict(units[device])
        line.add(unit_class(told.pop("kind", None)), device, address, told)
    if own["framing"] == "tcp":
        return Line(line, open_port=open_modbus_port)
    return Line(line, {"line_delay_s": own["line_delay_s"], "holds_answers": own["holds_answers"]})


def _framing(own: Mapping[str, Any]) -> Framing:
    if own["framing"] == "tcp":
        return Tcp()
    if own["framing"] != "rtu" or not isinstance(own["baud"], int) or own["baud"] < 300:
        raise ControlError(f"'framing' is rtu or tcp, and 'baud' a number from 300, not {dict(own)!r}")
    return Rtu(own["baud"], strict=own["strict"] is True)


KIND = MachineKind(build, all_faults(), all_occasions())
