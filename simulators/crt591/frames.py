"""The `F2` frame of the CRT-591 seen from the machine: commands in, replies out (CRT-591-M001 manual v1.0).

Knows bytes only; written apart from the driver's codec, so that one mistake is not made on both sides of the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import xor

STX = 0xF2
ETX = 0x03
COMMAND = 0x43
SUCCESS = 0x50
FAILURE = 0x4E
HEAD = 4  # F2 ADDR LENH LENL
TAIL = 2  # ETX BCC
MAX_LEN = 3 + 512  # type, CM, PM and up to 512 bytes of data


class Control(IntEnum):
    """The single bytes that may stand between frames."""

    EOT = 0x04
    ENQ = 0x05
    ACK = 0x06
    NAK = 0x15


_CONTROLS = frozenset(int(control) for control in Control)


@dataclass(frozen=True)
class Command:
    """A command frame whose check byte agreed."""

    unit: int
    cm: int
    pm: int
    data: bytes = b""

    @property
    def name(self) -> str:
        return f"{self.cm:02X} {self.pm:02X}"


@dataclass(frozen=True)
class BadFrame:
    """A whole frame that must be refused with NAK."""

    unit: int
    reason: str


Item = Command | BadFrame | Control


def bcc(data: bytes) -> int:
    """XOR of every byte from F2 to ETX inclusive."""
    return reduce(xor, data, 0)


def frame(unit: int, body: bytes) -> bytes:
    """`body` runs from the type byte to the end of the data."""
    head = bytes((STX, unit)) + len(body).to_bytes(2, "big") + body + bytes((ETX,))
    return head + bytes((bcc(head),))


def success(command: Command, status: bytes, data: bytes = b"") -> bytes:
    return frame(command.unit, bytes((SUCCESS, command.cm, command.pm)) + status + data)


def failure(command: Command, code: str) -> bytes:
    """`code` is the two characters e1 e0 of the error table."""
    return frame(command.unit, bytes((FAILURE, command.cm, command.pm)) + code.encode("ascii"))


class Decoder:
    """Takes bytes in any slices and gives what they mean; never holds more than one frame (521 bytes).

    A frame whose next byte is later than `gap_s` is forgotten, as a unit does with what a dead host left half sent.
    """

    def __init__(self, gap_s: float) -> None:
        self._gap_s = gap_s
        self._held = bytearray()
        self._last_byte_s = 0.0
        self.noise_bytes = 0

    @property
    def held_bytes(self) -> int:
        return len(self._held)

    def forget(self) -> None:
        self.noise_bytes += len(self._held)
        self._held.clear()

    def feed(self, data: bytes, now: float) -> list[Item]:
        if self._held and now - self._last_byte_s > self._gap_s:
            self.forget()
        self._last_byte_s = now
        items: list[Item] = []
        for byte in data:
            item = self._take(byte)
            if item is not None:
                items.append(item)
        return items

    def _take(self, byte: int) -> Item | None:
        if not self._held and byte != STX:
            return self._outside(byte)
        self._held.append(byte)
        if len(self._held) < HEAD:
            return None
        length = int.from_bytes(self._held[2:4], "big")
        if length > MAX_LEN:  # no frame is that long: this F2 was noise
            self.forget()
            return None
        if len(self._held) < HEAD + length + TAIL:
            return None
        whole = bytes(self._held)
        self._held.clear()
        return _judge(whole)

    def _outside(self, byte: int) -> Control | None:
        if byte in _CONTROLS:
            return Control(byte)
        self.noise_bytes += 1
        return None


def _judge(whole: bytes) -> Command | BadFrame:
    unit, body = whole[1], whole[HEAD:-TAIL]
    if whole[-2] != ETX:
        return BadFrame(unit, "no ETX where LEN says")
    if bcc(whole[:-1]) != whole[-1]:
        return BadFrame(unit, "check byte disagrees")
    if len(body) < 3 or body[0] != COMMAND:
        return BadFrame(unit, "not a command")
    return Command(unit, body[1], body[2], body[3:])
