"""The journal's files: the lock, the database with its migrations, and the quarantine of one that cannot be read.

Knows files and versions; must not know what is written into them.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from importlib import resources
from pathlib import Path

log = logging.getLogger(__name__)
NAME = "journal.sqlite3"
UNREADABLE = f"{NAME}.unreadable-"
_SUFFIXES = ("", "-wal", "-shm")  # the database first: without it SQLite gives up a left-over log, never the other way

CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_DISK = CORRUPT | {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOMEM,
}


class JournalLocked(Exception):
    """Another agent has this folder open."""


class JournalUnusable(Exception):
    """The journal cannot be opened by this version; says why."""


class Unreadable(Exception):
    """The file is damaged: it is kept, and a new journal begun."""


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for what Python's module refused by itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_disk(error: sqlite3.Error) -> bool:
    """Whether the store failed, not the statement."""
    return code_of(error) in _DISK


def take_lock(folder: Path) -> int:
    """The descriptor that holds the lock of this folder. Raises JournalLocked, OSError."""
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise JournalLocked(f"{folder} is in use by another agent") from error
    except BaseException:
        os.close(fd)
        raise
    return fd


def open_database(path: Path) -> sqlite3.Connection:
    """The journal's writing connection, brought to this version. Raises JournalUnusable, Unreadable."""
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise JournalUnusable(f"{path}: {error}") from error
    try:
        db.row_factory = sqlite3.Row
        version = _known_version(db, path)  # before anything else: a newer journal is left as it is
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # a commit that returned survives a power cut
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise Unreadable(str(found).replace("\n", " "))
        _migrate(db, version)
    except sqlite3.Error as error:
        db.close()
        if code_of(error) in CORRUPT:
            raise Unreadable(str(error)) from error
        raise JournalUnusable(f"{path}: {error}") from error
    except UnicodeDecodeError as error:  # what SQLite says of a damaged schema quotes it
        db.close()
        raise Unreadable(f"its names are no text: {error}") from error
    except BaseException:
        db.close()
        raise
    return db


def quarantine(folder: Path, why: Unreadable) -> None:
    """Puts the damaged files aside under a number of their own; nothing kept before is touched. Raises OSError."""
    kept = [path.name.removeprefix(UNREADABLE).split("-")[0] for path in folder.glob(f"{UNREADABLE}*")]
    number = 1 + max((int(name) for name in kept if name.isdigit()), default=0)
    for suffix in _SUFFIXES:
        source = folder / f"{NAME}{suffix}"
        if source.exists():
            source.rename(folder / f"{UNREADABLE}{number}{suffix}")
    log.error("journal unreadable (%s): kept as %s%d, a new one is begun", why, UNREADABLE, number)


def any_quarantined(folder: Path) -> bool:
    return any(folder.glob(f"{UNREADABLE}*"))


def migrations() -> list[str]:
    """The SQL of each version, in order."""
    folder = resources.files(__package__).joinpath("migrations")
    files = sorted((p for p in folder.iterdir() if p.name.endswith(".sql")), key=lambda p: p.name)
    return [file.read_text("utf-8") for file in files]


def _known_version(db: sqlite3.Connection, path: Path) -> int:
    version, known = int(db.execute("PRAGMA user_version").fetchone()[0]), len(migrations())
    if version > known:
        raise JournalUnusable(f"{path} has version {version}, this agent knows {known}: install the newer agent again")
    return version


def _migrate(db: sqlite3.Connection, version: int) -> None:
    for number, sql in enumerate(migrations(), 1):
        if number > version:
            db.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
