"""Dots into a PNG file of one bit a dot.

Knows the file's chunks (W3C PNG, third edition, 5 and 11); must not know what the dots show.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
DOTS_PER_METRE = 8000  # 203 dpi, as receipt printers have


def png(rows: Iterable[bytes], width: int) -> bytes:
    """A picture of packed rows, the leftmost dot in the highest bit, 1 is black. The same rows make the same bytes."""
    lines = [bytes((0,)) + bytes(value ^ 0xFF for value in row) for row in rows]  # filter 0; in the file 1 is white
    header = struct.pack(">IIBBBBB", width, len(lines), 1, 0, 0, 0, 0)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"pHYs", struct.pack(">IIB", DOTS_PER_METRE, DOTS_PER_METRE, 1)),
            _chunk(b"IDAT", zlib.compress(b"".join(lines), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
