"""Room kept for a full disk: a file that is given up when a commit finds no space, and made again when there is some.

Knows one file and its file system; must not know what is written into the room that it leaves.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sqlite3
import threading
from pathlib import Path

from edge_agent.journal.opening import code_of, is_disk, sync_folder

log = logging.getLogger(__name__)
NAME = "reserve"
_UNFINISHED = f"{NAME}.new"
NO_ROOM = 256 * 1024  # with less than this free, whatever the file system says of a failed write, it is full


def free_bytes(folder: Path) -> int:
    """What this process may still write there. Raises OSError."""
    there = os.statvfs(folder)
    return there.f_bavail * there.f_frsize


def for_want_of_space(error: BaseException, folder: Path) -> bool:
    """Whether a write failed because the disk is full."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if not isinstance(error, sqlite3.Error) or not is_disk(error):
        return False
    if code_of(error) == sqlite3.SQLITE_FULL:
        return True
    with contextlib.suppress(OSError):  # files that SQLite could not make or lengthen come as other errors
        return free_bytes(folder) < NO_ROOM
    return False


def cannot_be_written(folder: Path) -> str:
    """Why nothing can be written there, though this process may: read_only, disk_full; or empty."""
    try:
        there = os.statvfs(folder)
    except OSError:
        return ""
    if there.f_flag & os.ST_RDONLY:
        return "read_only"
    return "disk_full" if there.f_bavail * there.f_frsize < NO_ROOM else ""


class Reserve:
    """The disk counts as full for as long as the file is not there: that is remembered by the disk itself."""

    def __init__(self, folder: Path, size: int) -> None:
        """`size` in bytes; 0: none is kept, and the disk never counts as full."""
        self._folder = folder
        self._path = folder / NAME
        self._size = size
        self._lock = threading.Lock()  # made on one thread, given up on another
        self._there = False

    @property
    def missing(self) -> bool:
        return self._size > 0 and not self._there

    def make(self) -> bool:
        """Makes the file if there is room for it and a quarter more; whether it is there. Blocks; never raises."""
        with self._lock:
            if self._size and not self._there:
                self._there = self._make()
            return not self.missing

    def _make(self) -> bool:
        unfinished = self._folder / _UNFINISHED
        try:
            if self._path.exists() and self._path.stat().st_size == self._size:
                _allocate(self._path, self._size)  # a copy of it may have holes
                return True
            self._path.unlink(missing_ok=True)
            if free_bytes(self._folder) < self._size + self._size // 4:  # else it would come and go with every log line
                return False
            _allocate(unfinished, self._size)
            unfinished.rename(self._path)
            sync_folder(self._folder)
        except OSError as error:
            log.debug("no reserve in %s: %s", self._folder, error)
            for path in (unfinished, self._path):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
            return False
        return True

    def give_up(self) -> bool:
        """Whether there is room now that was not there before."""
        with self._lock:
            self._there = False
            freed = False
            for path in (self._path, self._folder / _UNFINISHED):
                try:
                    path.unlink()
                    freed = True
                except FileNotFoundError:
                    continue
                except OSError as error:
                    log.error("the reserve cannot be given up: %s", error)
            return freed and self._size > 0


def _allocate(path: Path, size: int) -> None:
    """A file whose every byte has its place on the disk already. Raises OSError."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        os.posix_fallocate(fd, 0, size)
        os.fsync(fd)
    finally:
        os.close(fd)
