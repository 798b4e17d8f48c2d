"""A digit display on a line that others share: its text registers, whose writing it acknowledges; or a line of text.

Knows what each of the two forms can say of an outcome; must not know frames.
"""

from __future__ import annotations

from collections.abc import Mapping

from device_drivers.led485.profile import Led485Profile
from device_drivers.led485.protocol import TEXT_REGISTER, text_line, text_words
from device_drivers.links.line import SharedLine, Urgency
from device_drivers.modbus.unit import ModbusUnit
from device_drivers.screens.driver import Evidence
from device_drivers.screens.faces import Face
from device_drivers.screens.mute import MuteScreen

GAP_S = 0.1  # behind a line of text: as long as strip screens need


class RegisterScreen:
    """Spoken to as a Modbus unit."""

    def __init__(self, line: SharedLine, profile: Led485Profile) -> None:
        self._unit, self._digits = ModbusUnit(line, profile.unit, profile.modbus), profile.digits

    async def connect(self) -> None:
        """Takes a share of the line. Raises DeviceUnavailable."""
        await self._unit.connect()

    async def disconnect(self) -> None:
        """Gives it back."""
        await self._unit.disconnect()

    async def ask(self) -> None:
        """No source names a register that could be read: only showing tells whether it is there."""

    async def show(self, face: Face, urgency: Urgency) -> Evidence:
        """Written once. Raises DeviceUnavailable, DeviceRefused, OutcomeUnknown."""
        await self._unit.write_words(TEXT_REGISTER, text_words(_text(face), self._digits), urgency)
        return "acknowledged"

    def counters(self) -> Mapping[str, int]:
        """The unit's."""
        return self._unit.counters()


def line_screen(line: SharedLine, profile: Led485Profile) -> MuteScreen:
    """Spoken to in plain text, which nobody answers."""
    return MuteScreen(line, lambda face: text_line(profile.unit, _text(face), profile.digits), GAP_S)


def _text(face: Face) -> str:
    (line,) = face.pages[0]
    return line.text
