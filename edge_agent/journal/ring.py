"""A second, tiny memory of what is armed: fixed slots in one fsynced file beside the journal (ORD-12).

Knows slots and checksums only. It is read when the journal was lost, so it must not depend on the journal's format.
"""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import Any

SLOTS = 64  # more attempts than a branch has devices are never armed at once
SLOT_BYTES = 1024
_EMPTY = b"\0" * SLOT_BYTES


def _pack(entry: dict[str, Any]) -> bytes:
    body = json.dumps(entry, separators=(",", ":"), ensure_ascii=True).encode()
    if len(body) > SLOT_BYTES - 16:  # what was armed matters more than the readings
        short = {key: entry[key] for key in ("attempt", "device", "act") if key in entry}
        body = json.dumps(short, separators=(",", ":")).encode()[: SLOT_BYTES - 16]
    head = b"BGR1" + len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big")
    return (head + body).ljust(SLOT_BYTES, b"\0")


def _unpack(slot: bytes) -> dict[str, Any] | None:
    if slot[:4] != b"BGR1":
        return None
    length = int.from_bytes(slot[4:8], "big")
    body = slot[12 : 12 + length]
    if zlib.crc32(body) != int.from_bytes(slot[8:12], "big"):
        return None
    try:
        entry = json.loads(body)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("attempt"), str) else None


class Ring:
    """Armed attempts by slot: `put` stages, `sync` makes durable; `clear` needs none: a stale slot only adds doubt."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._slot_of: dict[str, int] = {}
        self._staged = False
        self.entries: dict[str, dict[str, Any]] = {}
        if os.fstat(self._fd).st_size < SLOTS * SLOT_BYTES:
            os.truncate(self._fd, SLOTS * SLOT_BYTES)
            os.fsync(self._fd)
        for number in range(SLOTS):
            entry = _unpack(os.pread(self._fd, SLOT_BYTES, number * SLOT_BYTES))
            if entry is not None:
                self.entries[entry["attempt"]] = entry
                self._slot_of[entry["attempt"]] = number

    def put(self, entry: dict[str, Any]) -> None:
        """Writes an armed attempt ({"attempt", "device", "act", ...}), durable after `sync`. Raises OSError: full."""
        attempt = entry["attempt"]
        used = set(self._slot_of.values())
        number = self._slot_of.get(attempt)
        if number is None:
            number = next((n for n in range(SLOTS) if n not in used), None)
        if number is None:
            raise OSError(f"all {SLOTS} slots of the ring of armed attempts are taken")
        os.pwrite(self._fd, _pack(entry), number * SLOT_BYTES)
        self._slot_of[attempt] = number
        self.entries[attempt] = entry
        self._staged = True

    def sync(self) -> None:
        """One fdatasync for all that was put since the last."""
        if self._staged:
            os.fdatasync(self._fd)
            self._staged = False

    def clear(self, attempt: str) -> None:
        """Forgets a settled attempt."""
        number = self._slot_of.pop(attempt, None)
        if number is not None:
            os.pwrite(self._fd, _EMPTY, number * SLOT_BYTES)
            self.entries.pop(attempt, None)

    def close(self) -> None:
        os.close(self._fd)
