"""The real-time lane: finds `10 04`, `10 05` and `10 14` in whatever comes in, inside of image data too.

Knows byte patterns (devices: ESC/POS references); what a request does is the printer's affair.
"""

from __future__ import annotations

DLE, STATUS, RECOVER, REQUEST = 0x10, 0x04, 0x05, 0x14
POWER_OFF = bytes.fromhex("10 14 02 01 08")
CLEAR_BUFFERS = bytes.fromhex("10 14 08 01 03 14 01 06 02 08")
_LENGTH = {0x01: 5, 0x02: len(POWER_OFF), 0x07: 4, 0x08: len(CLEAR_BUFFERS)}
_MAGIC = {0x02: POWER_OFF, 0x08: CLEAR_BUFFERS}


class Scanner:
    """Looks at every byte once; it takes none away from the other lane."""

    def __init__(self) -> None:
        self.seen = b""

    def feed(self, byte: int) -> bytes | None:
        """The whole request that this byte completes."""
        if not self.seen and byte != DLE:  # nearly every byte
            return None
        self.seen += bytes((byte,))
        if not _may_become_one(self.seen):
            self.seen = b"\x10" if byte == DLE else b""
            return None
        if len(self.seen) < _length(self.seen):
            return None
        request, self.seen = self.seen, b""
        return request


def _may_become_one(seen: bytes) -> bool:
    if seen[0] != DLE or (len(seen) > 1 and seen[1] not in {STATUS, RECOVER, REQUEST}):
        return False
    if len(seen) < 3 or seen[1] != REQUEST:
        return True
    magic = _MAGIC.get(seen[2])
    return seen[2] in _LENGTH and (magic is None or magic.startswith(seen))


def _length(seen: bytes) -> int:
    return _LENGTH[seen[2]] if len(seen) >= 3 and seen[1] == REQUEST else 3
