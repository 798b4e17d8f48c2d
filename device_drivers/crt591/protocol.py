"""The `F2` frame of CRT-591/571 (and Mingte F3, MTK-F31): bytes to frames and back, without a line or a clock.

Knows where a frame begins, ends and whether it is whole; must not know what commands mean (commands.py, replies.py).
Source: CRT-591-M001 Communication Protocol v1.0 (2013-07-02); see docs on devices, section 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

START = 0xF2
ETX = 0x03
COMMAND = 0x43  # "C"
SUCCESS = 0x50  # "P"
FAILURES = (0x4E, 0x45)  # the manual prints "N" but gives 45; one implementation defines both
UNIT_MAX = 0x0F  # 16 units by DIP switch; FF and every other value would be a group or nobody
MAX_PACKET = 1024  # manual: longest packet
MAX_DATA = 512  # manual: longest data field
OVERHEAD = 6  # F2, address, two length bytes, ETX, BCC
MIN_BODY = 3  # type, CM, PM
HEAD = 7  # bytes up to PM: enough to tell whose frame a broken one was


class Control(Enum):
    """The single bytes between frames."""

    ACK = 0x06
    NAK = 0x15
    EOT = 0x04

    @property
    def wire(self) -> bytes:
        """The byte as it travels."""
        return bytes([self.value])


_CONTROLS = {member.value: member for member in Control}


@dataclass(frozen=True, slots=True)
class Packet:
    """A whole frame with a right checksum. `body` runs from the type byte to the end of the data."""

    unit: int
    body: bytes

    @property
    def kind(self) -> int:
        """The type byte: 43 command, 50 success, 4E or 45 failure."""
        return self.body[0]

    @property
    def cm(self) -> int:
        """The command; replies echo it."""
        return self.body[1]

    @property
    def pm(self) -> int:
        """The command's parameter; replies echo it."""
        return self.body[2]

    @property
    def data(self) -> bytes:
        """What follows PM."""
        return self.body[3:]


@dataclass(frozen=True, slots=True)
class BadFrame:
    """Something that began like a frame and was none: `why` is `checksum`, `no_etx` or `cut_short`."""

    why: str
    head: bytes  # at most the first 7, up to PM


Event = Packet | Control | BadFrame


def bcc(data: bytes) -> int:
    """XOR of every byte from `F2` to `03` inclusive."""
    result = 0
    for byte in data:
        result ^= byte
    return result


def encode(unit: int, body: bytes) -> bytes:
    """One frame. Raises ValueError for an address that is not exactly one unit, or a body out of bounds."""
    if not 0 <= unit <= UNIT_MAX:
        raise ValueError(f"unit address {unit:#04x} is not one of 0x00..0x0F")
    if not MIN_BODY <= len(body) <= MAX_DATA + OVERHEAD:
        raise ValueError(f"a body has {MIN_BODY}..{MAX_DATA + OVERHEAD} bytes, not {len(body)}")
    frame = bytes([START, unit, len(body) >> 8, len(body) & 0xFF]) + body + bytes([ETX])
    return frame + bytes([bcc(frame)])


class FrameReader:
    """Eats any slices of bytes and gives whole frames, control bytes and broken frames, in order.

    Holds at most one packet (1024 bytes). What is neither frame nor control byte is skipped and counted in
    `garbage_bytes`. Inside a broken frame only another frame start is believed: its length byte may well be a `06`.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._distrusted = 0  # bytes of a broken frame still ahead, in which no control byte counts
        self.garbage_bytes = 0
        self.bad_frames = 0

    @property
    def pending(self) -> bool:
        """True while the beginning of a frame waits for its rest."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Event]:
        """Takes the next bytes of the line; returns what became whole by them."""
        events: list[Event] = []
        for start in range(0, len(data), MAX_PACKET):
            self._buffer += data[start : start + MAX_PACKET]
            self._scan(events)
        return events

    def resync(self) -> list[Event]:
        """The line fell silent: an open frame will not be finished. Returns what was found behind its beginning."""
        events: list[Event] = []
        while self._buffer:
            self._break(events, "cut_short", len(self._buffer))
            self._scan(events)
        self._distrusted = 0
        return events

    def _scan(self, events: list[Event]) -> None:
        while self._buffer:
            if self._buffer[0] != START:
                self._single(events)
            elif (wrong := self._implausible_at()) is not None:
                self._distrusted = max(self._distrusted, wrong + 1)
                self._drop(1)
            elif not self._frame(events):
                return

    def _single(self, events: list[Event]) -> None:
        control = _CONTROLS.get(self._buffer[0])
        if control is None or self._distrusted:
            self._drop(1)
            return
        events.append(control)
        self._take(1)

    def _implausible_at(self) -> int | None:
        """The index of the first header byte that no frame can have; None while it may still be one."""
        head = self._buffer[:5]
        if len(head) > 1 and head[1] > UNIT_MAX:
            return 1
        if len(head) > 2 and head[2] > (MAX_PACKET - OVERHEAD) >> 8:
            return 2
        if len(head) > 3 and not MIN_BODY <= self._length() <= MAX_PACKET - OVERHEAD:
            return 3
        if len(head) > 4 and head[4] not in (COMMAND, SUCCESS, *FAILURES):
            return 4
        return None

    def _length(self) -> int:
        return self._buffer[2] << 8 | self._buffer[3]

    def _frame(self, events: list[Event]) -> bool:
        """Takes the frame at the front if all of it is there; False when bytes are missing."""
        if len(self._buffer) < 4 or len(self._buffer) < self._length() + OVERHEAD:
            return False
        frame = bytes(self._buffer[: self._length() + OVERHEAD])
        if frame[-2] != ETX:
            self._break(events, "no_etx", len(frame))
        elif frame[-1] != bcc(frame[:-1]):
            self._break(events, "checksum", len(frame))
        else:
            events.append(Packet(frame[1], frame[4:-2]))
            self._take(len(frame))
        return True

    def _break(self, events: list[Event], why: str, size: int) -> None:
        """Tells a broken frame of `size` bytes and drops it up to the next possible start inside it."""
        events.append(BadFrame(why, bytes(self._buffer[: min(size, HEAD)])))
        self.bad_frames += 1
        self._distrusted = max(self._distrusted, size)
        again = self._buffer.find(START, 1, size)
        self._drop(size if again < 0 else again)

    def _drop(self, count: int) -> None:
        self.garbage_bytes += count
        self._take(count)

    def _take(self, count: int) -> None:
        del self._buffer[:count]
        self._distrusted = max(0, self._distrusted - count)
