"""Rows that the writer keeps from one transaction to the next: never when somebody else may have changed them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.journal.journal import Journal, Tx
from edge_agent.journal.rows import KEPT_ROWS
from tests.edge_agent.journal.gate import Gate, held, opened

KEY = ("meta", "x")


class Mistake(Exception):
    """What a job of the tests raises."""


def say(value: str) -> Callable[[Tx], None]:
    return lambda tx: tx.set_meta("x", value)


async def said(journal: Journal) -> tuple[str, bool]:
    """What a transaction takes the row for, and whether it had to be asked for."""
    asked: list[str] = []

    def work(tx: Tx) -> str:
        tx.db.set_trace_callback(asked.append)
        value = tx.meta("x")
        tx.db.set_trace_callback(None)
        return value

    return await journal.write(work), bool(asked)


async def test_a_row_is_read_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        assert await said(journal) == ("", True)
        assert await said(journal) == ("", False), "that there is none is known, too"
        await journal.write(say("1"))
        assert await said(journal) == ("1", False)


async def test_the_next_transaction_of_the_same_commit_sees_what_was_made_of_it(tmp_path: Path) -> None:
    gate = Gate()
    async with opened(tmp_path, gate) as journal:
        await held(journal, gate)
        journal.post(say("1"))
        seen = asyncio.ensure_future(said(journal))
        await asyncio.sleep(0)
        journal.post(lambda tx: tx.drop_meta("x"))
        gone = asyncio.ensure_future(said(journal))
        await asyncio.sleep(0)
        gate.open()
        assert await seen == ("1", False)
        assert await gone == ("", False)


async def test_what_another_connection_committed_is_seen(tmp_path: Path) -> None:
    """SQLite tells that somebody did; nothing that was kept is believed then."""
    async with opened(tmp_path) as journal:
        await journal.write(say("1"))
        other = sqlite3.connect(journal.path, isolation_level=None)
        try:
            for value in ("2", "3"):
                other.execute("UPDATE meta SET value = ? WHERE key = 'x'", (value,))
                assert await said(journal) == (value, True)
            assert await said(journal) == ("3", False)
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            await journal.write(say("4"))
            other.execute("UPDATE meta SET value = '5' WHERE key = 'x'")
            assert await said(journal) == ("5", True), "also when the log was begun anew in between"
        finally:
            other.close()


async def test_another_process_is_seen_however_it_writes(tmp_path: Path) -> None:
    """While the journal's own commits go on, so that its own version moves too."""
    async with opened(tmp_path) as journal:
        for n in range(20):
            await journal.write(say(f"mine {n}"))
            with sqlite3.connect(journal.path, isolation_level=None) as other:
                other.execute("BEGIN IMMEDIATE")
                other.execute("UPDATE meta SET value = ? WHERE key = 'x'", (f"theirs {n}",))
                other.execute("COMMIT")
            other.close()
            assert (await said(journal))[0] == f"theirs {n}"


async def test_what_was_rolled_back_leaves_nothing_kept(tmp_path: Path) -> None:
    gate = Gate()

    def fails(tx: Tx) -> None:
        tx.set_meta("x", "lost")
        raise Mistake

    async with opened(tmp_path, gate) as journal:
        await journal.write(say("1"))
        with pytest.raises(Mistake):
            await journal.write(fails)
        assert await said(journal) == ("1", True)
        gate.fail = OSError("dead")
        with pytest.raises(StoreFailed):
            await journal.write(say("lost"))
        gate.fail = None
        assert list(journal._commits.rows) == []
        assert await said(journal) == ("1", True)


async def test_what_a_neighbour_did_stands_beside_a_mistake(tmp_path: Path) -> None:
    gate = Gate()

    def fails(tx: Tx) -> None:
        assert tx.meta("x") == "2"
        tx.set_meta("x", "lost")
        raise Mistake

    async with opened(tmp_path, gate) as journal:
        await journal.write(say("1"))
        await held(journal, gate)
        jobs: list[asyncio.Future[Any]] = [
            journal.post(say("2")),
            journal.post(fails),
            journal.post(lambda tx: tx.meta("x")),
        ]
        gate.open()
        assert [type(one) for one in await asyncio.gather(*jobs, return_exceptions=True)] == [type(None), Mistake, str]
        assert jobs[2].result() == "2"
        assert await said(journal) == ("2", False)


@pytest.mark.parametrize("looks", [False, True])
@pytest.mark.parametrize("changes", [False, True])
async def test_a_part_that_was_undone_leaves_nothing_kept(tmp_path: Path, *, changes: bool, looks: bool) -> None:
    """Not what was known before the transaction either, for that may have changed it before the part began."""

    def work(tx: Tx) -> None:
        tx.set_meta("x", "2")
        try:
            with tx.part():
                if changes:
                    tx.set_meta("x", "3")
                raise Mistake
        except Mistake:
            seen.update({tx.meta("x")} if looks else {"2"})

    seen: set[str] = set()
    async with opened(tmp_path) as journal:
        await journal.write(say("1"))
        await journal.write(work)
        assert (await said(journal))[0] == "2"
    assert seen == {"2"}


async def test_only_so_many_rows_are_kept_and_the_newest(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.write(say("1"))
        for n in range(KEPT_ROWS):
            journal.post(lambda tx, n=n: tx.set_meta(f"{n}", f"{n}"))  # type: ignore[misc]
        await journal.write(lambda tx: None)
        assert len(list(journal._commits.rows)) == KEPT_ROWS
        assert await said(journal) == ("1", True)
