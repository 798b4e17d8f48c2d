"""The most that a journal may hold: what goes first, what never goes, who is turned away, and what is told of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_agent.full_disk import ThriftyIntake
from edge_agent.orders.desk import Branch
from edge_agent.upkeep import ceiling
from edge_agent.upkeep.ceiling import AGAIN_S, Ceiling, Policy
from edge_agent.upkeep.size import Size, begin_counting, note_gone, size_of
from tests.edge_agent.orders.points import play_on
from tests.edge_agent.parts import BRANCH, Book, Json
from tests.edge_agent.upkeep.test_retention import TABLES, acknowledged, at_once, count, days

SUBMIT: Json = {"scene": "collect_card"}
GROWS = ("outbox", "replies", "inbox", "notes", "audit")


def keep(book: Book, policy: Policy) -> Ceiling:
    """As the agent does it: with a door that minds the ceiling."""
    book._intake = ThriftyIntake(book.journal, Branch(BRANCH, book.scenes, book.places, book.max_open), book.clock)
    return Ceiling(book.journal, policy, book.wall.steady, at_once)


def rows(book: Book) -> int:
    return sum(count(book, table) for table in GROWS)


def told(book: Book) -> list[str]:
    return [what for what in book.told("journal.changed", "what") if what in ("shed", "journal_full", "journal_back")]


async def fill(book: Book, orders: int, name: str = "f") -> None:
    for n in range(orders):
        await book.submit(f"{name}{n}")
        await play_on(book, f"{name}{n}")
    await acknowledged(book)


@pytest.mark.rule("OUT-4")
@pytest.mark.rule("DEV-4")
async def test_what_may_be_shed_goes_first_and_is_told_and_nothing_else_goes(tmp_path: Path) -> None:
    async with Book(tmp_path, fast=True) as book:
        await fill(book, 20)
        before = {table: count(book, table) for table in (*TABLES, "audit")}
        above = keep(book, Policy(max_rows=rows(book) - 10))
        await above.look()
        after = {table: count(book, table) for table in (*TABLES, "audit")}
        shed = before["replies"] - after["replies"]
        assert shed > 0
        assert {**before, "replies": after["replies"], "outbox": before["outbox"] + 1} == after
        (facts,) = [e["data"]["facts"] for e in book.events("journal.changed") if e["data"]["what"] == "shed"]
        assert facts == {"replies": shed}
        assert told(book) == ["shed"], "there is room: nobody is turned away"
        assert (await book.ask("order.submit", SUBMIT, subject="new"))["status"] == "accepted"


@pytest.mark.rule("OUT-4")
async def test_an_answer_that_the_broker_does_not_have_is_not_shed(tmp_path: Path) -> None:
    async with Book(tmp_path, fast=True) as book:
        await fill(book, 3)
        await book.ask("orders.request")
        above = keep(book, Policy(max_rows=1))
        await above.look()
        assert count(book, "replies") == 1
        assert len(await book.outbox().unsent("replies", 10)) == 1


@pytest.mark.rule("OUT-4")
async def test_a_repeat_is_answered_though_its_answer_was_shed(tmp_path: Path) -> None:
    async with Book(tmp_path, fast=True) as book:
        first = await book.ask("order.submit", SUBMIT, subject="o1", id="same")
        await acknowledged(book)
        await keep(book, Policy(max_rows=1)).look()
        assert count(book, "replies") == 0
        again = await book.ask("order.submit", SUBMIT, subject="o1", id="same")
        assert again == {**first, "repeat": True}


@pytest.mark.rule("OUT-4")
@pytest.mark.parametrize("restart", [False, True])
async def test_when_nothing_more_may_go_new_orders_are_turned_away_and_all_else_goes_on(
    tmp_path: Path, restart: bool
) -> None:
    async with Book(tmp_path, fast=True) as book:
        await fill(book, 5)
        await book.submit("open")
        policy = Policy(max_rows=rows(book) - count(book, "replies") - 3)
        above = keep(book, policy)
        await above.look()
        await above.look()
        if restart:
            await book.restart()
            above = keep(book, policy)
            await above.look()
        assert told(book) == ["shed", "journal_full"], "each way once"
        assert json.loads(await book.outbox().birth(1))["data"]["store"] == "journal_full"
        assert (await book.ask("order.submit", SUBMIT, subject="new"))["code"] == "overloaded"
        assert await play_on(book, "open") == "completed", "what was accepted is served"
        assert (await book.ask("orders.request"))["status"] == "accepted"
        await acknowledged(book)
        above = keep(book, Policy(max_rows=policy.max_rows * 2))
        await above.look()
        assert told(book)[-1] == "journal_back"
        assert json.loads(await book.outbox().birth(1))["data"]["store"] == "good"
        assert (await book.ask("order.submit", SUBMIT, subject="new", id="i-x"))["status"] == "accepted"


@pytest.mark.rule("OUT-4")
async def test_bytes_count_as_well_as_rows_and_those_that_are_free_do_not(tmp_path: Path) -> None:
    async with Book(tmp_path, fast=True) as book:
        await fill(book, 5)
        size = book.look(size_of)
        await keep(book, Policy(max_bytes=size.bytes // 2)).look()
        assert told(book)[-1] == "journal_full"
        await book.do(lambda tx: tx.do("DELETE FROM outbox"))
        await acknowledged(book)
        less = book.look(size_of)
        assert less.bytes < size.bytes
        assert less.free > 0


@pytest.mark.parametrize(
    ("policy", "size", "share", "over"),
    [
        (Policy(), Size(10**12, 10**9, 0), 1.0, False),
        (Policy(100, 0), Size(100, 10**9, 0), 1.0, False),
        (Policy(100, 0), Size(101, 0, 10**9), 1.0, True),
        (Policy(0, 100), Size(10**12, 101, 0), 1.0, True),
        (Policy(100, 100), Size(96, 0, 0), ceiling.BACK, True),
    ],
)
def test_when_it_is_too_much(policy: Policy, size: Size, share: float, over: bool) -> None:
    assert policy.is_over(size, share) is over


async def test_while_it_stays_full_it_is_shed_and_told_once_an_hour(tmp_path: Path) -> None:
    async with Book(tmp_path, fast=True) as book:
        await fill(book, 5)
        above = keep(book, Policy(max_rows=1))
        for _ in range(3):
            await book.ask("orders.request")
            await acknowledged(book)
            await above.look()
        assert told(book) == ["shed", "journal_full"]
        book.wall.seconds += AGAIN_S
        await above.look()
        assert told(book) == ["shed", "journal_full", "shed"]


async def test_rows_are_known_without_counting_whatever_was_removed(tmp_path: Path) -> None:
    """Also of a journal that an agent began which did not count yet."""
    async with Book(tmp_path, fast=True) as book:
        await fill(book, 3, "a")
        await days(book, 8)
        assert count(book, "orders") == 0
        await fill(book, 2, "b")
        await book.do(begin_counting)
        assert book.look(size_of).rows == rows(book)
        await days(book, 8)
        await fill(book, 4, "c")
        await book.take(b"{")
        await keep(book, Policy(max_rows=1)).look()
        assert book.look(size_of).rows == rows(book)
        await book.do(lambda tx: note_gone(tx, "orders", 7))
        assert book.look(size_of).rows == rows(book), "that table is not among those that are counted"


async def test_a_look_with_nothing_to_do_writes_nothing(tmp_path: Path) -> None:
    async with Book(tmp_path, fast=True) as book:
        await fill(book, 2)
        above = keep(book, Policy(10**9, 10**9))
        await above.look()
        commits = book.disk.commits
        for _ in range(5):
            await above.look()
        assert book.disk.commits == commits
