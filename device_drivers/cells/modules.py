"""Modbus modules of a cabinet: inputs that show doors and items, and relays whose pulse the board itself ends.

Knows units and how a relay board times a pulse; must not know cells. Source: devices.md section 2.4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from device_drivers.errors import DeviceError, DeviceRefused, DeviceUnavailable
from device_drivers.links.line import SharedLine, Urgency
from device_drivers.modbus.settings import ModbusSettings
from device_drivers.modbus.unit import ModbusUnit

INPUTS = 8
FLASH_ON = 0x0200  # and the channel: on for value x 100 ms, then off by itself, also when nobody is there any more
STEP_MS = 100
_LINE_GONE = frozenset({"line_lost", "line_closed", "line_unavailable"})


class ModbusModules:
    """All modules of one line, each made when it is first needed."""

    def __init__(self, line: SharedLine, units: Iterable[int], pulse_ms: int, settings: ModbusSettings) -> None:
        self._units = {unit: ModbusUnit(line, unit, settings) for unit in sorted(set(units))}
        self._steps = pulse_ms // STEP_MS

    async def connect(self) -> None:
        """Raises DeviceUnavailable."""
        for unit in self._units.values():
            await unit.connect()

    async def disconnect(self) -> None:
        """Harmless when not connected."""
        for unit in self._units.values():
            await unit.disconnect()

    async def inputs(self, unit: int) -> tuple[bool, ...] | None:
        """FC02; None: this unit does not answer. Raises DeviceUnavailable: the line is lost."""
        try:
            return await self._units[unit].read_bits("inputs", 0, INPUTS, Urgency.ASK)
        except DeviceError as error:
            if isinstance(error, DeviceUnavailable) and error.reason in _LINE_GONE:
                raise
            return None

    async def answers(self, unit: int) -> bool:
        """FC01, for a sign of life and nothing else. Raises DeviceUnavailable: the line is lost."""
        try:
            await self._units[unit].read_bits("coils", 0, INPUTS, Urgency.ASK)
        except DeviceUnavailable as error:
            if error.reason in _LINE_GONE:
                raise
            return False
        except DeviceRefused:  # it said so itself
            return True
        return True

    async def pulse(self, unit: int, channel: int) -> None:
        """FC05, written once. Raises DeviceUnavailable, DeviceRefused: nothing happened; OutcomeUnknown: all else."""
        try:
            await self._units[unit].pulse_coil(FLASH_ON + channel, self._steps)
        except DeviceUnavailable as error:
            if error.reason in _LINE_GONE:
                raise
            raise DeviceRefused(error.reason, error.detail, facts=error.facts) from error  # the others go on (PHY-7)

    @property
    def counters(self) -> Mapping[str, int]:
        """Of all units together, for the twin."""
        told: Counter[str] = Counter()
        for unit in self._units.values():
            told.update(unit.counters())
        return {f"modbus{name[:1].upper()}{name[1:]}": count for name, count in told.items()}
