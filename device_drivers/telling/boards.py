"""Cells in words: `8A`/`80` lock boards, and Modbus where a cabinet has relays or inputs of that kind.

Knows which of the two a frame is by its check byte.
"""

from __future__ import annotations

from device_drivers.cells.protocol import FRAME_BYTES, OPEN, QUERY, REPORT, bcc
from device_drivers.telling import modbus
from device_drivers.telling.tellers import Direction, Said, Word

_KINDS = {OPEN: "open", QUERY: "query", REPORT: "report"}


class Telling:
    """See `tellers.Teller`."""

    def __init__(self) -> None:
        self._modbus = modbus.Telling()
        self._rest = {"write": bytearray(), "read": bytearray()}

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        rest, told = self._rest[direction], list[Said]()
        for byte in data:
            rest.append(byte)
            while len(rest) >= FRAME_BYTES:
                if rest[0] in _KINDS and bcc(bytes(rest[:4])) == rest[4]:
                    told.append(_told(direction, bytes(rest[:FRAME_BYTES])))
                    del rest[:FRAME_BYTES]
                else:
                    told += self._modbus.feed(direction, bytes(rest[:1]))
                    del rest[0]
        if rest and rest[0] not in _KINDS:  # no board's: the end of a Modbus frame must not wait for more
            told += self._modbus.feed(direction, bytes(rest))
            rest.clear()
        return told


def _told(direction: Direction, frame: bytes) -> Said:
    kind, board, lock, what, _ = frame
    places: dict[str, object] = {"board": board, "lock": lock, "what": Word("frame", f"board_{_KINDS[kind]}")}
    if direction == "write":
        return Said("board_asked", places)
    return Said("board_answer", places | {"state": f"{what:02X}"})
