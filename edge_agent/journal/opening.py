"""The journal's files: the lock, the database with its migrations, and the quarantine of one that cannot be read.

Knows files and versions; must not know what is written into them.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import sqlite3
from importlib import resources
from pathlib import Path
from urllib.parse import quote

log = logging.getLogger(__name__)
NAME = "journal.sqlite3"
UNREADABLE = f"{NAME}.unreadable-"
_IOERR_DATA = sqlite3.SQLITE_IOERR | 32 << 8  # a page's checksum is wrong; Python knows no name for it
_BEGUN = ".begun"
_VERSION = slice(60, 64)  # PRAGMA user_version in SQLite's header; what is in the log only may be newer
_SUFFIXES = ("", "-wal", "-shm")  # the database first: without it SQLite gives up a left-over log, never the other way

CHECKED_FIRST_BYTES = 16 * 1024 * 1024  # 0.4 s on a cold card; a longer journal is checked while the agent works
CHECKPOINT_PAGES = 200  # the longest that a commit waits for: 2 ms here, 0.4 s where 500 pages a second are written
LOG_BYTES = 4 * 1024 * 1024  # what a log that a long reading made grow may keep of the disk
_SUSPECT = f"{NAME}.suspect"  # damage was met: the next start reads all of it before anything else

CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_READ_ERRORS = frozenset(
    {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS, _IOERR_DATA}
)
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

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is in use by another agent")
        self.folder = folder


class JournalUnusable(Exception):
    """The journal cannot be opened by this version; says why."""


class Unreadable(Exception):
    """The file is damaged: it is kept, and a new journal begun."""


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for what Python's module refused by itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    """Whether what was written cannot be read back: not a matter of room or rights."""
    return code_of(error) in CORRUPT or getattr(error, "sqlite_errorcode", 0) in _READ_ERRORS


def is_disk(error: sqlite3.Error) -> bool:
    """Whether the store failed, not the statement."""
    return code_of(error) in _DISK


def take_lock(folder: Path) -> int:
    """The descriptor that holds the lock of this folder. Raises JournalLocked, OSError."""
    try:
        fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        fd = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise JournalLocked(folder) from error
    except BaseException:
        os.close(fd)
        raise
    return fd


def open_database(path: Path) -> sqlite3.Connection:
    """The journal's writing connection, brought to this version. Raises JournalUnusable, Unreadable."""
    if not path.exists():
        _begin_file(path)
    elif not path.stat().st_size:
        raise Unreadable("it is empty")  # SQLite would take it for a first one, and the branch adopt it
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise JournalUnusable(f"{path}: {error}") from error
    try:
        db.row_factory = sqlite3.Row
        version = _known_version(db, path)  # before anything else: a newer journal is left as it is
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # a commit that returned survives a power cut
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        db.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
        _check(db, path)
        _migrate(db, version)
    except sqlite3.Error as error:
        db.close()
        if is_damage(error):
            raise Unreadable(str(error)) from error
        raise JournalUnusable(f"{path}: {error}") from error
    except UnicodeDecodeError as error:  # what SQLite says of a damaged schema quotes it
        db.close()
        raise Unreadable(f"its names are no text: {error}") from error
    except BaseException:
        db.close()
        raise
    return db


def _begin_file(path: Path) -> None:
    """A first journal has its tables before it has its name: a kill in between must not look like a lost one."""
    begun = path.with_name(f"{path.name}{_BEGUN}")
    try:
        for suffix in ("", "-journal"):
            begun.with_name(f"{begun.name}{suffix}").unlink(missing_ok=True)
        db = sqlite3.connect(begun, isolation_level=None)
        try:
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table: what is removed can be given back
            _migrate(db, 0)
        finally:
            db.close()
        for suffix in _SUFFIXES[1:]:  # of a journal that is gone: SQLite would write them into this one
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
        sync_folder(path.parent)
        begun.rename(path)
        sync_folder(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise JournalUnusable(f"{path}: {error}") from error


def suspect(path: Path) -> None:
    """Damage was met: the next start shall read everything first."""
    try:
        path.with_name(_SUSPECT).touch()
    except OSError as error:
        log.error("%s is damaged and cannot be marked so (%s)", path, error)


def is_long(path: Path) -> bool:
    """Whether reading all of it would keep the branch waiting."""
    return path.stat().st_size > CHECKED_FIRST_BYTES


def _check(db: sqlite3.Connection, path: Path) -> None:
    """Raises Unreadable, sqlite3.Error. A long journal that gave no cause for it is checked while the agent works."""
    marked = path.with_name(_SUSPECT).exists()
    if not marked and is_long(path):
        return
    found = db.execute(f"PRAGMA {'integrity_check' if marked else 'quick_check'}(1)").fetchone()[0]
    if found != "ok":
        raise Unreadable(str(found).replace("\n", " "))
    path.with_name(_SUSPECT).unlink(missing_ok=True)


def look_into(path: Path) -> sqlite3.Connection:
    """A connection that can only read the last commit, also where nothing can be written. Raises sqlite3.Error."""
    try:
        return _looking(path, "mode=ro")
    except sqlite3.OperationalError as error:
        log = path.with_name(f"{path.name}-wal")
        shared = code_of(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)
        if not shared or is_damage(error) or (log.exists() and log.stat().st_size):
            raise
    return _looking(path, "mode=ro&immutable=1")  # all of it is in the one file; the others could not be made


def _looking(path: Path, how: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()  # it is opened at the first question only
    except BaseException:
        db.close()
        raise
    return db


def version_of(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def is_behind(path: Path) -> bool:
    """Whether its first page names an older version: bringing a long journal to this one may take minutes."""
    try:
        with path.open("rb") as file:
            head = file.read(_VERSION.stop)
    except OSError:
        return False
    return len(head) == _VERSION.stop and 0 < int.from_bytes(head[_VERSION], "big") < len(migrations())


def look_at_journal(path: Path) -> sqlite3.Connection:
    """`look_into` a journal of this version that was begun before. Raises JournalUnusable."""
    try:
        db = look_into(path)
    except sqlite3.Error as error:
        raise JournalUnusable(f"{path}: {error}") from error
    try:
        version, known = version_of(db), len(migrations())
        if version != known:
            raise JournalUnusable(f"{path} has version {version}, this agent knows {known}, and nothing can be written")
        if db.execute("SELECT 1 FROM meta WHERE key = 'journal' AND value <> ''").fetchone() is None:
            raise JournalUnusable(f"{path}: nothing was ever written to it, and nothing can be now")
    except BaseException as error:
        db.close()
        if isinstance(error, sqlite3.Error):
            raise JournalUnusable(f"{path}: {error}") from error
        raise
    return db


def sync_folder(folder: Path) -> None:
    """Makes the names in it durable. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)  # else a power cut may take a new file's name
    finally:
        os.close(fd)


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
    version, known = version_of(db), len(migrations())
    if version > known:
        raise JournalUnusable(f"{path} has version {version}, this agent knows {known}: install the newer agent again")
    return version


def _migrate(db: sqlite3.Connection, version: int) -> None:
    for number, sql in enumerate(migrations(), 1):
        if number > version:
            db.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
