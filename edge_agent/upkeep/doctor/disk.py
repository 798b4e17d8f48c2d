"""Whether the journal's folder can be written by the agent's user, and has room; and whether the journal can be read.

Knows folders, rights, file systems and versions; writes nothing.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from edge_agent.findings import Detail, system_error
from edge_agent.journal import opening, reserve
from edge_agent.plain_file import nearest_to
from edge_agent.settings import JournalPart
from edge_agent.upkeep.doctor.found import Found, Level
from edge_agent.upkeep.doctor.world import User, World

MIB = 1024 * 1024
AREA, JOURNAL = "disk", "journal"
LOW_BYTES = 128 * MIB  # a busy day's journal, its log and an update's package


def disk(part: JournalPart, user: User, world: World) -> Iterator[Found]:
    """The folder and what it lies on."""
    folder = part.folder
    nearest = nearest_to(folder)
    if not nearest.is_dir():
        yield Found(Level.ERROR, AREA, "disk_no_folder", str(nearest))
        return
    if nearest != folder:
        yield Found(Level.NOTE, AREA, "disk_no_journal_yet", str(folder))
    found = [*_rights(folder, nearest, user), *_room(part, nearest, world)]
    yield from found
    if not any(one.level in (Level.ERROR, Level.WARNING) for one in found):
        free = world.room(nearest)
        yield Found(Level.GOOD, AREA, "disk_good", str(nearest), {"mib": free.f_bavail * free.f_frsize // MIB})


def _rights(folder: Path, nearest: Path, user: User) -> Iterator[Found]:
    there = nearest.stat()
    mode = stat.S_IMODE(there.st_mode)
    if not user.may(there, os.R_OK | os.W_OK | os.X_OK):
        yield Found(Level.ERROR, AREA, "disk_rights", str(nearest), {"user": user.name, "mode": f"{mode:04o}"})
    elif nearest == folder and mode & 0o007:
        yield Found(Level.WARNING, AREA, "disk_open_to_all", str(folder), {"mode": f"{mode:04o}"})
    if nearest != folder:
        return
    try:
        files = [(path, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    except OSError:
        return
    foreign = [path.name for path, file in files if not user.may(file, os.R_OK | os.W_OK)]
    if foreign:
        yield Found(Level.ERROR, AREA, "disk_files", str(folder), {"user": user.name, "files": ", ".join(foreign[:5])})


def _room(part: JournalPart, nearest: Path, world: World) -> Iterator[Found]:
    there = world.room(nearest)
    where, free, mount = str(nearest), there.f_bavail * there.f_frsize, {"mount": _mount_of(nearest)}
    if there.f_flag & os.ST_RDONLY:
        yield Found(Level.ERROR, AREA, "disk_read_only", where, mount)
    if free < reserve.NO_ROOM:
        yield Found(Level.ERROR, AREA, "disk_full", where, mount | {"kib": free // 1024})
    elif there.f_files and not there.f_favail:
        yield Found(Level.ERROR, AREA, "disk_no_inodes", where, mount)
    elif free < LOW_BYTES:
        yield Found(Level.WARNING, AREA, "disk_low", where, mount | {"mib": free // MIB})
    if part.reserve_mib and _lacks_reserve(part.folder):
        places = {"mib": part.reserve_mib + part.reserve_mib // 4}
        yield Found(Level.ERROR, AREA, "disk_reserve", str(part.folder), places)


def _mount_of(folder: Path) -> str:
    """The file system that it lies on, where `du` and `mount` begin."""
    real = folder.resolve()
    return str(next((path for path in (real, *real.parents) if path.is_mount()), Path("/")))


def _lacks_reserve(folder: Path) -> bool:
    try:
        return (folder / opening.NAME).exists() and not (folder / reserve.NAME).exists()
    except OSError:  # not ours to see; the agent's area says so
        return False


def journal(folder: Path) -> Iterator[Found]:
    """Whether this version can open it. A long one is not read whole: `journal verify` does that."""
    path = folder / opening.NAME
    try:
        if opening.any_quarantined(folder):
            yield Found(Level.WARNING, JOURNAL, "journal_quarantined", str(folder), {"prefix": opening.UNREADABLE})
        if not path.is_file():
            return
    except OSError as error:
        yield Found(Level.ERROR, JOURNAL, "journal_unreadable", str(path), {"why": system_error(error)})
        return
    if not path.stat().st_size:
        yield Found(Level.ERROR, JOURNAL, "journal_damaged", str(path), {"why": "0 bytes"})
        return
    try:
        with closing(opening.look_into(path)) as db:
            version, known = opening.version_of(db), len(opening.migrations())
            if version > known:
                yield Found(Level.ERROR, JOURNAL, "journal_newer", str(path), {"version": version, "known": known})
                return
            wrong = "" if opening.is_long(path) else str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except (sqlite3.Error, UnicodeDecodeError) as error:
        damaged = not isinstance(error, sqlite3.Error) or opening.is_damage(error)
        code = "journal_damaged" if damaged else "journal_unreadable"
        yield Found(Level.ERROR, JOURNAL, code, str(path), {"why": error})
        return
    if wrong not in ("", "ok"):
        yield Found(
            Level.ERROR,
            JOURNAL,
            "journal_damaged",
            str(path),
            {"why": Detail(wrong.replace("\n", " "), sqlite3.DatabaseError())},
        )
    else:
        yield Found(Level.GOOD, JOURNAL, "journal_good", str(path), {"version": version})
