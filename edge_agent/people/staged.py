"""A TinyDB storage whose file is always whole: what is written is staged beside it, and takes its place by renaming.

Knows files and bytes; when what is staged may take its place is said by whoever holds it (`publish`).
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from tinydb.storages import Storage

from edge_agent.journal.opening import sync_folder

MAX_BYTES = 4 * 1024 * 1024  # some thousands of people; more is not what a branch has


class StagedStorage(Storage):
    """`write` stages durably, `publish` makes it count, `discard` forgets it. Raises OSError, ValueError (no JSON)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.next = path.with_name(f"{path.name}.next")
        self._staged: bytes | None = None

    def read(self) -> dict[str, dict[str, Any]] | None:
        raw = self._staged if self._staged is not None else self._bytes(self.path)
        if raw is None:
            return None
        tables = json.loads(raw)
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            raise ValueError(f"{self.path.name} is no file of tables")
        return tables

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        raw = json.dumps(data, ensure_ascii=False, indent=1).encode()
        if len(raw) > MAX_BYTES:
            raise ValueError(f"{self.path.name} would have more than {MAX_BYTES} bytes")
        self.next.unlink(missing_ok=True)
        fd = os.open(self.next, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            left = raw
            while left:
                left = left[os.write(fd, left) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_folder(self.path.parent)
        self._staged = raw

    def publish(self) -> None:
        """What is staged takes the file's place."""
        try:
            self.next.replace(self.path)
        except FileNotFoundError:  # renamed before, and the folder could not be synced then
            if _digest(self._bytes(self.path)) != self.digest():
                raise
        sync_folder(self.path.parent)
        self._staged = None

    def discard(self) -> None:
        """What is staged is forgotten."""
        self._staged = None
        self.next.unlink(missing_ok=True)

    def forget(self) -> None:
        """What is staged does not count here; it stays beside the file, should a commit stand that was said to fail."""
        self._staged = None

    @property
    def is_owed(self) -> bool:
        """Whether something is staged that was not published."""
        return self._staged is not None

    def digest(self) -> str:
        """SHA-256 of what would be read now; empty when there is no file."""
        return _digest(self._staged if self._staged is not None else self._bytes(self.path))

    def recover(self, wanted: str) -> bool:
        """After a crash: the file, or what was staged beside it, has the digest `wanted`; whether one of them had."""
        found = self.digest() == wanted
        if not found and wanted and _digest(self._bytes(self.next)) == wanted:
            self.publish()
            return True
        self.discard()
        return found

    @staticmethod
    def _bytes(path: Path) -> bytes | None:
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        if len(raw) > MAX_BYTES:
            raise ValueError(f"{path.name} has more than {MAX_BYTES} bytes")
        return raw


def _digest(raw: bytes | None) -> str:
    return "" if raw is None else hashlib.sha256(raw).hexdigest()
