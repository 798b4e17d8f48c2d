"""Modbus requests and their replies as pure bytes: what is asked, and what an answer to exactly that looks like.

Knows eight functions and exceptions; knows no frame around them, no line and no time. No request can be made that acts
on more than one output (PHY-3). Source: MODBUS Application Protocol 1.1b3; vectors of devices.md 2.4, 3.3 and 5.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Bits = Literal["coils", "inputs"]
Words = Literal["holding", "input"]

READ_COILS, READ_INPUTS, READ_HOLDING, READ_INPUT_WORDS = 0x01, 0x02, 0x03, 0x04
WRITE_COIL, WRITE_WORD, WRITE_COILS, WRITE_WORDS = 0x05, 0x06, 0x0F, 0x10
BIT_TABLES: dict[str, int] = {"coils": READ_COILS, "inputs": READ_INPUTS}
WORD_TABLES: dict[str, int] = {"holding": READ_HOLDING, "input": READ_INPUT_WORDS}
FAILED = 0x80
ON, OFF = 0xFF00, 0x0000
UNITS = range(1, 248)  # 0 speaks to every unit at once, 248 and more are reserved (Modbus over Serial Line 1.02, 2.2)
GROUP_COILS = frozenset({0x00FF, 0x01FF})  # relay boards switch or toggle all their relays by these (devices.md 2.4)
BITS_MAX, WORDS_MAX, WRITTEN_MAX = 2000, 125, 123
ADDRESSES = 0x10000


class BadReplyError(ValueError):
    """Bytes that are no answer to what was asked."""


class RefusedError(ValueError):
    """The unit answered with a Modbus exception; `code` is its number."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Modbus exception {code:02X}: {_EXCEPTIONS.get(code, 'not a known one')}")
        self.code = code

    @property
    def not_done(self) -> bool:
        """True where the unit checked the request and began nothing (1.1b3, section 7)."""
        return self.code in _CHECKED_ONLY


_EXCEPTIONS = {
    0x01: "no such function",
    0x02: "no such address",
    0x03: "no such value",
    0x04: "the unit failed while doing it",
    0x05: "the unit is still doing it",
    0x06: "the unit is busy",
    0x08: "its memory has a wrong parity",
    0x0A: "the gateway has no way to it",
    0x0B: "the gateway got no answer from it",
}
_CHECKED_ONLY = frozenset({0x01, 0x02, 0x03, 0x06})
FROM_A_GATEWAY = frozenset({0x0A, 0x0B})  # these speak of a unit that is silent, they are no sign of its life


@dataclass(frozen=True, slots=True)
class Request:
    """One request, function code first, and how long its good reply is."""

    pdu: bytes
    reply_bytes: int

    @property
    def function(self) -> int:
        return self.pdu[0]

    @property
    def reads(self) -> bool:
        """Whether it is a question, whose good reply tells its own count of bytes."""
        return self.function <= READ_INPUT_WORDS

    @property
    def echoed(self) -> bool:
        """Whether the good reply is the request itself, as a line that hears itself would bring it too."""
        return self.function in {WRITE_COIL, WRITE_WORD}


def read(function: int, address: int, count: int) -> Request:
    """FC01 to FC04. Raises ValueError for what no unit has."""
    bits = function in {READ_COILS, READ_INPUTS}
    most = BITS_MAX if bits else WORDS_MAX
    if not 1 <= count <= most or not 0 <= address <= ADDRESSES - count:
        raise ValueError(f"{count} from {address}: 1 to {most} of the addresses 0 to {ADDRESSES - 1} can be read")
    size = (count + 7) // 8 if bits else 2 * count
    return Request(bytes([function]) + _words(address, count), 2 + size)


def write_coil(address: int, value: int) -> Request:
    """FC05, also with a maker's own address and value, such as a relay board's timed pulse. Raises ValueError."""
    if address in GROUP_COILS:
        raise ValueError(f"coil {address:04X} is all outputs of a relay board at once; it is never written")
    return Request(bytes([WRITE_COIL]) + _words(_checked(address), _checked(value)), 5)


def write_word(address: int, value: int) -> Request:
    """FC06. Raises ValueError."""
    return Request(bytes([WRITE_WORD]) + _words(_checked(address), _checked(value)), 5)


def write_words(address: int, values: Sequence[int]) -> Request:
    """FC10. Raises ValueError. There is no such thing for coils here: FC0F would act on many outputs."""
    if not 1 <= len(values) <= WRITTEN_MAX or not 0 <= address <= ADDRESSES - len(values):
        raise ValueError(f"{len(values)} from {address}: 1 to {WRITTEN_MAX} words can be written")
    body = _words(address, len(values)) + bytes([2 * len(values)]) + _words(*map(_checked, values))
    return Request(bytes([WRITE_WORDS]) + body, 5)


def check(request: Request, reply: bytes) -> bytes:
    """A reply that is one, whole. Raises RefusedError, BadReplyError."""
    if len(reply) == 2 and reply[0] == request.function | FAILED:
        raise RefusedError(reply[1])
    if len(reply) != request.reply_bytes or reply[0] != request.function:
        raise BadReplyError(f"the answer to something else: {reply.hex(' ')}")
    if request.function in {WRITE_COIL, WRITE_WORD, WRITE_WORDS}:
        if reply != request.pdu[:5]:
            raise BadReplyError(f"another echo: {reply.hex(' ')}")
    elif reply[1] != len(reply) - 2:
        raise BadReplyError(f"a wrong count of bytes: {reply.hex(' ')}")
    return reply


def bits_of(reply: bytes, count: int) -> tuple[bool, ...]:
    """The bits of a good reply to FC01 or FC02, lowest address first."""
    return tuple(bool(reply[2 + index // 8] >> index % 8 & 1) for index in range(count))


def words_of(reply: bytes) -> tuple[int, ...]:
    """The words of a good reply to FC03 or FC04, 0 to 65535 each."""
    return tuple(int.from_bytes(reply[at : at + 2], "big") for at in range(2, len(reply), 2))


def check_unit(unit: int) -> int:
    """Raises ValueError unless it is one unit."""
    if unit not in UNITS:
        raise ValueError(f"a unit has an address of {UNITS[0]} to {UNITS[-1]}, not {unit}")
    return unit


def _checked(value: int) -> int:
    if not 0 <= value < ADDRESSES:
        raise ValueError(f"{value} is no number of 16 bits")
    return value


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)
