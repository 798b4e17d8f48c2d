"""BX-6 controllers on one line: a dynamic area is lit by rows and pages, a ping and a text are answered.

Knows frames through the device's `protocol`, and lays text out as the controller does. The form of the answers is a
guess of ours: no source shows one (devices.md U10), so a driver that reads more in them than a sign of life is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from device_drivers.bx6.protocol import Decoder, Packet, wrapped
from simulators.screens.glass import Pages
from simulators.screens.line import Told

EVERYBODY = frozenset({0xFFFE, 0xFFFF})
_PING, _SHOW, _CLEAR = b"\xa2\x00", b"\xa3\x06", b"\xa3\x10"
_AREA_AT, _TEXT_AT = 9, 36  # within the data; the area is 27 bytes up to its text
_IN_PIXELS = 0x8000
_LETTER_PIXELS = 16
_COLOUR = re.compile(rb"\\C([123])")
_COLOURS = {b"1": "red", b"2": "green", b"3": "yellow"}


class Bx6Wire:
    """Speaks for every controller of the line."""

    def __init__(self) -> None:
        self._decoder = Decoder()

    def feed(self, data: bytes, now: float) -> list[Told]:
        """What each whole frame with a right CRC tells."""
        return [told for packet in self._decoder.feed(data) for told in self._told(packet)]

    def _told(self, packet: Packet) -> Iterator[Told]:
        address = None if packet.to in EVERYBODY else packet.to
        wanted = len(packet.data) > 2 and packet.data[2] == 1
        yes = _answer(packet, b"\xa0\x00\x00\x00\x00") if wanted else b""
        no = _answer(packet, b"\xa0\x01\x00\x00\x00") if wanted else b""
        command = packet.data[:2]
        if command == _SHOW and (laid := _laid_out(packet.data)) is not None:
            pages, colours = laid
            yield Told(address, pages, yes, no, {"colours": colours})
        elif command == _CLEAR:
            yield Told(address, [[""]], yes, no)
        elif command == _PING:
            yield Told(address, None, yes, no)
        else:
            yield Told(address, None, no, no)

    def spoilt(self, answer: bytes) -> bytes:
        """One bit of the CRC is another."""
        return answer[:-2] + bytes([answer[-2] ^ 0x01]) + answer[-1:]

    @property
    def noise_bytes(self) -> int:
        return self._decoder.garbage_bytes


def _answer(packet: Packet, data: bytes) -> bytes:
    return wrapped(Packet(packet.sender, packet.to, data, packet.device_type))


def _laid_out(data: bytes) -> tuple[Pages, list[str]] | None:
    """Pages of rows, and the colours in the order in which they were asked for; None: no area that it understands."""
    area, text = data[_AREA_AT:_TEXT_AT], data[_TEXT_AT:]
    if len(area) < _TEXT_AT - _AREA_AT or int.from_bytes(area[23:27], "little") != len(text):
        return None
    columns, rows = _letters(area[5:7]) * 2, _letters(area[7:9])
    if not columns or not rows:
        return None
    colours = [_COLOURS[digit] for digit in _COLOUR.findall(text)]
    lines = list(_wrapped(_COLOUR.sub(b"", text).decode("gb18030", "replace"), columns, many=area[18] == 2))
    return [lines[start : start + rows] for start in range(0, len(lines), rows)] or [[""]], colours


def _letters(word: bytes) -> int:
    """How many whole letters of 16 dots fit."""
    value = int.from_bytes(word, "little")
    dots = value & ~_IN_PIXELS if value & _IN_PIXELS else value * 8
    return dots // _LETTER_PIXELS


def _wrapped(text: str, columns: int, *, many: bool) -> Iterator[str]:
    """A controller knows no words: a row ends where the next letter does not fit; a single row is cut off there."""
    row, width = "", 0
    for letter in text:
        wide = 1 if letter.isascii() else 2
        if width + wide > columns:
            yield row
            if not many:
                return
            row, width = "", 0
        row, width = row + letter, width + wide
    yield row
