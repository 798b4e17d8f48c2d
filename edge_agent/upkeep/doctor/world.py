"""The box as the doctor looks at it: the kernel's clock, file systems, processes, users, links. Tests hand in another.

Knows the operating system's answers; judges none of them.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cloud_bridge.trial import Limits
from device_drivers.links.address import open_address
from device_drivers.links.link import Link
from device_drivers.links.usb_address import UsbAddress
from edge_agent.clock.kernel import kernel_synchronised
from edge_agent.journal.holder import LockHolder, holder_of, seen

SERVICE_USER = "branchgate"  # systemd/branchgate.sysusers
REPORT = Path("/run/branchgate-clock/synchronised")  # systemd/branchgate.service
MAKERS = ("/dev/ptmx", "/dev/pts/ptmx")  # of pseudo-terminals
TIME_SERVICES = frozenset({"chronyd", "ntpd", "systemd-timesyn", "openntpd", "ptp4l"})  # comm has 15 letters


@dataclass(frozen=True, slots=True)
class User:
    """Who runs the agent: by its process, else by its name."""

    name: str
    uid: int
    groups: frozenset[int]

    def may(self, there: os.stat_result, wanted: int) -> bool:
        """By the mode bits alone; `wanted` of os.R_OK, os.W_OK, os.X_OK."""
        if self.uid == 0:
            return True
        shift = 6 if there.st_uid == self.uid else 3 if there.st_gid in self.groups else 0
        return there.st_mode >> shift & wanted == wanted


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a file open."""

    pid: int
    name: str


def _room(folder: Path) -> os.statvfs_result:
    return os.statvfs(folder)


def _alike(address: UsbAddress) -> tuple[int, list[str]]:
    from device_drivers.links.usb_list import alike  # only where a branch has such a device

    return alike(address)


@dataclass(frozen=True, slots=True)
class World:
    """Replaceable senses."""

    synchronised: Callable[[], bool] = kernel_synchronised
    room: Callable[[Path], os.statvfs_result] = _room
    proc: Path = Path("/proc")
    report: Path = REPORT
    usb: Callable[[UsbAddress], tuple[int, list[str]]] = _alike
    open_address: Callable[[str], Link] = open_address
    broker: Limits = field(default_factory=Limits)
    user: Callable[[int | None], User] | None = None

    def agent_user(self, pid: int | None) -> User:
        return self.user(pid) if self.user is not None else _user_of(self.proc, pid)

    def processes(self) -> Iterator[tuple[int, str]]:
        for folder in self.proc.glob("[0-9]*"):
            try:
                yield int(folder.name), (folder / "comm").read_text(errors="replace").strip()
            except OSError:  # it ended meanwhile
                continue

    def time_service(self) -> str:
        """The name of one that runs; empty when none does."""
        return next((name for _, name in self.processes() if name in TIME_SERVICES), "")

    def holders(self, path: Path) -> list[Holder]:
        """Who has it open, as far as we may see: a plain user sees only its own processes. Not who made it."""
        real, found = os.path.realpath(path), []
        for pid, name in self.processes():
            try:
                open_files = list((self.proc / str(pid) / "fd").iterdir())
            except OSError:
                continue
            if any(_leads_to(file, real) for file in open_files) and not _plays(open_files, real):
                found.append(Holder(pid, name))
        return found

    def lock_holder(self, lock: Path) -> LockHolder | None:
        """By the kernel's list of locks, which everybody may read; else by who has the file open."""
        with suppress(OSError):
            if holder := holder_of(lock, self.proc):
                return holder
        return next((seen(one.pid, self.proc) for one in self.holders(lock)), None)


def _plays(open_files: list[Path], real: str) -> bool:
    """It made the pseudo-terminal that it has open: a simulator, and the machine behind this port."""
    return real.startswith("/dev/pts/") and any(_leads_to(file, made) for file in open_files for made in MAKERS)


def _leads_to(file: Path, real: str) -> bool:
    try:
        return str(file.readlink()) == real
    except OSError:
        return False


def _user_of(proc: Path, pid: int | None) -> User:
    """The running agent's own, with the groups that it has now; else who will run it."""
    if pid is not None:
        try:
            words = dict(line.split(":", 1) for line in (proc / str(pid) / "status").read_text().splitlines())
            uid = int(words["Uid"].split()[0])
            return User(_name(uid), uid, frozenset(map(int, (words["Groups"] + " " + words["Gid"].split()[0]).split())))
        except (OSError, ValueError, KeyError):
            pass
    try:
        entry = pwd.getpwnam(SERVICE_USER)
        return User(entry.pw_name, entry.pw_uid, frozenset(os.getgrouplist(entry.pw_name, entry.pw_gid)))
    except KeyError:
        return User(_name(os.geteuid()), os.geteuid(), frozenset((*os.getgroups(), os.getegid())))


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def is_character_device(there: os.stat_result) -> bool:
    return stat.S_ISCHR(there.st_mode)
