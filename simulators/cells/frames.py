"""The `8A`/`80` frames seen from the boards: commands in, answers out (devices.md section 2.3).

Knows bytes only; written apart from the driver's codec, so that one mistake is not made on both sides of the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import xor

OPEN, QUERY = 0x8A, 0x80
_ORDERS = {(OPEN, 0x11), (QUERY, 0x33)}
LENGTH = 5
GAP_S = 0.05  # a board lets go of a frame that does not go on


@dataclass(frozen=True)
class Command:
    """A command whose check byte agreed. `lock` 0 is every lock of the board."""

    kind: int
    board: int
    lock: int


class Decoder:
    """Five bytes that end in their XOR; anything else is noise, one byte at a time."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._heard_s = 0.0
        self.noise_bytes = 0

    def feed(self, data: bytes, now: float) -> list[Command]:
        """The commands that became whole."""
        if self._buffer and now - self._heard_s > GAP_S:
            self.noise_bytes += len(self._buffer)
            self._buffer.clear()
        self._heard_s = now
        self._buffer += data
        found: list[Command] = []
        while len(self._buffer) >= LENGTH:
            kind, board, lock, what, check = self._buffer[:LENGTH]
            if (kind, what) in _ORDERS and reduce(xor, self._buffer[: LENGTH - 1]) == check:
                del self._buffer[:LENGTH]
                found.append(Command(kind, board, lock))
            else:
                del self._buffer[0]
                self.noise_bytes += 1
        return found


def answer(kind: int, board: int, lock: int, state: int) -> bytes:
    """What a board says of one lock."""
    head = bytes((kind, board, lock, state))
    return head + bytes((reduce(xor, head),))
