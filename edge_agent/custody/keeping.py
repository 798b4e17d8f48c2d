"""Where fetched documents lie until they are printed: one folder of the agent's own, whole files or none.

Knows files only; what may lie there and until when is `documents`. Blocking: call it from a thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

_PART = "."  # an order's id begins with a letter or digit


class Keeping:
    """The documents' folder; for the agent's user alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path_of(self, order_id: str, name: str) -> Path:
        """A document's name has no dot: no two documents share a file."""
        return self._folder / f"{order_id}.{name}"

    def begin(self, order_id: str, name: str) -> Part:
        """A file to be written. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Part(self.path_of(order_id, name))

    def is_intact(self, order_id: str, name: str, sha256: str) -> bool:
        try:
            with self.path_of(order_id, name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError:
            return False

    def remove(self, order_id: str, name: str) -> None:
        """Raises OSError, not when it is gone already."""
        path = self.path_of(order_id, name)
        path.with_name(_PART + path.name).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        self._sync()

    def remove_all_but(self, kept: set[Path]) -> int:
        """Clears whatever else lies there; how many files. Raises OSError."""
        if not self._folder.is_dir():
            return 0
        strange = [path for path in self._folder.iterdir() if path not in kept and not _is_folder(path)]
        for path in strange:
            path.unlink()
        self._sync()
        return len(strange)

    def _sync(self) -> None:
        """A deletion that a power cut undoes would be none."""
        with contextlib.suppress(FileNotFoundError):
            _sync_folder(self._folder)


def _is_folder(path: Path) -> bool:
    """Such as lost+found; no document is one, and a link to one is a file."""
    return path.is_dir() and not path.is_symlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Part:
    """A document on its way: `keep` makes it one; `drop` at the end, also then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(_PART + path.name)
        self._part.unlink(missing_ok=True)
        handle = os.open(self._part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        self._file = os.fdopen(handle, "wb")
        self._digest = hashlib.sha256()

    def drop(self) -> None:
        """Removes what was not kept."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        self._digest.update(piece)
        self._file.write(piece)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def keep(self) -> None:
        """Durable and whole when it returns."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.replace(self._path)
        _sync_folder(self._path.parent)
