"""A digit display's line in words, spoken to in plain lines or in Modbus."""

from __future__ import annotations

from device_drivers.led485.protocol import Decoder
from device_drivers.telling import modbus
from device_drivers.telling.tellers import Direction, Said


class Telling:
    """See `tellers.Teller`."""

    def __init__(self) -> None:
        self._lines, self._modbus = Decoder(), modbus.Telling()

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        lines = self._lines.feed(data) if direction == "write" else []
        told = [Said("screen_shows", {"unit": unit, "text": text}) for unit, text in lines]
        return told or self._modbus.feed(direction, data)
