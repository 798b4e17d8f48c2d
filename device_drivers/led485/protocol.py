"""What a digit display is told: words for its text registers, or a line of plain text. Pure values and bytes.

Knows registers and the ASCII form; the Modbus frame around the words is `modbus`. No text can be made for all displays
at once (PHY-3). Source: devices.md section 3.3 (two independent programs agree on the text registers).
"""

from __future__ import annotations

import re

TEXT_REGISTER = 0x0070  # two characters in each, to 007F
DIGITS_MAX = 16
UNITS = range(1, 248)
_SHOWN = re.compile(r"[A-Z0-9 ]*")
_LINE = re.compile(rb"\$(\d{3}),([A-Z0-9 .]{0,32})#")
MAX_LINE_BYTES = 40


def text_words(text: str, digits: int) -> list[int]:
    """The words that show a text, with blanks up to the last digit. Raises ValueError."""
    if not 1 <= digits <= DIGITS_MAX or len(text) > digits or not _SHOWN.fullmatch(text):
        raise ValueError(f"{text!r} is not at most {digits} of A to Z, 0 to 9 and blank")
    data = text.ljust(digits + digits % 2).encode("ascii")
    return [int.from_bytes(data[start : start + 2], "big") for start in range(0, len(data), 2)]


def text_line(unit: int, text: str, digits: int) -> bytes:
    """`$001,A001  #`. Raises ValueError."""
    if unit not in UNITS:
        raise ValueError(f"a display has an address of 1 to 247, not {unit}")
    text_words(text, digits)
    return f"${unit:03d},{text.ljust(digits)}#".encode("ascii")


class Decoder:
    """Bytes in any slices -> (unit, text) of each line; what is none is skipped and counted. The buffer is bounded."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.garbage_bytes = 0

    def feed(self, data: bytes) -> list[tuple[int, str]]:
        """The lines that are whole now."""
        return [line for byte in data if (line := self._take(byte)) is not None]

    def _take(self, byte: int) -> tuple[int, str] | None:
        if byte == ord("$") or len(self._buffer) == MAX_LINE_BYTES:
            self.garbage_bytes += len(self._buffer)
            self._buffer.clear()
        self._buffer.append(byte)
        if byte != ord("#"):
            return None
        line, self._buffer = bytes(self._buffer), bytearray()
        if (found := _LINE.fullmatch(line)) is None:
            self.garbage_bytes += len(line)
            return None
        return int(found[1]), found[2].decode("ascii")
