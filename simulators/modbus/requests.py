"""One Modbus request done by one unit: function codes to the unit's hooks, and what they give to an answer.

Knows the request's bytes behind the unit's address; what the unit does in its hooks is its own affair.
Source: MODBUS Application Protocol 1.1b3, section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from simulators.modbus.unit import ILLEGAL_FUNCTION, ILLEGAL_VALUE, Refusal, Unit

FAILED = 0x80
BITS_MAX, WORDS_MAX, BITS_WRITTEN_MAX, WORDS_WRITTEN_MAX = 2000, 125, 1968, 123
_BIT_TABLES = {0x01: "coils", 0x02: "inputs"}
_WORD_TABLES = {0x03: "holding", 0x04: "input"}


def serve(unit: Unit, pdu: bytes, now: float) -> bytes:
    """The answer, function code first."""
    try:
        return _FUNCTIONS.get(pdu[0], _unknown)(unit, pdu, now)
    except Refusal as refusal:
        return refused(pdu, refusal.code)


def refused(pdu: bytes, code: int) -> bytes:
    """An answer that says no."""
    return bytes([pdu[0] | FAILED, code])


def _unknown(unit: Unit, pdu: bytes, now: float) -> bytes:
    raise Refusal(ILLEGAL_FUNCTION)


def _read_bits(unit: Unit, pdu: bytes, now: float) -> bytes:
    address, count = _two(pdu, 5, BITS_MAX)
    bits = unit.read_bits(_BIT_TABLES[pdu[0]], address, count, now)
    packed = sum(1 << index for index, bit in enumerate(bits) if bit).to_bytes((count + 7) // 8, "little")
    return bytes([pdu[0], len(packed)]) + packed


def _read_words(unit: Unit, pdu: bytes, now: float) -> bytes:
    address, count = _two(pdu, 5, WORDS_MAX)
    words = unit.read_words(_WORD_TABLES[pdu[0]], address, count, now)
    return bytes([pdu[0], 2 * len(words)]) + b"".join(word.to_bytes(2, "big") for word in words)


def _write_coil(unit: Unit, pdu: bytes, now: float) -> bytes:
    unit.write_coil(*_two(pdu, 5), now)
    return pdu


def _write_word(unit: Unit, pdu: bytes, now: float) -> bytes:
    address, value = _two(pdu, 5)
    unit.write_words(address, [value], now)
    return pdu


def _write_bits(unit: Unit, pdu: bytes, now: float) -> bytes:
    address, count = _two(pdu, 0, BITS_WRITTEN_MAX)
    body = _body(pdu, (count + 7) // 8)
    unit.write_bits(address, [bool(body[at // 8] >> at % 8 & 1) for at in range(count)], now)
    return pdu[:5]


def _write_words(unit: Unit, pdu: bytes, now: float) -> bytes:
    address, count = _two(pdu, 0, WORDS_WRITTEN_MAX)
    body = _body(pdu, 2 * count)
    unit.write_words(address, _words(body), now)
    return pdu[:5]


def _two(pdu: bytes, size: int, most: int = 0) -> tuple[int, int]:
    """Address, and value or count; with `most` the count is 1 to it. `size` 0: whatever follows is looked at apart."""
    if len(pdu) < 5 or (size and len(pdu) != size):
        raise Refusal(ILLEGAL_VALUE)
    address, second = _words(pdu[1:5])
    if most and not 1 <= second <= most:
        raise Refusal(ILLEGAL_VALUE)
    return address, second


def _body(pdu: bytes, size: int) -> bytes:
    if len(pdu) != 6 + size or pdu[5] != size:
        raise Refusal(ILLEGAL_VALUE)
    return pdu[6:]


def _words(data: bytes) -> Sequence[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


_FUNCTIONS: dict[int, Callable[[Unit, bytes, float], bytes]] = {
    0x01: _read_bits,
    0x02: _read_bits,
    0x03: _read_words,
    0x04: _read_words,
    0x05: _write_coil,
    0x06: _write_word,
    0x0F: _write_bits,
    0x10: _write_words,
}
