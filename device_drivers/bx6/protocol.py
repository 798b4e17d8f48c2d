"""Frames of an Onbon BX-6 controller, made and read: `A5` x 8, escaped header, data and CRC, `5A`. Pure bytes.

Knows framing only; what a screen is told stands in `commands`. Can write none for the addresses that are everybody's
(PHY-3). Source: devices.md section 3.2, whose CRC rule was verified on published frames.
"""

from __future__ import annotations

from dataclasses import dataclass

PREAMBLE, END = 0xA5, 0x5A
PREAMBLE_BYTES = 8
SCREENS = range(0x0001, 0xFFFE)  # FFFE is for setting up whoever hears it; 0 and FFFF belong to nobody or to all
HOST = 0x8000
ANY_TYPE = 0xFE  # of controllers; 61 is a BX-6K1
VERSION = 0x02
_HEADER_BYTES = 14
MAX_DATA_BYTES = 2048
_MAX_BODY_BYTES = 2 * (_HEADER_BYTES + MAX_DATA_BYTES + 2)  # each byte may be escaped
_ESCAPES = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
_PLAIN = {escape: value for value, escape in _ESCAPES.items()}
_ESCAPING = frozenset({0xA6, 0x5B})


@dataclass(frozen=True, slots=True)
class Packet:
    """One frame without its wrapping. `data` begins with the command's group and number."""

    to: int
    sender: int
    data: bytes
    device_type: int = ANY_TYPE
    display_mode: int = 0


def frame(packet: Packet) -> bytes:
    """The bytes of a frame for one screen. Raises ValueError."""
    if packet.to not in SCREENS:
        raise ValueError(f"a screen has an address of 1 to {SCREENS[-1]}, not {packet.to}")
    return wrapped(packet)


def wrapped(packet: Packet) -> bytes:
    """The bytes of a frame, whoever it is for: what a controller answers goes to its host."""
    if len(packet.data) > MAX_DATA_BYTES:
        raise ValueError(f"a frame holds {MAX_DATA_BYTES} bytes at most, not {len(packet.data)}")
    ends = packet.to.to_bytes(2, "little") + packet.sender.to_bytes(2, "little")
    kind = bytes([0, 0, 0, 0, 0, packet.display_mode, packet.device_type, VERSION])
    body = ends + kind + len(packet.data).to_bytes(2, "little") + packet.data
    body += crc(body).to_bytes(2, "little")
    return bytes([PREAMBLE] * PREAMBLE_BYTES) + b"".join(_ESCAPES.get(b, bytes([b])) for b in body) + bytes([END])


def crc(body: bytes) -> int:
    """CRC-16/ARC."""
    value = 0
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


class Decoder:
    """Bytes in any slices -> packets; what is none is skipped and counted. The buffer never outgrows one frame."""

    def __init__(self) -> None:
        self._body: bytearray | None = None  # None: outside of a frame
        self.garbage_bytes = 0
        self.bad_frames = 0

    def feed(self, data: bytes) -> list[Packet]:
        """The frames that are whole now and whose CRC is right."""
        return [packet for byte in data if (packet := self._take(byte)) is not None]

    def _take(self, byte: int) -> Packet | None:
        if byte == PREAMBLE:  # never inside of a frame: whatever was begun is over
            self.garbage_bytes += len(self._body or b"")
            self._body = bytearray()
        elif self._body is None:
            self.garbage_bytes += 1
        elif byte == END:
            body, self._body = self._body, None
            return self._packet(body)
        elif len(self._body) == _MAX_BODY_BYTES:
            self.garbage_bytes += len(self._body) + 1
            self._body = None
        else:
            self._body.append(byte)
        return None

    def _packet(self, escaped: bytearray) -> Packet | None:
        body = _unescaped(escaped)
        if body is None or not _is_whole(body):
            self.bad_frames += 1
            return None
        to, sender = int.from_bytes(body[:2], "little"), int.from_bytes(body[2:4], "little")
        return Packet(to, sender, body[_HEADER_BYTES:-2], body[10], body[9])


def _is_whole(body: bytes) -> bool:
    """Whether it is as long as it says, and its CRC is right; frames without a CRC are not believed."""
    if len(body) < _HEADER_BYTES + 2 or body[8] != 0:
        return False
    right = crc(body[:-2]) == int.from_bytes(body[-2:], "little")
    return right and len(body) == _HEADER_BYTES + int.from_bytes(body[12:14], "little") + 2


def _unescaped(body: bytearray) -> bytes | None:
    """None where an escape is none that exists."""
    plain, place = bytearray(), 0
    while place < len(body):
        if body[place] in _ESCAPING:
            value = _PLAIN.get(bytes(body[place : place + 2]))
            if value is None:
                return None
            plain.append(value)
            place += 2
        else:
            plain.append(body[place])
            place += 1
    return bytes(plain)
