"""The frames around Modbus requests: RTU with its checksum, and the header of Modbus TCP; pure bytes.

Knows how one awaited reply is found among other bytes, which are skipped and counted; must not know lines nor time.
Source: Modbus over Serial Line 1.02, 2.5.1; MODBUS Messaging on TCP/IP 1.0b, 3.1.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device_drivers.modbus.protocol import FAILED, Request

RTU_MAX = 256
MBAP_BYTES = 7
TCP_MAX = MBAP_BYTES + 253


def crc(body: bytes) -> bytes:
    """CRC-16/MODBUS, the low byte first."""
    value = 0xFFFF
    for byte in body:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


def _entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


_TABLE = tuple(_entry(byte) for byte in range(256))


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """A whole RTU frame."""
    body = bytes([unit]) + pdu
    return body + crc(body)


def tcp_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A whole frame of Modbus TCP."""
    return transaction.to_bytes(2, "big") + b"\x00\x00" + (len(pdu) + 1).to_bytes(2, "big") + bytes([unit]) + pdu


@dataclass(slots=True)
class RtuReply:
    """Waits for the one reply of one unit to one request. `own` is our frame, where the line hears itself."""

    unit: int
    request: Request
    own: bytes = b""
    garbage_bytes: int = 0
    bad_frames: int = 0  # the right beginning with a wrong checksum, or another's whole frame
    heard_itself: bool = False  # our own frame came back first
    _buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> bytes | None:
        """The reply's function code and what follows, once it is whole."""
        self._buffer += data
        if self.own and not self._took_own():
            return None
        return self._scan()

    def silence(self) -> bytes | None:
        """The line fell silent: what began is no frame; a shorter one may be hidden behind it."""
        self.own = b""
        while self._buffer:
            self._skip(1)
            if (reply := self._scan()) is not None:
                return reply
        return None

    def _scan(self) -> bytes | None:
        while self._buffer:
            size = self._size()
            if size is not None and len(self._buffer) < size:
                return None
            if size is not None and crc(bytes(self._buffer[: size - 2])) == self._buffer[size - 2 : size]:
                reply = bytes(self._buffer[1 : size - 2])
                del self._buffer[:size]
                return reply
            self.bad_frames += size is not None
            self._skip(1)
        return None

    @property
    def left_over(self) -> bytes:
        """What came behind the reply, or never became one."""
        return bytes(self._buffer)

    @property
    def began(self) -> bool:
        """Whether anything came but our own frame."""
        return bool(self.garbage_bytes or (self._buffer and not self.own))

    def _took_own(self) -> bool:
        if len(self._buffer) < len(self.own) and self.own.startswith(bytes(self._buffer)):
            return False
        if self._buffer.startswith(self.own):
            del self._buffer[: len(self.own)]
            self.heard_itself = True
        self.own = b""
        return True

    def _size(self) -> int | None:
        """How long a reply is that begins as the buffer does; None where it begins none of ours."""
        buffer, function = self._buffer, self.request.function
        if buffer[0] != self.unit or (len(buffer) > 1 and buffer[1] not in {function, function | FAILED}):
            return None
        if len(buffer) < 2 or buffer[1] & FAILED:
            return 5
        size = self.request.reply_bytes
        if len(buffer) > 2 and self.request.reads and buffer[2] != size - 2:
            return None
        return size + 3

    def _skip(self, count: int) -> None:
        self.garbage_bytes += count
        del self._buffer[:count]


@dataclass(slots=True)
class TcpReply:
    """Waits for the reply to one transaction; whole frames of others are skipped and counted as late."""

    transaction: int
    unit: int
    unread: bytearray  # what was read of the line and belongs to nothing yet; outlives one transaction
    garbage_bytes: int = 0
    late: int = 0

    def feed(self, data: bytes) -> bytes | None:
        """The reply's function code and what follows, once it is whole."""
        self.unread += data
        while len(self.unread) >= MBAP_BYTES:
            length = int.from_bytes(self.unread[4:6], "big")
            if self.unread[2:4] != b"\x00\x00" or not 3 <= length <= TCP_MAX - 6:
                self.garbage_bytes += 1
                del self.unread[0]
                continue
            if len(self.unread) < 6 + length:
                return None
            frame = bytes(self.unread[: 6 + length])
            del self.unread[: 6 + length]
            if int.from_bytes(frame[:2], "big") == self.transaction and frame[6] == self.unit:
                return frame[MBAP_BYTES:]
            self.late += 1
        return None
