"""Modbus requests and replies in words, RTU or TCP as the bytes are.

Knows frames by their own lengths and check bytes; must not know what a register means.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from device_drivers.modbus.framing import MBAP_BYTES, RTU_MAX, TCP_MAX, crc
from device_drivers.modbus.protocol import (
    FAILED,
    READ_COILS,
    READ_INPUT_WORDS,
    READ_INPUTS,
    WRITE_COILS,
    WRITE_WORD,
    WRITE_WORDS,
)
from device_drivers.telling.tellers import Direction, Said, Word

_FUNCTIONS = frozenset({*range(READ_COILS, WRITE_WORD + 1), WRITE_COILS, WRITE_WORDS})
_LONG = frozenset({WRITE_COILS, WRITE_WORDS})


@dataclass(slots=True)
class _Way:
    asks: bool
    buffer: bytearray = field(default_factory=bytearray)


class Telling:
    """See `tellers.Teller`."""

    def __init__(self) -> None:
        self._ways = {"write": _Way(asks=True), "read": _Way(asks=False)}
        self._last: Direction = "read"

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        way = self._ways[direction]
        if direction != self._last:  # they speak in turns: what was begun before the other spoke will not go on
            way.buffer.clear()
            self._last = direction
        told: list[Said] = []
        for start in range(0, len(data), RTU_MAX):
            way.buffer += data[start : start + RTU_MAX]
            while (one := _next(way)) is not None:
                told.append(one)
        return told


def _next(way: _Way) -> Said | None:
    while way.buffer:
        whole = _tcp(way.buffer) or _rtu(way)
        if whole is not None:
            unit, pdu, size = whole
            del way.buffer[:size]
            return request(unit, pdu) if way.asks else _reply(unit, pdu)
        if len(way.buffer) < max(RTU_MAX, TCP_MAX) and _may_become(way):
            return None
        del way.buffer[0]
    return None


def _may_become(way: _Way) -> bool:
    buffer = way.buffer
    if len(buffer) < 3 or (buffer[2:4] == b"\0\0" and _tcp_size(buffer) is None):
        return True
    size = _tcp_size(buffer)
    if size is not None and len(buffer) < size:
        return True
    size = _rtu_size(way)
    return buffer[1] & ~FAILED in _FUNCTIONS and (size is None or len(buffer) < size <= RTU_MAX)


def _tcp_size(buffer: bytearray) -> int | None:
    if len(buffer) < 6 or buffer[2:4] != b"\0\0":
        return None
    size = 6 + int.from_bytes(buffer[4:6], "big")
    return size if MBAP_BYTES + 1 < size <= TCP_MAX else None


def _tcp(buffer: bytearray) -> tuple[int, bytes, int] | None:
    size = _tcp_size(buffer)
    if size is None or len(buffer) < size:
        return None
    return buffer[6], bytes(buffer[MBAP_BYTES:size]), size


def _rtu_size(way: _Way) -> int | None:
    """None: more bytes must come to know."""
    buffer = way.buffer
    if len(buffer) < 3:
        return None
    function = buffer[1]
    if function & FAILED:
        return 5
    if way.asks and function in _LONG:
        return 9 + buffer[6] if len(buffer) > 6 else None
    return 5 + buffer[2] if not way.asks and function <= READ_INPUT_WORDS else 8


def _rtu(way: _Way) -> tuple[int, bytes, int] | None:
    size = _rtu_size(way)
    if size is None or len(way.buffer) < size or crc(bytes(way.buffer[: size - 2])) != way.buffer[size - 2 : size]:
        return None
    return way.buffer[0], bytes(way.buffer[1 : size - 2]), size


def request(unit: int, pdu: bytes) -> Said:
    """One request, whoever framed it."""
    places = _head(unit, pdu) | {"address": int.from_bytes(pdu[1:3], "big"), "value": int.from_bytes(pdu[3:5], "big")}
    return Said("modbus_question" if pdu[0] <= READ_INPUT_WORDS else "modbus_write", places)


def _reply(unit: int, pdu: bytes) -> Said:
    places = _head(unit, pdu)
    if pdu[0] & FAILED:
        return Said("modbus_refusal", places | {"code": Word("modbus_exception", f"e{pdu[1]:02x}")})
    if pdu[0] > READ_INPUT_WORDS:
        return Said("modbus_done", places)
    data = pdu[2:]
    words = [str(int.from_bytes(data[at : at + 2], "big")) for at in range(0, len(data), 2)]
    shown = " ".join(f"{byte:08b}" for byte in data) if pdu[0] <= READ_INPUTS else " ".join(words)
    return Said("modbus_answer", places | {"values": shown})


def _head(unit: int, pdu: bytes) -> dict[str, object]:
    return {"unit": unit, "function": Word("modbus", f"f{pdu[0] & ~FAILED:02x}")}
