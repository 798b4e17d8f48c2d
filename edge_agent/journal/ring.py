"""A second, tiny memory of what is armed: fixed slots in one fsynced file beside the journal (ORD-12).

Knows slots and checksums only. It is read when the journal was lost, so it must not depend on the journal's format.
"""

from __future__ import annotations

import json
import os
import uuid
import zlib
from pathlib import Path
from typing import Any

from edge_agent.journal.opening import sync_folder

SLOTS = 256  # one attempt at a time is armed on a device, and a branch has at most 200
SLOT_BYTES = 1024
_EMPTY = b"\0" * SLOT_BYTES
_NAMES = frozenset({"attempt", "device", "act"})


_HEAD = 12  # mark, length, checksum
_TAIL = 16  # the journal that committed the arming; zeros: it was never committed, or its time is over
_UNSAID = b"\0" * _TAIL
_BODY = SLOT_BYTES - _HEAD - _TAIL


class RingFull(OSError):
    """Every slot is taken: nothing more can be armed."""


def _pack(entry: dict[str, Any]) -> bytes:
    for kept in (entry, {"memory", "time", *_NAMES}, _NAMES):  # what was armed matters more than the readings
        body = json.dumps({key: entry[key] for key in entry if key in kept}, separators=(",", ":")).encode()
        if len(body) <= _BODY:
            break
    else:
        raise ValueError(f"attempt {entry['attempt'][:100]} does not fit a slot of {SLOT_BYTES} bytes: use shorter ids")
    head = b"BGR1" + len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big")
    return (head + body).ljust(SLOT_BYTES, b"\0")


def _unpack(slot: bytes) -> dict[str, Any] | None:
    if slot[:4] != b"BGR1":
        return None
    length = int.from_bytes(slot[4:8], "big")
    body = slot[_HEAD : _HEAD + length]
    if zlib.crc32(body) != int.from_bytes(slot[8:_HEAD], "big"):
        return None
    try:
        entry = json.loads(body)
    except (ValueError, RecursionError):
        return None
    named = isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in ("attempt", "device"))
    return entry if named else None


class Ring:
    """Armed attempts by slot: `put` stages, `sync` makes durable; `clear` needs none: a stale slot only adds doubt."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Opens or creates the file and reads what is in it. `read_only`: nothing can be put. Raises OSError."""
        how = os.O_RDONLY if read_only else os.O_RDWR | os.O_CREAT
        self._fd = os.open(path, how | os.O_CLOEXEC, 0o640)
        self._slot_of: dict[str, int] = {}
        self._staged: set[str] = set()
        self.entries: dict[str, dict[str, Any]] = {}
        self.committed_by: dict[str, uuid.UUID] = {}
        try:
            if not read_only:
                self._fill_up(path)
            self._read()
        except BaseException:
            os.close(self._fd)
            raise

    def _fill_up(self, path: Path) -> None:
        if os.fstat(self._fd).st_size < SLOTS * SLOT_BYTES:
            os.posix_fallocate(self._fd, 0, SLOTS * SLOT_BYTES)  # a full disk must not keep what is armed out of it
            os.fsync(self._fd)
            sync_folder(path.parent)

    def _read(self) -> None:
        for number in range(SLOTS):
            slot = os.pread(self._fd, SLOT_BYTES, number * SLOT_BYTES)
            entry = _unpack(slot)
            if entry is not None:
                if len(slot) == SLOT_BYTES and slot[-_TAIL:] != _UNSAID:
                    self.committed_by[entry["attempt"]] = uuid.UUID(bytes=slot[-_TAIL:])
                self.entries[entry["attempt"]] = entry
                self._slot_of[entry["attempt"]] = number

    def put(self, entry: dict[str, Any]) -> None:
        """Writes an armed attempt ({"attempt", "device", "act", ...}), durable after `sync`.

        Raises RingFull, ValueError (its names fill more than a slot), OSError.
        """
        attempt, slot = entry["attempt"], _pack(entry)
        used = set(self._slot_of.values())
        number = self._slot_of.get(attempt)
        if number is None:
            number = next((n for n in range(SLOTS) if n not in used), None)
        if number is None:
            raise RingFull(f"all {SLOTS} slots of the ring of armed attempts are taken")
        os.pwrite(self._fd, slot, number * SLOT_BYTES)
        self._slot_of[attempt] = number
        self.entries[attempt] = entry
        self.committed_by.pop(attempt, None)
        self._staged.add(attempt)

    def sync(self) -> None:
        """One fdatasync for all that was put since the last."""
        if self._staged:
            os.fdatasync(self._fd)
            self._staged.clear()

    def committed(self, attempt: str, journal: uuid.UUID | None) -> None:
        """Its arming stands in that journal: if it is not there later, the journal has lost its end. None: forget that.

        Needs no sync: after a power cut it may be missing, and then only proves nothing. Raises OSError.
        """
        number = self._slot_of.get(attempt)
        if number is not None:
            tail = journal.bytes if journal else _UNSAID
            os.pwrite(self._fd, tail, number * SLOT_BYTES + SLOT_BYTES - _TAIL)
        self.committed_by.pop(attempt, None)
        if journal and number is not None:
            self.committed_by[attempt] = journal

    def clear(self, attempt: str) -> None:
        """Forgets a settled attempt."""
        self.entries.pop(attempt, None)
        self.committed_by.pop(attempt, None)
        self._staged.discard(attempt)
        number = self._slot_of.pop(attempt, None)
        if number is not None:
            os.pwrite(self._fd, _EMPTY, number * SLOT_BYTES)

    def close(self) -> None:
        os.close(self._fd)
