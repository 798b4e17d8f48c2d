"""The kinds of simulated Modbus units by name.

Knows where kinds are found; must not know what any of them does. Each module offers UNIT, a class of `unit.Unit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from simulators.faults import FaultTable
from simulators.machine import ControlError
from simulators.modbus.faults import LINE_FAULTS, OCCASIONS, UNIT_FAULTS
from simulators.modbus.unit import Unit

UNITS = {
    "cell_inputs": "simulators.cells.inputs_unit",
    "cell_relay": "simulators.cells.relay_unit",
    "digital_inputs": "simulators.modbus.digital_inputs",
    "led485": "simulators.screens.led485_unit",
    "pulse_counter": "simulators.modbus.pulse_counter",
    "registers": "simulators.modbus.registers",
    "relay": "simulators.modbus.relay",
}


def unit_class(name: Any) -> type[Unit]:
    """The class of that name, or `ControlError` naming the known ones."""
    if not isinstance(name, str) or name not in UNITS:
        raise ControlError(f"a Modbus unit of the kind {name!r} is not known; known are {', '.join(UNITS)}")
    unit: type[Unit] = import_module(UNITS[name]).UNIT
    assert issubclass(unit, Unit)
    return unit


def all_faults() -> FaultTable:
    """Of a line, of every unit, and of each kind of unit."""
    table = {**LINE_FAULTS, **UNIT_FAULTS}
    for name in UNITS:
        for fault, args in unit_class(name).FAULTS.items():
            assert table.get(fault, args) == args, f"{fault} of {name} has other arguments than another's"
            table[fault] = args
    return table


def all_occasions() -> Sequence[str]:
    """The words of a plan."""
    return (*OCCASIONS, *dict.fromkeys(word for name in UNITS for word in unit_class(name).OCCASIONS))
