"""Whoever meets a lock is told who holds it, since when, and what ends it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from commands import at_box
from commands.kit import T
from edge_agent.journal import holder
from edge_agent.journal.holder import LockHolder, holder_of
from edge_agent.journal.opening import take_lock
from tests.speech import speak

AGE_S = 3600


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "lock").touch()
    (tmp_path / "proc").mkdir()
    return tmp_path / "lock"


def kernel_shows(proc: Path, *rows: str) -> None:
    (proc / "locks").write_text("".join(f"{number}: {row}\n" for number, row in enumerate(rows, 1)), encoding="ascii")


def runs(proc: Path, pid: int, *words: str) -> None:
    ticks = int((time.clock_gettime(time.CLOCK_BOOTTIME) - AGE_S) * os.sysconf("SC_CLK_TCK"))
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "cmdline").write_bytes("".join(f"{word}\0" for word in words).encode())
    (proc / str(pid) / "comm").write_text("some) name\n", encoding="ascii")
    (proc / str(pid) / "stat").write_text(
        f"{pid} (some) name) S {' '.join(['0'] * 18)} {ticks} 0 0\n", encoding="ascii"
    )


def device_of(lock: Path) -> str:
    there = lock.stat()
    return f"{os.major(there.st_dev):02x}:{os.minor(there.st_dev):02x}"


@pytest.mark.parametrize(
    ("words", "program", "by_hand"),
    [
        (("/usr/lib/branchgate/python3.13/bin/python", "-I", "-m", "cli", "agent", "--config", "x"), "agent", False),
        (("/x/.venv/bin/python", "/x/.venv/bin/branchgate", "device", "probe", "card-1"), "device probe", True),
        (("python", "-m", "cli", "doctor", "--all"), "doctor", True),
        (("vi", "notes"), "", False),
    ],
)
def test_the_holder_is_named_as_it_was_called(
    lock: Path, words: tuple[str, ...], program: str, *, by_hand: bool
) -> None:
    proc, inode = lock.parent / "proc", lock.stat().st_ino
    runs(proc, 4711, *words)
    kernel_shows(
        proc,
        f"POSIX  ADVISORY  WRITE 1 {device_of(lock)}:{inode} 0 EOF",
        f"FLOCK  ADVISORY  WRITE 2 {device_of(lock)}:{inode + 1} 0 EOF",
        f"FLOCK  ADVISORY  WRITE 3 ff:ff:{inode} 0 EOF",
        f"FLOCK  ADVISORY  WRITE 4711 {device_of(lock)}:{inode} 0 EOF",
    )
    found = holder_of(lock, proc)
    assert found is not None
    assert (found.pid, found.program, found.by_hand) == (
        4711,
        f"branchgate {program}" if program else "some) name",
        by_hand,
    )
    assert found.since is not None
    assert abs(time.time() - AGE_S - found.since.timestamp()) < 60


def test_on_a_file_system_with_numbers_of_its_own_the_file_alone_has_to_do(lock: Path) -> None:
    proc = lock.parent / "proc"
    kernel_shows(proc, f"FLOCK  ADVISORY  WRITE 12 00:1f:{lock.stat().st_ino} 0 EOF")
    assert holder_of(lock, proc) == LockHolder(12, "?", None)
    kernel_shows(proc, f"FLOCK  ADVISORY  WRITE 0 00:1f:{lock.stat().st_ino} 0 EOF")  # of another container
    assert holder_of(lock, proc) is None


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_kernel_itself_says_it_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str) -> None:
    speak(monkeypatch, lang)
    descriptor = take_lock(tmp_path)
    try:
        problem = at_box.locked(tmp_path)
        assert (problem.name, problem.remedy) == ("locked", "locked")
        assert all(str(os.getpid()) in words for words in (problem.sentence(T), problem.help(T)))
        assert str(tmp_path) in problem.sentence(T)
        monkeypatch.setattr(holder, "_program", lambda _: "branchgate device probe")
        by_hand = at_box.locked(tmp_path, device="card-1")
        assert (by_hand.name, by_hand.remedy) == ("line_held", "locked_by_hand")
        assert "branchgate device probe" in by_hand.sentence(T)
        assert f"kill {os.getpid()}" in by_hand.help(T)
    finally:
        os.close(descriptor)
    unseen = at_box.locked(tmp_path)  # it ended meanwhile, or is another container's
    assert "?" not in unseen.help(T)


def test_who_may_not_look_is_told_so_and_not_that_an_agent_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(holder, "holder_of", refuse)
    problem = at_box.locked(tmp_path, device="card-1")
    assert problem.name == "lock_unseen"
    assert "sudo branchgate" in problem.help(T)
