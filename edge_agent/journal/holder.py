"""Who holds a lock: its process, what it was called as, and since when it runs; by what the kernel shows to everybody.

Knows proc(5); must not know what is locked, nor judge who may.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

PROC = Path("/proc")
NAME, AGENT = "branchgate", "branchgate agent"


@dataclass(frozen=True, slots=True)
class LockHolder:
    """`program` as somebody would type it, or the kernel's short name; `since`: by the wall clock of now."""

    pid: int
    program: str
    since: datetime | None

    @property
    def by_hand(self) -> bool:
        """One of our own commands that somebody runs, and that ends; anything else is taken for an agent."""
        return self.program.startswith(f"{NAME} ") and self.program != AGENT


def holder_of(lock: Path, proc: Path = PROC) -> LockHolder | None:
    """None: nobody, or one that cannot be seen from here. Raises OSError where the lock itself cannot be seen."""
    there = lock.stat()
    wanted = f"{os.major(there.st_dev):02x}:{os.minor(there.st_dev):02x}:{there.st_ino}"
    try:
        held = [line.split() for line in (proc / "locks").read_text("ascii").splitlines()]
    except OSError:
        return None
    # btrfs and overlays show files another device than the kernel's own: their number alone has to do.
    rows = [
        row for row in held if len(row) > 5 and row[1] == "FLOCK" and row[5].rpartition(":")[2] == str(there.st_ino)
    ]
    pids = [int(row[4]) for row in sorted(rows, key=lambda row: row[5] != wanted) if int(row[4]) > 0]
    return seen(pids[0], proc) if pids else None


def seen(pid: int, proc: Path = PROC) -> LockHolder:
    """What can be told of a process, also of somebody else's."""
    return LockHolder(pid, _program(proc / str(pid)), _since(proc / str(pid)))


def _program(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        for at, word in enumerate(words[:4]):
            if Path(word).name == NAME or (at and words[at - 1 : at + 1] == ["-m", "cli"]):
                said = takewhile(lambda one: one and not one.startswith("-"), words[at + 1 : at + 3])
                return " ".join((NAME, *said))
        return (process / "comm").read_text(errors="replace").strip()
    except OSError:  # ended meanwhile, or hidden
        return "?"


def _since(process: Path) -> datetime | None:
    """From how long it runs: the wall clock may have been put right since it was started."""
    try:
        ticks = int((process / "stat").read_text().rpartition(")")[2].split()[19])
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
    return datetime.fromtimestamp(time.time() - age_s, UTC)
