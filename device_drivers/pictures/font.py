"""The letters of a receipt printer as dots: ASCII 12 by 24, Chinese (all of GBK's two-byte characters) 24 by 24.

Knows the files of letters beside it (makers and licences: fonts/README.md); must not know sizes, styles nor places.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache, lru_cache
from importlib.resources import files

HEIGHT, NARROW, WIDE = 24, 12, 24
_FIRST_LEAD, _FIRST_TRAIL = 0x81, 0x40
_LETTER_BYTES = 3 * HEIGHT


class UnknownLetterError(ValueError):
    """A character that is neither printable ASCII nor two bytes of GBK."""


def width_of(character: str) -> int:
    """Dots from edge to edge."""
    return NARROW if character.isascii() else WIDE


@lru_cache(maxsize=2048)
def glyph(character: str) -> tuple[int, ...]:
    """24 rows from the top, each a number of 12 or 24 bits, the leftmost dot the highest. Raises UnknownLetterError."""
    if character.isascii():
        if not " " <= character <= "~":
            raise UnknownLetterError(f"{character!r} is a control character")
        start = (ord(character) - 0x20) * 2 * HEIGHT
        return tuple(row >> 4 for row in struct.unpack_from(f">{HEIGHT}H", _narrow(), start))
    try:
        code = character.encode("gbk")
    except UnicodeEncodeError:
        raise UnknownLetterError(f"{character!r} is not in GBK") from None
    dots = _signs().get(code) or _of_page(code[0], code[1])
    return tuple(int.from_bytes(dots[start : start + 3]) for start in range(0, _LETTER_BYTES, 3))


def _of_page(lead: int, trail: int) -> bytes:
    start = (trail - _FIRST_TRAIL) * _LETTER_BYTES
    return _page(lead)[start : start + _LETTER_BYTES]


@lru_cache(maxsize=24)
def _page(lead: int) -> bytes:
    """The 191 letters of a lead byte: a page is unpacked when the first of them is asked for."""
    offset, length = struct.unpack_from(">II", _wide(), 8 * (lead - _FIRST_LEAD))
    return zlib.decompress(_wide()[offset : offset + length])


@cache
def _wide() -> bytes:
    return _file("wide.bin")


@cache
def _narrow() -> bytes:
    return zlib.decompress(_file("narrow.bin"))


@cache
def _signs() -> dict[bytes, bytes]:
    """What is no Chinese letter: punctuation, Greek, Cyrillic, arrows, frames."""
    raw, step = zlib.decompress(_file("signs.bin")), 2 + _LETTER_BYTES
    return {raw[start : start + 2]: raw[start + 2 : start + step] for start in range(0, len(raw), step)}


def _file(name: str) -> bytes:
    return files(__package__).joinpath("fonts", name).read_bytes()
