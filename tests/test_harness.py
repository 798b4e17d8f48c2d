"""The parts of the harness that decide what a run proves: the counting of operations and the reading of traces."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from device_drivers.links.memory import joined_ends
from tests.harness import crash, stalls
from tests.harness.crash import CommitHook, CountedLink, Counter, Plan, plan_of
from tests.harness.day import make_day
from tests.harness.nursery import Nursery
from tests.harness.trace import Call, read_calls, read_motions

DRAW = b"\xf2\x00\x00\x03\x43\x32\x31\x03\xb2"


class _Death(Exception):
    """Stands for SIGKILL here."""


@pytest.fixture(autouse=True)
def _mortal(monkeypatch: pytest.MonkeyPatch) -> None:
    def die() -> None:
        raise _Death

    monkeypatch.setattr(crash, "die", die)


async def test_every_call_on_a_link_and_every_commit_is_an_operation(tmp_path: Path) -> None:
    near, far = joined_ends()
    counter = Counter(Plan(count=tmp_path / "count"))
    link, commit = CountedLink(near, counter), CommitHook(counter)
    await far.open()
    await link.open()
    await link.write(DRAW)
    commit.before()
    commit.after()
    await far.write(b"\x06")
    assert await link.read(10, 1.0) == b"\x06"
    await link.close()
    words = (tmp_path / "count").read_text().splitlines()
    assert words == ["1 open", "2 write f2 00 00 03 43 32 31 03 b2", "3 commit", "4 read", "5 close"]


async def test_death_comes_before_or_after_the_planned_operation_and_at_no_other() -> None:
    near, far = joined_ends()
    await far.open()
    await near.open()
    for when, arrived in (("before", b"1"), ("after", b"12")):
        link = CountedLink(near, Counter(Plan(2, when)))
        await link.write(b"1")
        with pytest.raises(_Death):
            await link.write(b"2")
        assert await far.read(10, 1.0) == arrived


async def test_death_at_a_frame_and_none_once_it_is_safe(tmp_path: Path) -> None:
    near, far = joined_ends()
    await far.open()
    await near.open()
    plan = Plan(when="after", frame=DRAW.hex(" "), safe=tmp_path / "safe")
    assert plan_of(plan.as_words()) == plan
    link = CountedLink(near, Counter(plan))
    await link.write(b"other")
    with pytest.raises(_Death):
        await link.write(DRAW)
    (tmp_path / "safe").touch()
    await CountedLink(near, Counter(plan)).write(DRAW)


TRACE = r"""
10 write(7</dev/pts/3>, "\362\0\0\3C10\3\260", 9) = 9
11 pwrite64(5</d/journal.sqlite3-wal>, "..a/draw/1armed..", 4096, 32 <unfinished ...>
10 write(3<socket:[1]>, "x", 1) = 1
11 <... pwrite64 resumed>) = 4096
11 fdatasync(5</d/journal.sqlite3-wal> <unfinished ...>
10 fdatasync(6</d/armed.ring>) = 0
11 <... fdatasync resumed>) = 0
10 write(7</dev/pts/3>, "\362\0\0\3C21\3\262", 9) = 9
11 pwrite64(5</d/journal.sqlite3-wal>, "..a/present/1armed..", 4096, 32) = 4096
10 write(7</dev/pts/3>, "\362\0\0\3C29\3\272", 9) = 9
11 fdatasync(5</d/journal.sqlite3-wal>) = 0
11 fdatasync(5</d/journal.sqlite3-wal>) = -1 EIO (Input/output error)
""".strip().splitlines()


def test_halves_of_calls_are_joined() -> None:
    calls = [call for call in read_calls(TRACE) if call.name == "fdatasync"]
    assert [(call.begun, call.ended, call.worked) for call in calls] == [
        (5, 5, True),
        (4, 6, True),
        (10, 10, True),
        (11, 11, False),
    ]
    assert all(isinstance(call, Call) for call in calls)


def test_a_motion_is_safe_only_when_its_own_attempt_was_on_disk_before() -> None:
    draw, present = read_motions(TRACE, "a", "</dev/pts/3")
    assert (draw.attempt, draw.safe) == ("a/draw/1", True)
    assert (present.attempt, present.safe) == ("a/present/1", False), "synced too late"


def test_a_seed_always_makes_the_same_day() -> None:
    assert make_day(17) == make_day(17)
    assert len({repr(make_day(seed)) for seed in range(50)}) == 50


def machine(folder: Path) -> list[str]:
    files = ["--ledger", f"{folder}/ledger", "--state", f"{folder}/state", "--control", f"unix:{folder}/control"]
    return ["crt591", "--listen", f"pty:{folder}/tty", "--device", "card-1", *files]


@pytest.mark.process
async def test_children_stand_still_now_and_then_and_go_on(
    nursery: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalls, "EVERY_S", stalls.TICK_S)
    child = await nursery.spawn("machine", tmp_path / "log", arguments=machine(tmp_path))

    def stands_still() -> bool:
        return Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    async def until(*, stopped: bool) -> None:
        async with asyncio.timeout(60):
            while stands_still() is not stopped:  # noqa: ASYNC110 - the system tells nobody
                await asyncio.sleep(0.01)

    async with stalls.stalling(nursery, "1"):
        await until(stopped=True)
    await until(stopped=False)


@pytest.mark.process
async def test_a_child_whose_asker_was_cancelled_is_ended_and_others_are_born(nursery: Nursery, tmp_path: Path) -> None:
    """An agent that nobody knows of would go on, and open whatever line has its machine's number by then."""
    asking = asyncio.create_task(nursery.spawn("machine", tmp_path / "first.log", arguments=machine(tmp_path)))
    await asyncio.sleep(0)
    asking.cancel()
    second = await nursery.spawn("machine", tmp_path / "second.log", arguments=["--help"])
    await second.wait()
    first, _ = nursery.children
    assert await first.wait() == -signal.SIGKILL
