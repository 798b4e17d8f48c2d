"""One writer: many transactions in one commit, each with its own fate, none told before the disk has it."""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.journal import journal as journal_module
from edge_agent.journal.journal import MAX_BATCH, Tx
from tests.edge_agent.journal.gate import Gate, arming, events, handles, held, opened


async def test_write_ahead_log_and_full_synchronisation_are_in_force(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        asked = await journal.write(
            lambda tx: [tx.all(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous")]
        )
    assert asked == ["wal", 2]  # 2 is FULL


async def test_what_waits_shares_one_commit(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        await held(journal, gate)
        before = gate.commits
        waiting = [journal.post(lambda tx: tx.emit("small", None, {})) for _ in range(MAX_BATCH)]
        gate.open()
        assert await asyncio.gather(*waiting) == list(range(2, MAX_BATCH + 2))
        assert gate.commits - before == 2  # the one that was held, and one for all the others


async def test_a_batch_is_bounded(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        await held(journal, gate)
        before = gate.commits
        waiting = [journal.post(lambda tx: None) for _ in range(3 * MAX_BATCH)]
        gate.open()
        await asyncio.gather(*waiting)
        assert gate.commits - before == 4


async def test_a_lone_write_waits_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gets: list[tuple[Any, ...]] = []

    class Watched:
        """The queue, with an eye on how it is waited for."""

        def __init__(self) -> None:
            self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
            self.put, self.get_nowait = self._queue.put, self._queue.get_nowait

        def get(self, *how: Any) -> Any:
            gets.append(how)
            return self._queue.get()

    monkeypatch.setattr(journal_module, "queue", SimpleNamespace(SimpleQueue=Watched, Empty=queue.Empty))
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        timers: list[float] = []
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "call_at", lambda when, *_, **__: timers.append(when))
        monkeypatch.setattr(loop, "call_later", lambda delay, *_, **__: timers.append(delay))
        before = gate.commits
        for _ in range(10):
            await journal.write(lambda tx: tx.emit("lone", None, {}))
        monkeypatch.undo()
        assert gate.commits - before == 10
    assert timers == []
    assert gets
    assert not any(gets), "the writer waits with a time limit"


async def test_posted_order_is_commit_order(tmp_path: Path) -> None:
    done: list[int] = []
    async with opened(tmp_path) as journal:
        futures = []
        for n in range(1000):
            future = journal.post(lambda tx, n=n: tx.emit(f"t{n}", None, {}))  # type: ignore[misc]
            future.add_done_callback(lambda _, n=n: done.append(n))  # type: ignore[misc]
            futures.append(future)
        assert await asyncio.gather(*futures) == list(range(1, 1001))
        assert done == list(range(1000))
        assert await journal.read(events) == [(n + 1, f"t{n}") for n in range(1000)]


async def test_nothing_is_told_before_the_commit(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        first = await held(journal, gate)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not first.done()
        assert await journal.read(events) == []
        gate.open()
        assert await first == 1
        assert await journal.read(events) == [(1, "first")]


# -- one job fails -----------------------------------------------------------------------------------------------------


class Mistake(Exception):
    """What a job of the tests raises."""


def _raise(error: BaseException) -> Callable[[Tx], None]:
    def work(tx: Tx) -> None:
        raise error

    return work


MISTAKES: dict[str, Callable[[Tx], object]] = {
    "own error": _raise(Mistake("no")),
    "missing key": lambda tx: dict[str, int]()["x"],
    "disk-like error of its own": _raise(OSError(errno.ENOENT, "a file of the job")),
    "stop iteration": lambda tx: next(iter(())),
    "no such table": lambda tx: tx.do("INSERT INTO nowhere VALUES (1)"),
    "not SQL": lambda tx: tx.do("INSERT OUTBOX"),
    "wrong number of values": lambda tx: tx.do("SELECT ?"),
    "value that SQLite cannot hold": lambda tx: tx.do("SELECT ?", object()),
    "number that SQLite cannot hold": lambda tx: tx.do("SELECT ?", 2**70),
    "lone surrogate": lambda tx: tx.set_meta("x", "\ud800"),
    "constraint": lambda tx: tx.do("INSERT INTO meta VALUES ('journal', NULL)"),
    "not JSON": lambda tx: tx.emit("bad", None, {"x": object()}),
    "armed, not JSON": lambda tx: tx.armed.append({"attempt": "o/s/1", "device": "d", "x": object()}),
    "armed, larger than a slot": lambda tx: tx.armed.append(arming("o" * 2000)),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_of_one_job_is_its_own(tmp_path: Path, mistake: Callable[[Tx], object]) -> None:
    """Its rows, its event, what it armed and whom it would wake are gone; its neighbours in the same commit stand."""
    gate = Gate()
    woken: set[str] = set()

    def good(device: str) -> Callable[[Tx], int]:
        def work(tx: Tx) -> int:
            tx.touched.add(device)
            tx.armed.append(arming(f"{device}/s/1", device))
            return tx.emit(device, None, {})

        return work

    def bad(tx: Tx) -> object:
        tx.emit("bad", None, {})
        tx.set_meta("bad", "1")
        tx.touched.add("bad")
        tx.armed.append(arming("bad/s/1", "bad"))
        return mistake(tx)

    async with opened(tmp_path, gate) as journal:
        journal.on_touched(woken.update)
        await held(journal, gate)
        before = gate.commits
        one, two, three = journal.post(good("a")), journal.post(bad), journal.post(good("b"))
        gate.open()
        assert await one == 2
        with pytest.raises(Exception) as failure:  # noqa: PT011  # its own error, whichever it is
            await two
        assert await three == 3, "the number of an event that was undone is given again"
        assert gate.commits - before == 2, "all three stood in one commit"
        assert "cannot write" not in str(failure.value), "the store did not fail"
        assert await journal.read(events) == [(1, "first"), (2, "a"), (3, "b")]
        assert await journal.read(lambda tx: tx.meta("bad")) == ""
        assert set(journal.ring.entries) == {"a/s/1", "b/s/1"}
        assert woken == {"a", "b"}


async def test_savepoints_are_set_only_where_something_is_undone(tmp_path: Path) -> None:
    """They copy each page that is changed: a batch of which all stands does without them."""
    said: list[str] = []

    def heard(tx: Tx) -> None:
        tx.db.set_trace_callback(said.append)
        tx.emit("heard", None, {})

    def times(word: str) -> int:
        return sum(statement.startswith(word) for statement in said)

    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        await held(journal, gate)
        good = [journal.post(heard) for _ in range(3)]
        gate.open()
        await asyncio.gather(*good)
        assert (times("SAVEPOINT"), times("INSERT INTO outbox")) == (0, 3), said
        with pytest.raises(Mistake):
            await journal.write(_raise(Mistake("no")))
        assert (times("SAVEPOINT"), times("ROLLBACK TO")) == (1, 1)


async def test_what_a_part_did_is_undone_and_the_rest_stands(tmp_path: Path) -> None:
    """Its neighbours are asked once more then, and what they did the first time is gone, in the ring too."""
    gate = Gate()
    called: list[str] = []

    def neighbour(tx: Tx) -> int:
        called.append("neighbour")
        tx.armed.append(arming(f"n{called.count('neighbour')}/s/1"))
        return tx.emit("neighbour", None, {})

    def parted(*, changes: bool) -> Callable[[Tx], int]:
        def work(tx: Tx) -> int:
            called.append("parted")
            try:
                with tx.part():
                    if changes:
                        tx.emit("undone", None, {})
                    tx.rows["x",] = 1
                    raise Mistake
            except Mistake:
                assert not tx.rows
            return tx.emit("refused", None, {})

        return work

    async with opened(tmp_path, gate) as journal:
        for changes in (False, True):
            await held(journal, gate)
            one, two = journal.post(neighbour), journal.post(parted(changes=changes))
            gate.open()
            assert [await one, await two] == ([2, 3] if not changes else [5, 6])
        told = [type_ for _, type_ in await journal.read(events)]
        assert told == ["first", "neighbour", "refused"] * 2
        assert called == ["neighbour", "parted"] * 3, "where nothing was changed nothing is done again"
        assert set(journal.ring.entries) == {"n1/s/1", "n3/s/1"}


async def test_who_gave_up_hurts_nobody(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        await held(journal, gate)
        one, two = journal.post(lambda tx: 1), journal.post(lambda tx: 2)
        one.cancel()
        gate.open()
        assert await two == 2


# -- the disk fails ----------------------------------------------------------------------------------------------------


async def test_a_commit_that_fails_fails_for_all_in_it_and_leaves_nothing(tmp_path: Path) -> None:
    gate = Gate()
    woken: set[str] = set()

    def arm(tx: Tx) -> None:
        tx.emit("lost", None, {})
        tx.armed.append(arming("o/s/1"))
        tx.touched.add("card-1")

    async with opened(tmp_path, gate) as journal:
        journal.on_touched(woken.update)
        await (first := await _let_pass(journal, gate))
        assert first.result() == 1
        gate.fail = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        jobs: list[asyncio.Future[Any]] = [
            journal.post(arm),
            journal.post(_raise(Mistake("no"))),
            journal.post(lambda tx: 3),
        ]
        for outcome in await asyncio.gather(*jobs, return_exceptions=True):
            assert isinstance(outcome, StoreFailed)
        assert os.strerror(errno.ENOSPC) in str(jobs[0].exception())
        gate.fail = None
        assert await journal.read(events) == [(1, "first")]
        assert (woken, journal.ring.entries) == (set(), {})
        assert await journal.write(lambda tx: tx.emit("next", None, {})) == 2, "it goes on, and without a gap"


async def _let_pass(journal: journal_module.Journal, gate: Gate) -> asyncio.Future[int]:
    first = await held(journal, gate)
    gate.open()
    return first


async def test_a_full_database_is_told_and_survived(tmp_path: Path) -> None:
    """SQLite's own SQLITE_FULL, which rolls the transaction back behind our back."""

    def fill(tx: Tx) -> None:
        tx.do("CREATE TABLE big (x)")
        for _ in range(100):
            tx.do("INSERT INTO big VALUES (zeroblob(100000))")

    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        await _let_pass(journal, gate)
        pages = await journal.write(lambda tx: tx.all("PRAGMA page_count")[0][0])
        await journal.write(lambda tx: tx.all(f"PRAGMA max_page_count = {pages + 4}"))
        first = await held(journal, gate)
        neighbour, big = journal.post(lambda tx: tx.emit("neighbour", None, {})), journal.post(fill)
        gate.open()
        assert await first == 2
        for outcome in await asyncio.gather(neighbour, big, return_exceptions=True):
            assert isinstance(outcome, StoreFailed), outcome
            assert "full" in str(outcome)
        await journal.write(lambda tx: tx.all("PRAGMA max_page_count = 1000000"))
        assert await journal.write(lambda tx: tx.emit("again", None, {})) == 3
        assert await journal.read(lambda tx: tx.all("SELECT 1 FROM sqlite_master WHERE name = 'big'")) == []


async def test_a_ring_that_cannot_be_written_stops_the_arming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(*_: object) -> None:
        raise OSError(errno.EIO, "dead")

    async with opened(tmp_path) as journal:
        for call in ("pwrite", "fdatasync"):
            with monkeypatch.context() as patch:
                patch.setattr(os, call, dead)
                with pytest.raises(StoreFailed, match="dead"):
                    await journal.write(lambda tx: tx.armed.append(arming("o/s/1")))
                assert await journal.write(lambda tx: 1) == 1, "who arms nothing needs no ring"
        await journal.write(lambda tx: tx.armed.append(arming("o/s/2")))
        assert "o/s/2" in journal.ring.entries


async def test_a_slot_that_cannot_be_cleared_is_no_failed_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit stands: to tell its writer otherwise would be a lie, and a stale slot only adds doubt."""

    def dead(*_: object) -> None:
        raise OSError(errno.EIO, "dead")

    async with opened(tmp_path) as journal:
        await journal.write(lambda tx: tx.armed.append(arming("o/s/1")))
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", dead)

            def settle(tx: Tx) -> int:
                tx.settled.append("o/s/1")
                return tx.emit("settled", None, {})

            assert await journal.write(settle) == 1
        assert await journal.read(events) == [(1, "settled")]


# -- cancellation, waking, closing -------------------------------------------------------------------------------------


async def test_a_cancelled_write_is_finished_first(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        gate.shut()
        write = asyncio.create_task(journal.write(lambda tx: tx.emit("kept", None, {})))
        await gate.arrived()
        for _ in range(3):  # also when somebody insists
            write.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not write.done()
        gate.open()
        with pytest.raises(asyncio.CancelledError):
            await write
        assert await journal.read(events) == [(1, "kept")]


async def test_readers_of_the_outbox_wake_for_events_that_stand_and_for_nothing_else(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        waiter = asyncio.create_task(journal.changed())
        await journal.write(lambda tx: tx.set_meta("x", "1"))
        gate.fail = OSError("dead")
        with pytest.raises(StoreFailed):
            await journal.write(lambda tx: tx.emit("lost", None, {}))
        gate.fail = None
        await asyncio.sleep(0)
        assert not waiter.done()
        await journal.write(lambda tx: tx.reply("i-1", {}))
        await waiter
        assert [row["instruction"] for row in await journal.read(lambda tx: tx.all("SELECT * FROM replies"))] == ["i-1"]


async def test_closing_finishes_what_is_queued_and_takes_nothing_more(tmp_path: Path) -> None:
    gate = Gate()
    files = handles()
    async with opened(tmp_path, gate) as journal:
        await held(journal, gate)
        queued = [journal.post(lambda tx: tx.emit("queued", None, {})) for _ in range(5)]
        closing = asyncio.create_task(journal.close())
        await asyncio.sleep(0)
        late = journal.post(lambda tx: tx.emit("late", None, {}))
        gate.open()
        await closing
        assert [await future for future in queued] == [2, 3, 4, 5, 6]
        with pytest.raises(StoreFailed, match="closed"):
            await late
        with pytest.raises(StoreFailed, match="closed"):
            await journal.write(lambda tx: None)
        with pytest.raises(StoreFailed, match="closed"):
            await journal.read(lambda tx: None)
        await journal.close()  # harmless
    async with opened(tmp_path) as journal:
        assert len(await journal.read(events)) == 6
    assert handles() == files, "a file stayed open"


async def test_a_view_cannot_write(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        with pytest.raises((sqlite3.OperationalError, StoreFailed), match="readonly"):
            await journal.read(lambda tx: tx.set_meta("x", "1"))
        assert await journal.read(lambda tx: tx.meta("x")) == ""


async def test_a_view_whose_work_fails_is_followed_by_good_ones(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        with pytest.raises(Mistake):
            await journal.read(_raise(Mistake("no")))
        with pytest.raises(sqlite3.OperationalError):
            await journal.read(lambda tx: tx.all("SELECT * FROM nowhere"))
        await journal.write(lambda tx: tx.emit("new", None, {}))
        assert await journal.read(events) == [(1, "new")], "and they see what was committed since"


@pytest.mark.rule("ENV-2")
async def test_numbers_of_events_have_no_gaps_through_undone_jobs_and_failed_commits(tmp_path: Path) -> None:
    gate = Gate()
    kept: list[int] = []

    def maybe(n: int) -> Callable[[Tx], int]:
        def work(tx: Tx) -> int:
            seq = tx.emit("e", None, {"n": n})
            if n % 3 == 0:
                raise Mistake(str(n))
            return seq

        return work

    async with opened(tmp_path, gate) as journal:
        for n in range(60):
            gate.fail = OSError("dead") if n % 7 == 0 else None
            try:
                kept.append(await journal.write(maybe(n)))
            except (Mistake, StoreFailed):
                continue
        assert len(kept) > 20
    assert kept == list(range(1, len(kept) + 1))
    async with opened(tmp_path) as journal:
        assert await journal.write(lambda tx: tx.emit("e", None, {})) == len(kept) + 1
        assert [seq for seq, _ in await journal.read(events)] == list(range(1, len(kept) + 2))
