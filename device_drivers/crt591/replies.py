"""What a CRT-591 answers: success with three status bytes, or failure with a code; and the data of each question.

Knows the fields of replies; must not know which command was asked nor what a driver concludes.
"""

from __future__ import annotations

from dataclasses import dataclass

from device_drivers.crt591.protocol import FAILURES, SUCCESS, Packet

SENSOR_COUNTS = range(7, 13)  # manual says 8 and 10 in two places, F3 sends 12
TEXT_MAX = 64  # identity texts are short; what is longer is cut


class MalformedReplyError(ValueError):
    """A frame with a right checksum whose contents fit no reply of the manual."""


@dataclass(frozen=True, slots=True)
class Status:
    """The three status bytes as numbers."""

    st0: int  # transport: 0 no card, 1 one in the gate, 2 one at RF/IC position
    st1: int  # stacker: 0 empty, 1 few, 2 enough
    st2: int  # error bin: 0 not full, 1 full


@dataclass(frozen=True, slots=True)
class Success:
    """The unit did or tells what was asked."""

    unit: int
    cm: int
    pm: int
    status: Status
    data: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """`code` is the two ASCII characters e1 e0 in wire order, for example `B0`."""

    unit: int
    cm: int
    pm: int
    code: str
    data: bytes


Reply = Success | Failure


def parse_reply(packet: Packet) -> Reply:
    """Reads a packet as a reply. Raises MalformedReplyError."""
    if packet.kind == SUCCESS:
        if len(packet.data) < 3:
            raise MalformedReplyError(f"a success has three status bytes, not {len(packet.data)}")
        return Success(packet.unit, packet.cm, packet.pm, _status(packet.data[:3]), packet.data[3:])
    if packet.kind in FAILURES:
        return Failure(packet.unit, packet.cm, packet.pm, _code(packet.data[:2]), packet.data[2:])
    raise MalformedReplyError(f"{packet.kind:02X} is not the type of a reply")


def parse_sensors(data: bytes) -> tuple[bool, ...]:
    """The sensors of a `31 31` reply, True where a card is seen; 7 to 12 of them."""
    if len(data) not in SENSOR_COUNTS or not set(data) <= {0x30, 0x31}:
        raise MalformedReplyError(f"sensors are 7..12 bytes of 30 or 31, not {data.hex(' ')}")
    return tuple(byte == 0x31 for byte in data)


def parse_bin_counter(data: bytes) -> int:
    """The error-bin counter of an `A5 30` reply, 0..999."""
    if len(data) != 3 or not data.isdigit():
        raise MalformedReplyError(f"the bin counter is three digits, not {data.hex(' ')}")
    return int(data)


def parse_text(data: bytes) -> str:
    """An identity text: printable ASCII only, at most 64 characters."""
    return "".join(chr(byte) for byte in data[:TEXT_MAX] if 0x20 <= byte < 0x7F).strip()


def _status(data: bytes) -> Status:
    st0, st1, st2 = (byte - 0x30 for byte in data)
    if st0 not in (0, 1, 2) or st1 not in (0, 1, 2) or st2 not in (0, 1):
        raise MalformedReplyError(f"status bytes {data.hex(' ')} are not in the manual's table")
    return Status(st0, st1, st2)


def _code(data: bytes) -> str:
    if len(data) != 2 or not data.isalnum():
        raise MalformedReplyError(f"an error code is two letters or digits, not {data.hex(' ')}")
    return data.decode("ascii").upper()
