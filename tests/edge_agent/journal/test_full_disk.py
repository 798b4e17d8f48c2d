"""A full disk: the reserve is given up for what must still be written, and made again; nothing is lost."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.journal import reserve
from edge_agent.journal.journal import Journal, JournalUnusable, Tx
from edge_agent.journal.reserve import Reserve
from tests.edge_agent.journal.gate import arming, events
from tests.edge_agent.journal.tight import SIZE, Tight

pytestmark = pytest.mark.rule("OUT-4")


@pytest.fixture
def tight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tight:
    disk = Tight(tmp_path)
    disk.watch(monkeypatch)
    return disk


@asynccontextmanager
async def opened(disk: Tight) -> AsyncIterator[Journal]:
    journal = await Journal.open(disk.folder, disk.hooks, reserve_bytes=SIZE)
    try:
        yield journal
    finally:
        await journal.close()


async def test_the_reserve_really_has_its_place_on_the_disk(tight: Tight) -> None:
    async with opened(tight) as journal:
        there = (tight.folder / reserve.NAME).stat()
        assert (there.st_size, there.st_blocks * 512 >= SIZE) == (SIZE, True)
        assert (journal.disk_full, journal.store) == (False, "good")


async def test_what_meets_a_full_disk_is_written_once_on_the_reserve(tight: Tight) -> None:
    async with opened(tight) as journal:
        await journal.write(lambda tx: tx.emit("before", None, {}))
        tight.full = True
        seqs = await asyncio.gather(*(journal.write(lambda tx: tx.emit("during", None, {})) for _ in range(20)))
        assert sorted(seqs) == list(range(2, 22))
        assert tight.refused == 1
        assert (journal.disk_full, journal.store) == (True, "disk_full")
        assert not (tight.folder / reserve.NAME).exists()
        assert await journal.read(events) == [(1, "before"), *((n, "during") for n in range(2, 22))]


async def test_work_is_told_that_it_lives_on_the_reserve(tight: Tight) -> None:
    seen: list[bool] = []

    def work(tx: Tx) -> None:
        seen.append(tx.disk_full)

    async with opened(tight) as journal:
        await journal.write(work)
        tight.full = True
        await journal.write(work)
        await journal.write(work)
    assert seen == [False, False, True, True], "the one that met the full disk was asked a second time"


async def test_what_a_failed_try_armed_stands_once_in_the_ring(tight: Tight) -> None:
    async with opened(tight) as journal:
        tight.full = True
        await journal.write(lambda tx: tx.armed.append(arming("o-1/draw/1")))
        assert list(journal.ring.entries) == ["o-1/draw/1"]
        assert len(set(journal.ring._slot_of.values())) == 1


async def test_when_the_reserve_is_used_up_too_nothing_is_written_and_all_is_told(tight: Tight) -> None:
    async with opened(tight) as journal:
        tight.full = tight.taken = True
        for _ in range(3):
            with pytest.raises(StoreFailed, match="No space left"):
                await journal.write(lambda tx: tx.emit("lost", None, {}))
        tight.taken = False
        assert await journal.write(lambda tx: tx.emit("kept", None, {})) == 1


async def test_it_is_made_again_only_with_room_to_spare(tight: Tight, monkeypatch: pytest.MonkeyPatch) -> None:
    room = SIZE
    monkeypatch.setattr(reserve, "free_bytes", lambda _folder: room)
    kept = Reserve(tight.folder, SIZE)
    assert not kept.make(), "it would come and go with every line of a log"
    room = SIZE + SIZE // 4
    assert kept.make()
    assert not kept.missing
    assert kept.give_up()
    assert not kept.give_up(), "there is nothing more to give"
    assert kept.missing


async def test_a_disk_that_was_full_is_so_after_a_restart(tight: Tight) -> None:
    async with opened(tight) as journal:
        tight.full = True
        await journal.write(lambda tx: None)
    async with opened(tight) as journal:
        assert journal.disk_full
        assert journal.read_only == ""
    tight.full = False
    async with opened(tight) as journal:
        assert not journal.disk_full


async def test_a_start_that_meets_a_full_disk_takes_the_reserve(tight: Tight) -> None:
    async with opened(tight):
        pass
    tight.full = True
    async with opened(tight) as journal:
        assert (journal.epoch, journal.disk_full) == (2, True)


async def test_a_copy_with_holes_gets_its_place(tight: Tight) -> None:
    path = tight.folder / reserve.NAME
    path.touch()
    os.truncate(path, SIZE)
    assert path.stat().st_blocks == 0
    assert Reserve(tight.folder, SIZE).make()
    assert path.stat().st_blocks * 512 >= SIZE


async def test_another_size_is_made_anew_and_none_is_none(tight: Tight) -> None:
    path = tight.folder / reserve.NAME
    assert Reserve(tight.folder, SIZE).make()
    assert Reserve(tight.folder, 2 * SIZE).make()
    assert path.stat().st_size == 2 * SIZE
    nothing = Reserve(tight.folder, 0)
    assert nothing.make()
    assert not nothing.missing
    assert not nothing.give_up()


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("told by SQLite")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "no space"), True),
        (OSError(errno.EDQUOT, "over quota"), True),
        (OSError(errno.EIO, "dead"), False),
        (sqlite_error(sqlite3.SQLITE_FULL), True),
        (sqlite_error(sqlite3.SQLITE_IOERR_SHMSIZE), False),
        (ValueError("ours"), False),
    ],
)
def test_only_want_of_space_costs_the_reserve(tmp_path: Path, error: Exception, full: bool) -> None:
    assert reserve.for_want_of_space(error, tmp_path) is full


def test_with_nothing_free_every_failed_write_is_want_of_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserve, "free_bytes", lambda _folder: 4096)
    assert reserve.for_want_of_space(sqlite_error(sqlite3.SQLITE_IOERR_SHMSIZE), tmp_path)
    assert not reserve.for_want_of_space(sqlite_error(sqlite3.SQLITE_CONSTRAINT), tmp_path)


# -- nothing can be written at all -------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["read_only", "disk_full"])
async def test_where_nothing_can_be_written_the_journal_is_looked_at(
    tight: Tight, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    async with opened(tight) as journal:
        await journal.write(lambda tx: tx.emit("kept", None, {}))
        id_ = journal.id
    before = {path.name: path.read_bytes() for path in tight.folder.iterdir() if path.name != reserve.NAME}
    (tight.folder / reserve.NAME).unlink()
    tight.full = tight.taken = True
    with pytest.raises(JournalUnusable, match="No space left"):
        await Journal.open(tight.folder, tight.hooks, reserve_bytes=SIZE)
    monkeypatch.setattr("edge_agent.journal.journal.cannot_be_written", lambda _folder: why)
    async with opened(tight) as journal:
        assert (journal.id, journal.epoch, journal.read_only, journal.store) == (id_, 1, why, "read_only")
        assert await journal.read(events) == [(1, "kept")]
        for _ in range(2):
            with pytest.raises(StoreFailed, match=why):
                await journal.write(lambda tx: tx.emit("lost", None, {}))
    after = {name: (tight.folder / name).read_bytes() for name in before}
    assert after == before


async def test_where_nothing_was_written_before_there_is_nothing_to_look_at(
    tight: Tight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.journal.journal.cannot_be_written", lambda _folder: "disk_full")
    tight.full = tight.taken = True
    with pytest.raises(JournalUnusable, match="nothing was ever written"):
        await Journal.open(tight.folder, tight.hooks, reserve_bytes=SIZE)
