"""A relay board over a shared line: one question, and one frame that acts, which is written once.

Knows which coils are relays and what silence of a board is called; must not know what hangs on the relay.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from device_drivers.errors import DeviceError, DeviceRefused
from device_drivers.links.line import SharedLine
from device_drivers.modbus.settings import ModbusSettings
from device_drivers.modbus.unit import ModbusUnit
from device_drivers.relay.protocol import CHANNELS, Pulse

_REASONS = {
    "unit_silent": "relay_silent",
    "unit_garbled": "relay_silent",
    "unit_resting": "relay_silent",
    "unit_refused": "relay_refused",
}


class RelayBoard:
    """One board. The line is held for one exchange only: other boards and units may share it."""

    def __init__(self, line: SharedLine, unit: int, settings: ModbusSettings | None = None) -> None:
        """Raises ValueError for an address that is not one board's."""
        self._unit = ModbusUnit(line, unit, settings)

    async def relays_on(self) -> frozenset[int]:
        """Which relays are on. Raises DeviceUnavailable, DeviceRefused."""
        async with self._connected() as unit:
            bits = await unit.read_bits("coils", 0, len(CHANNELS))
        return frozenset(channel for channel in CHANNELS if bits[channel])

    async def pulse(self, pulse: Pulse) -> None:
        """Writes the frame once; returns when the board has repeated it.

        Raises DeviceUnavailable: nothing was written; DeviceRefused: the board has no such relay, and said so.
        Raises OutcomeUnknown: silence, another answer, a lost line, or an exception that may come after the act.
        """
        if pulse.unit != self._unit.unit:
            raise DeviceRefused("invalid_params", f"unit {pulse.unit} is not this board", waits_for="never")
        async with self._connected() as unit:
            await unit.pulse_coil(pulse.coil, pulse.steps)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[ModbusUnit]:
        try:
            await self._unit.connect()
            yield self._unit
        except DeviceError as error:
            raise _named(error) from error
        finally:
            await self._unit.disconnect()


def _named(error: DeviceError) -> DeviceError:
    """The same with the board's name for it."""
    reason = _REASONS.get(error.reason, error.reason)
    if isinstance(error, DeviceRefused):
        return DeviceRefused(reason, error.detail, facts=error.facts, waits_for=error.waits_for)
    return type(error)(reason, error.detail, facts=error.facts)
