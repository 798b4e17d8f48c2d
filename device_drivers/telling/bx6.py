"""A BX-6 controller's line in words: who is told which command."""

from __future__ import annotations

from device_drivers.bx6.protocol import Decoder, Packet
from device_drivers.telling.tellers import Direction, Said


class Telling:
    """See `tellers.Teller`."""

    def __init__(self) -> None:
        self._ways = {"write": Decoder(), "read": Decoder()}

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        return [_told(direction, packet) for packet in self._ways[direction].feed(data)]


def _told(direction: Direction, packet: Packet) -> Said:
    command, rest = packet.data[:2].hex(" ").upper(), len(packet.data[2:])
    if direction == "write":
        return Said("bx6_command", {"unit": packet.to, "command": command, "bytes": rest})
    return Said("bx6_answer", {"unit": packet.sender, "command": command, "bytes": rest})
