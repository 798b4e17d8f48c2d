"""What somebody named as a file or folder, met so that nothing hangs or ends: pipes, paths that nobody may look at.

Knows the file system; must not know what stands in the file.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_plain(path: Path) -> BinaryIO:
    """The regular file at `path`, for reading. Raises OSError: EISDIR for a folder, ESPIPE for a pipe or a device."""
    # Opening alone waits for a pipe's writer, and takes a terminal as one's own, unless said otherwise.
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(fd, "rb")
    os.close(fd)
    why = errno.EISDIR if stat.S_ISDIR(mode) else errno.ESPIPE
    raise OSError(why, os.strerror(why), str(path))


def open_own(path: Path) -> int:
    """The file at `path` for writing, empty, and from now on its owner's alone: one that was there keeps no old rights.

    Raises OSError: of another's file, too, when it is not ours to close.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o600)
    try:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            os.fchmod(fd, 0o600)  # before a byte is in it
            os.ftruncate(fd, 0)
    except OSError:
        os.close(fd)
        raise
    return fd


def nearest_to(folder: Path) -> Path:
    """The folder, or what is nearest to it of what is there: also of names that are too long, or not ours to see."""
    return next((path for path in (folder, *folder.parents) if is_there(path)), Path("/"))


def is_there(path: Path) -> bool:
    """False also where that cannot be looked at, or no file may be called so."""
    try:
        return path.exists()
    except OSError:
        return False
