"""What the flash has borne is told, per order too, and outlives the process that wrote it."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.journal import wear
from edge_agent.upkeep import wearing
from edge_agent.upkeep.wearing import WearBook
from tests.edge_agent.parts import Book, Json

BYTES = 1_000_000


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the kernel says this process has written: the last entry."""
    written = [0]
    monkeypatch.setattr(wear, "bytes_written", lambda: written[-1])
    return written


def told(book: Book, worn: WearBook) -> dict[str, int]:
    return book.look(worn.told)


async def test_it_is_kept_over_restarts_and_counted_once(tmp_path: Path, account: list[int]) -> None:
    async with Book(tmp_path) as book:
        worn = WearBook(book.journal)
        await book.submit("o1")
        account.append(BYTES)
        await worn.keep()
        await worn.keep()
        await book.submit("o2")
        account.append(3 * BYTES)
        one = told(book, worn)
        assert (one["bytes"], one["orders"], one["bytes_per_order"]) == (3 * BYTES, 2, 3 * BYTES // 2)
        assert one["commits"] == book.journal.wear.commits
        assert one["transactions"] >= one["commits"]
        await worn.keep()
        await book.restart()
        worn = WearBook(book.journal)
        account.append(4 * BYTES)
        two = told(book, worn)
        assert two["bytes"] == 4 * BYTES
        assert two["commits"] == one["commits"] + book.journal.wear.commits, "the last keeping counts itself next time"


async def test_what_the_disk_did_not_take_is_put_down_later(tmp_path: Path, account: list[int]) -> None:
    async with Book(tmp_path) as book:
        worn = WearBook(book.journal)
        account.append(BYTES)
        book.disk.full = True
        with pytest.raises(StoreFailed):
            await worn.keep()
        book.disk.full = False
        await worn.keep()
        assert book.look(wearing.kept)["bytes"] == BYTES


async def test_a_killed_life_is_counted_without_a_commit_of_its_own(tmp_path: Path, account: list[int]) -> None:
    async with Book(tmp_path) as book:
        worn = WearBook(book.journal)
        book.journal.ride(worn.put_down, 0.0)
        account.append(BYTES)
        before = book.journal.wear.commits
        await book.submit("o1")
        orders_own = book.journal.wear.commits - before
        assert book.look(wearing.kept)["bytes"] == BYTES, "what a kill leaves"
        book.journal.ride(worn.put_down, 3600.0)
        account.append(2 * BYTES)
        await book.submit("o2")
        assert book.look(wearing.kept)["bytes"] == BYTES, "not with each commit"
        assert book.journal.wear.commits - before == 2 * orders_own, "none of its own"
        assert told(book, worn)["bytes"] == 2 * BYTES
        book.journal.ride(worn.put_down, 0.0)
        book.disk.full = True
        with contextlib.suppress(StoreFailed):
            await book.submit("o3")
        book.disk.full = False
        account.append(3 * BYTES)
        await worn.keep()
        await book.restart()  # another process: all of it is of earlier ones
        worn = WearBook(book.journal)
        assert told(book, worn)["bytes"] == 3 * BYTES
        book.journal.ride(worn.put_down, 0.0)
        account.append(4 * BYTES)
        await book.submit("o4")
        assert book.look(wearing.kept)["bytes"] == 4 * BYTES


async def test_where_nobody_counts_bytes_none_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wear, "bytes_written", lambda: None)
    async with Book(tmp_path) as book:
        worn = WearBook(book.journal)
        await book.submit("o1")
        await worn.keep()
        assert set(told(book, worn)) == {"commits", "transactions", "orders"}


@pytest.mark.rule("SES-2")
async def test_birth_and_heartbeat_tell_it(tmp_path: Path, account: list[int]) -> None:
    async with Book(tmp_path) as book:
        account.append(BYTES)
        await book.submit("o1")
        await WearBook(book.journal).keep()
        outbox = book.outbox()
        for payload in (await outbox.birth(1), await outbox.heartbeat(1)):
            words: Json = json.loads(payload)["data"]["wear"]
            assert words["bytes_per_order"] == words["bytes"] == BYTES
