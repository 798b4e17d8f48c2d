"""Where a frame ends: by silence on a Modbus RTU line, by its header over Modbus TCP. Bytes in with the time.

Knows frames and pauses; which unit is meant, and what it does, is others' affair. Written apart from the drivers' code,
so that a mistake there is not made here again. Source: Modbus over Serial Line 1.02, 2.5.1; Messaging on TCP/IP 1.0b.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

FRAME_MAX = 256
HEADER = 7
CHARACTER_BITS = 11


@dataclass(frozen=True)
class Asked:
    """A request to one unit; `tag` goes back with the answer (the transaction of Modbus TCP, else 0)."""

    unit: int
    pdu: bytes
    tag: int = 0


class Framing(Protocol):
    """One way to frame. `due_s` is when `close` must be called, or None."""

    noise_bytes: int

    @property
    def due_s(self) -> float | None: ...

    def feed(self, data: bytes, now: float) -> list[Asked]: ...

    def close(self, now: float) -> list[Asked]: ...

    def frame(self, asked: Asked, pdu: bytes) -> bytes: ...


class Rtu:
    """A frame is what stands between two silences of 3.5 characters; nothing inside of it says where it ends.

    `strict`: a pause of 1.5 characters inside spoils it, as the standard has it and many units do not mind.
    """

    def __init__(self, baud: int = 9600, *, strict: bool = False) -> None:
        character_s = CHARACTER_BITS / baud
        self.silence_s = 3.5 * character_s if baud <= 19200 else 0.00175
        self._pause_s = 1.5 * character_s if baud <= 19200 else 0.00075
        self._strict = strict
        self._buffer = bytearray()
        self._spoilt = False
        self._heard_s = 0.0
        self.noise_bytes = 0

    @property
    def due_s(self) -> float | None:
        return self._heard_s + self.silence_s if self._buffer else None

    def feed(self, data: bytes, now: float) -> list[Asked]:
        """What a silence before these bytes ended."""
        done = self.close(now)
        if self._buffer and self._strict and now - self._heard_s > self._pause_s:
            self._spoilt = True
        self._heard_s = now
        self._buffer += data
        if len(self._buffer) > FRAME_MAX:  # nobody listens on; only the silence ends it
            self.noise_bytes += len(self._buffer) - FRAME_MAX
            del self._buffer[FRAME_MAX:]
            self._spoilt = True
        return done

    def close(self, now: float) -> list[Asked]:
        """The frame that has been followed by silence, if it is one."""
        if not self._buffer or now < self._heard_s + self.silence_s:
            return []
        frame, spoilt = bytes(self._buffer), self._spoilt
        self._buffer.clear()
        self._spoilt = False
        if spoilt or len(frame) < 4 or crc(frame[:-2]) != frame[-2:]:
            self.noise_bytes += len(frame)
            return []
        return [Asked(frame[0], frame[1:-2])]

    def frame(self, asked: Asked, pdu: bytes) -> bytes:
        """The answer of the unit that was asked."""
        return with_crc(bytes([asked.unit]) + pdu)


class Tcp:
    """Frames follow each other; a wrong protocol number loses the rest of what came, as a closed connection would."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.noise_bytes = 0
        self.due_s: float | None = None

    def feed(self, data: bytes, now: float) -> list[Asked]:
        """All whole frames."""
        self._buffer += data
        asked: list[Asked] = []
        while len(self._buffer) >= HEADER:
            tag, protocol, length = (int.from_bytes(self._buffer[at : at + 2], "big") for at in (0, 2, 4))
            if protocol or not 2 <= length <= FRAME_MAX - 2:
                self.noise_bytes += len(self._buffer)
                self._buffer.clear()
                break
            if len(self._buffer) < 6 + length:
                break
            asked.append(Asked(self._buffer[6], bytes(self._buffer[HEADER : 6 + length]), tag))
            del self._buffer[: 6 + length]
        return asked

    def close(self, now: float) -> list[Asked]:
        """Silence means nothing here."""
        return []

    def frame(self, asked: Asked, pdu: bytes) -> bytes:
        """The answer to that transaction."""
        body = bytes([asked.unit]) + pdu
        return asked.tag.to_bytes(2, "big") + bytes(2) + len(body).to_bytes(2, "big") + body


def crc(body: bytes) -> bytes:
    """CRC-16/MODBUS, the low byte first."""
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


def with_crc(body: bytes) -> bytes:
    """A whole RTU frame."""
    return body + crc(body)
