"""A branch on a full disk: nothing new is begun, what was begun comes to its end, each way is told once."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path

import pytest

from edge_agent.full_disk import ThriftyIntake
from edge_agent.journal.journal import CommitHooks, Journal
from edge_agent.journal.reserve import Reserve
from edge_agent.orders.desk import Branch
from edge_agent.steward import Steward
from edge_agent.uplink import About, JournalOutbox
from tests.edge_agent.bench import Bench
from tests.edge_agent.journal.tight import SIZE, Tight
from tests.edge_agent.parts import BRANCH, Book, Wall
from tests.virtual_time import virtual_time

pytestmark = pytest.mark.rule("OUT-4")


@pytest.fixture
def tight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tight:
    disk = Tight(tmp_path)
    disk.watch(monkeypatch)
    return disk


def keep_reserve(book: Book, disk: Tight) -> None:
    """As the agent opens it: with a reserve, and the door that minds it."""
    book.disk.hook = disk.before
    book.journal.reserve = Reserve(disk.folder, SIZE)
    book.journal.reserve.make()
    book._intake = ThriftyIntake(book.journal, Branch(BRANCH, book.scenes, book.places, book.max_open), book.clock)


async def fill(book: Book, disk: Tight) -> None:
    disk.full = True
    await book.do(lambda tx: None)
    assert book.journal.disk_full


def empty(book: Book, disk: Tight) -> None:
    disk.full = False
    assert book.journal.reserve.make()


# -- the door ----------------------------------------------------------------------------------------------------------


async def test_no_new_order_is_taken_and_everything_else_is(tmp_path: Path, tight: Tight) -> None:
    async with Book(tmp_path) as book:
        keep_reserve(book, tight)
        await book.submit("o1")
        await book.submit("o2")
        known = book.envelope("order.submit", {"scene": "collect_card"}, subject="o3", id="same")
        assert (await book.ask("order.submit", known["data"], subject="o3", id="same"))["status"] == "accepted"
        await fill(book, tight)
        reply = await book.ask("order.submit", {"scene": "collect_card"}, subject="o4")
        assert (reply["status"], reply["code"]) == ("rejected", "overloaded")
        assert "disk is full" in reply["message"]
        assert book.one("SELECT 1 FROM orders WHERE id = 'o4'") is None
        again = await book.ask("order.submit", known["data"], subject="o3", id="same")
        assert (again["status"], again["repeat"]) == ("accepted", True)
        assert (await book.ask("order.cancel", {"reason": "test"}, subject="o1"))["status"] == "accepted"
        assert (await book.ask("orders.request"))["status"] == "accepted"
        empty(book, tight)
        assert (await book.ask("order.submit", {"scene": "collect_card"}, subject="o5"))["status"] == "accepted"


# -- lanes -------------------------------------------------------------------------------------------------------------


@virtual_time
async def test_nothing_is_drawn_until_there_is_room(tmp_path: Path, tight: Tight) -> None:
    async with Bench(tmp_path) as bench:
        keep_reserve(bench, tight)
        await fill(bench, tight)
        bench.driver.up = False
        empty(bench, tight)
        await bench.submit()
        await fill(bench, tight)
        bench.driver.up = True
        await bench.when(lambda: bench.order().reason == "disk_full")
        await bench.while_s(60)
        assert bench.machine.acts() == []
        assert (bench.order().state.value, bench.order().waiting_for) == ("waiting", "device")
        told = [why for why in bench.told("order.changed", "reason") if why == "disk_full"]
        assert len(told) == 1, "said once, however often it was looked at"
        empty(bench, tight)
        await bench.until("completed")
        assert bench.machine.acts() == ["card_drawn", "card_presented"]
        bench.verdict()


@virtual_time
async def test_the_arming_that_meets_the_full_disk_arms_nothing(tmp_path: Path, tight: Tight) -> None:
    async with Bench(tmp_path) as bench:
        keep_reserve(bench, tight)
        armed = itertools.count()

        def before() -> None:
            db = bench.journal._db
            if db.execute("SELECT 1 FROM attempts WHERE state = 'armed'").fetchone() and not tight.full:
                next(armed)
                tight.full = True
            tight.before()

        bench.disk.hook = before
        await bench.submit()
        await bench.when(lambda: bench.order().reason == "disk_full")
        assert next(armed) == 1, "the disk was full at the arming, not before"
        assert bench.machine.acts() == []
        assert bench.one("SELECT 1 FROM attempts") is None
        assert not bench.journal.ring.entries


@virtual_time
async def test_what_is_in_the_machine_is_settled_undone_and_told(tmp_path: Path, tight: Tight) -> None:
    """The disk is full from the moment the card was drawn: its outcome is written, and it is captured again."""
    async with Bench(tmp_path) as bench:
        keep_reserve(bench, tight)
        await bench.submit()
        await bench.when(lambda: bench.machine.acts() == ["card_drawn"])
        await fill(bench, tight)
        await bench.when(lambda: bench.order().reason == "disk_full")
        assert bench.step("draw").state.value == "done"
        assert (await bench.ask("order.cancel", {}, subject="o1"))["status"] == "accepted"
        await bench.until("cancelled")
        assert bench.machine.acts() == ["card_drawn", "card_captured"]
        bench.verdict()


@virtual_time
async def test_a_card_in_the_mouth_is_watched_on_the_reserve(tmp_path: Path, tight: Tight) -> None:
    async with Bench(tmp_path) as bench:
        keep_reserve(bench, tight)
        await bench.submit()
        await bench.when(lambda: bench.machine.acts() == ["card_drawn", "card_presented"])
        await fill(bench, tight)
        await bench.until("completed")
        bench.verdict()


# -- told --------------------------------------------------------------------------------------------------------------


def told(book: Book) -> list[str]:
    return [what for what in book.told("journal.changed", "what") if what.startswith("disk_")]


async def test_it_is_told_once_each_way_and_the_lanes_are_woken(tmp_path: Path, tight: Tight) -> None:
    woken: list[str] = []
    async with Book(tmp_path) as book:
        for _ in range(2):
            keep_reserve(book, tight)
            steward = Steward(book.journal, lambda: woken.append("woken"), lambda: woken.append("again"))
            await steward.look()
            assert (told(book), woken) == ([], [])
            await fill(book, tight)
            await steward.look()
            await steward.look()
            assert (told(book), woken) == (["disk_full"], [])
            await book.restart()
            tight.folder.joinpath("reserve").unlink(missing_ok=True)
            book.journal.reserve = Reserve(tight.folder, SIZE)
            steward = Steward(book.journal, lambda: woken.append("woken"), lambda: woken.append("again"))
            await steward.look()
            assert told(book) == ["disk_full"], "a restart is no news"
            tight.full = False
            await steward.look()
            await steward.look()
            assert (told(book), woken) == (["disk_full", "disk_back"], ["woken"])
            await book.do(lambda tx: tx.do("DELETE FROM outbox"))
            woken.clear()


async def test_a_journal_that_can_be_written_again_asks_for_a_fresh_start(
    tmp_path: Path, tight: Tight, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Book(tmp_path):
        pass
    why = "read_only"
    monkeypatch.setattr("edge_agent.steward.cannot_be_written", lambda _folder: why)
    asked = asyncio.Event()
    journal = Journal(tmp_path, CommitHooks(), Wall().now, read_only=why)
    try:
        steward = Steward(journal, lambda: None, asked.set)
        await steward.look()
        assert not asked.is_set()
        why = ""
        await steward.look()
        assert asked.is_set()
    finally:
        await journal.close()


async def test_where_nothing_can_be_written_nothing_goes_up_that_could_not_be_marked(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        assert await book.outbox().next_session() == 1
        assert await book.outbox().unsent("events", 10)
    journal = Journal(tmp_path, CommitHooks(), Wall().now, read_only="read_only")
    try:
        outbox = JournalOutbox(journal, About(BRANCH, {}, "digest", dict), Wall().clock())
        assert await outbox.unsent("events", 10) == []
        assert await outbox.unsent("replies", 10) == []
        assert [await outbox.next_session() for _ in range(2)] == [2, 3], "each birth is another one"
        assert json.loads(await outbox.birth(3))["data"]["store"] == "read_only"
    finally:
        await journal.close()
