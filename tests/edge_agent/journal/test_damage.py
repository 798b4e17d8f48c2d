"""Damage that shows itself: at the start, in a log that was cut, behind the start's back, or while the agent works."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from pathlib import Path
from typing import NoReturn

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.journal import opening
from edge_agent.journal.checking import Checking
from edge_agent.steward import Steward
from tests.edge_agent.journal.gate import events, opened

NAME = opening.NAME
PAGE = 4096
pytestmark = pytest.mark.rule("OUT-4")


async def fill(folder: Path, count: int = 400) -> None:
    async with opened(folder) as journal:
        for _ in range(count):
            journal.post(lambda tx: tx.emit("t", "o1", {"text": "x" * 300}))


def page_of_events(folder: Path) -> tuple[int, bytes]:
    """Where a page in the middle of the events begins, and what stands on it; no start reads it."""
    whole = (folder / NAME).read_bytes()
    of_events = [at for at in range(0, len(whole), PAGE) if whole[at : at + PAGE].count(b"x" * 300) > 1]
    at = of_events[len(of_events) // 2]
    return at, whole[at : at + PAGE]


def put(folder: Path, at: int, what: bytes) -> None:
    with (folder / NAME).open("r+b") as file:
        file.seek(at)
        file.write(what)


def spoil(folder: Path) -> None:
    """A page becomes noise."""
    put(folder, page_of_events(folder)[0], random.Random(1).randbytes(PAGE))


def disorder(folder: Path) -> None:
    """Two rows stand in each other's place: every question is answered, some of them wrongly."""
    at, page = page_of_events(folder)
    assert page[0] == 0x0D, "a leaf of a table: header of 8 bytes, then the offsets of its rows"
    put(folder, at + 8, page[10:12] + page[8:10])


def read_error() -> NoReturn:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
    raise error


async def test_a_file_that_the_disk_does_not_give_back_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(tmp_path)
    check, asked = opening._check, []

    def check_once_bad(db: sqlite3.Connection, path: Path) -> None:
        asked.append(path)
        read_error() if len(asked) == 1 else check(db, path)

    monkeypatch.setattr(opening, "_check", check_once_bad)
    async with opened(tmp_path) as journal:
        assert (journal.is_new, journal.quarantined) == (True, True)
    assert (tmp_path / f"{NAME}.unreadable-1").stat().st_size > 100_000


async def cut(folder: Path, commits: int, share: float) -> Path:
    """What a power cut might leave: a copy of a journal at work whose log ends somewhere."""
    live, copy = folder / "live", folder / "cut"
    copy.mkdir()
    async with opened(live) as journal:
        for n in range(commits):
            await journal.write(lambda tx, n=n: tx.emit(f"t{n}", None, {}))  # type: ignore[misc]
        for name in (NAME, f"{NAME}-wal"):
            shutil.copy(live / name, copy / name)
    log = copy / f"{NAME}-wal"
    log.write_bytes(log.read_bytes()[: int(log.stat().st_size * share)])
    return copy


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.9, 0.999])
async def test_a_log_that_was_cut_gives_a_sound_beginning(tmp_path: Path, share: float) -> None:
    async with opened(await cut(tmp_path, 30, share)) as journal:
        there = await journal.read(events)
        assert there == [(n + 1, f"t{n}") for n in range(len(there))]
        assert len(there) < 30
        assert await journal.write(lambda tx: tx.emit("next", None, {})) == len(there) + 1
        assert await journal.read(lambda tx: tx.all("PRAGMA integrity_check")[0][0]) == "ok"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.9])
async def test_one_that_was_partly_written_back_is_sound_or_put_aside(tmp_path: Path, share: float) -> None:
    """Pages of later commits may stand in the file already: what does not fit together is never worked with."""
    async with opened(await cut(tmp_path, 330, share)) as journal:
        there = await journal.read(events)
        assert there == [(n + 1, f"t{n}") for n in range(len(there))]
        assert there or journal.quarantined
        assert await journal.read(lambda tx: tx.all("PRAGMA integrity_check")[0][0]) == "ok"


async def test_a_long_journal_is_read_through_while_the_agent_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(tmp_path)
    spoil(tmp_path)
    monkeypatch.setattr(opening, "CHECKED_FIRST_BYTES", 100_000)
    again: list[str] = []
    async with opened(tmp_path) as journal:
        assert not journal.quarantined, "it did not keep the branch waiting"
        steward = Steward(journal, lambda: None, lambda: again.append("again"))
        await steward.look()
        assert not again
        await steward._read_through()
        await steward.look()
        assert again == ["again"]
    async with opened(tmp_path) as journal:
        assert (journal.is_new, journal.quarantined) == (True, True)
        await journal.write(lambda tx: tx.emit("created", None, {}))
    async with opened(tmp_path) as journal:
        assert not journal.is_new, "the mark went with the damaged file"


async def test_damage_that_no_question_fails_on_is_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(tmp_path)
    disorder(tmp_path)
    monkeypatch.setattr(opening, "CHECKED_FIRST_BYTES", 100_000)
    async with opened(tmp_path) as journal:
        assert len(await journal.read(events)) == 400
        assert "out of order" in await Checking(journal.path).run()


async def test_a_sound_one_is_found_sound_and_asks_for_nothing(tmp_path: Path) -> None:
    await fill(tmp_path)
    async with opened(tmp_path) as journal:
        assert await Checking(journal.path).run() == ""
        assert journal.damaged == ""


async def test_damage_met_in_work_is_read_through_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(tmp_path)
    spoil(tmp_path)
    monkeypatch.setattr(opening, "CHECKED_FIRST_BYTES", 100_000)
    async with opened(tmp_path) as journal:
        with pytest.raises(StoreFailed):
            await journal.read(lambda tx: tx.all("SELECT * FROM outbox"))
        assert journal.damaged
    async with opened(tmp_path) as journal:
        assert (journal.is_new, journal.quarantined) == (True, True)


async def test_what_was_suspected_and_is_sound_goes_on(tmp_path: Path) -> None:
    await fill(tmp_path)
    opening.suspect(tmp_path / NAME)
    async with opened(tmp_path) as journal:
        assert not journal.is_new
    assert not (tmp_path / f"{NAME}.suspect").exists()


async def test_a_check_that_is_cancelled_leaves_no_thread_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(tmp_path)
    checking = Checking(tmp_path / NAME)
    began, ended = asyncio.Event(), []
    loop, tables = asyncio.get_running_loop(), checking._tables

    def slowly(db: sqlite3.Connection) -> str:
        loop.call_soon_threadsafe(began.set)
        assert checking._stopped.wait(30)
        ended.append(tables(db))
        return ended[0]

    monkeypatch.setattr(checking, "_tables", slowly)
    task = asyncio.create_task(checking.run())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [""]
