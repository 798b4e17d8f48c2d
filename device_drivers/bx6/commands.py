"""What a BX-6 screen is told: that it is asked for a sign of life, and what its one dynamic area shows.

Knows the bytes behind a command's group and number; must not know framing, lines, nor what is to be shown. Source:
devices.md section 3.2; what its two sources disagree on (U10) is as the one with a working driver has it.
"""

from __future__ import annotations

from dataclasses import dataclass

PING = b"\xa2\x00\x01\x00\x00"
CLEAR = b"\xa3\x10\x01\x00\x00"
_SHOW = b"\xa3\x06\x01\x00\x00\x00\x01"  # answer wanted, keep others, none deleted, one area
RED, GREEN, YELLOW = b"\\C1", b"\\C2", b"\\C3"  # three letters each, inside of the text
IN_PIXELS = 0x8000  # in a measure: it counts pixels, not bytes of eight
MAX_TEXT_BYTES = 1024
STATIC, QUICK = 0x01, 0x02


@dataclass(frozen=True, slots=True)
class Area:
    """The dynamic area that we write on. Measures are words as sent: units of eight pixels, or IN_PIXELS and pixels."""

    width: int
    height: int
    x: int = 0
    y: int = 0
    number: int = 0
    run_mode: int = 0  # 0: page after page, for ever
    single_line: int = 1  # 1 one line, 2 many
    wrap: int = 1  # 1 no, 2 yes
    alignment: int = 0
    effect: int = STATIC
    speed: int = 0
    stay: int = 5  # of each page, in half seconds


def show(area: Area, text: bytes) -> bytes:
    """The area shows this text from now on. Raises ValueError for what a field cannot hold."""
    if len(text) > MAX_TEXT_BYTES:
        raise ValueError(f"a text has {MAX_TEXT_BYTES} bytes at most, not {len(text)}")
    measures = b"".join(_word(value) for value in (area.x, area.y, area.width, area.height))
    runs = bytes([area.number, 0, area.run_mode, 0, 0, 0, 0, area.alignment, area.single_line, area.wrap])
    looks = bytes([area.effect, 0, area.speed, area.stay])
    fields = b"\x00" + measures + runs + looks + len(text).to_bytes(4, "little") + text
    return _SHOW + _word(len(fields)) + fields


def _word(value: int) -> bytes:
    if not 0 <= value <= 0xFFFF:
        raise ValueError(f"a word is 0 to FFFF, not {value}")
    return value.to_bytes(2, "little")
