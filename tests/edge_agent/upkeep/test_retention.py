"""What is removed, when, and what is never: the floor, the audit period, a time that nobody vouches for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.audit.verify import verify
from edge_agent.orders.record import add_note
from edge_agent.upkeep import retention
from edge_agent.upkeep.retention import CHUNK, Retention
from tests.edge_agent.orders import points as at_point
from tests.edge_agent.orders.points import play_on
from tests.edge_agent.parts import DEVICE, Book, Json, at, marked
from tests.virtual_time import virtual_time

DAY = 86_400.0
AUDIT = timedelta(days=5)
SUBMIT: Json = {"scene": "collect_card"}
TABLES = ("inbox", "orders", "steps", "attempts", "documents", "outbox", "replies", "notes")


async def at_once(_seconds: float) -> None:
    """Nobody waits."""


def broom(book: Book, audit: timedelta = AUDIT, sleep: Callable[[float], Awaitable[None]] = at_once) -> Retention:
    return Retention(book.journal, book.clock, audit, sleep)


async def days(book: Book, count: int, audit: timedelta = AUDIT) -> int:
    """So many days go by, with one sweep each; how many rows were removed."""
    removed = 0
    for _ in range(count):
        book.wall.seconds += DAY
        removed += await broom(book, audit).sweep()
    return removed


async def acknowledged(book: Book) -> None:
    outbox = book.outbox()
    for lane in ("events", "replies"):
        rows = await outbox.unsent(lane, 100_000)
        await marked(outbox, lane, [row.key for row in rows])


def count(book: Book, table: str) -> int:
    row = book.one(f"SELECT count(*) FROM {table}")  # noqa: S608  # one of our own tables
    return int(row[0]) if row else 0


# -- the inbox and its floor -------------------------------------------------------------------------------------------


@pytest.mark.rule("INS-11")
async def test_an_answer_is_remembered_for_seven_days_behind_its_deadline(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        written = json.dumps(book.envelope("orders.request", id="i-1", deadline=at(3600))).encode()
        first = await book.take(written)
        book.wall.seconds = 3600 + 7 * DAY - 1
        await broom(book).sweep()
        assert await book.take(written) == {**first, "repeat": True}
        book.wall.seconds += 1
        await broom(book).sweep()
        assert count(book, "inbox") == 0
        again = await book.take(written)
        assert (again["code"], "repeat" in again) == ("expired", False)


@pytest.mark.rule("INS-11")
@pytest.mark.parametrize("restart", [False, True])
async def test_at_or_before_the_floor_everything_is_expired_though_nobody_knows_the_time(
    tmp_path: Path, restart: bool
) -> None:
    async with Book(tmp_path) as book:
        await book.ask("order.submit", SUBMIT, subject="o1", deadline=at(60))
        await book.ask("order.submit", SUBMIT, subject="o2", deadline=at(3600))
        book.wall.seconds = 3600 + 7 * DAY
        await broom(book).sweep()
        book.wall.known, book.wall.seconds = False, 0
        if restart:
            await book.restart()
        for subject, deadline, code in (("o3", 60, "expired"), ("o4", 3600, "expired"), ("o5", 3600.001, None)):
            reply = await book.ask("order.submit", SUBMIT, subject=subject, deadline=at(deadline))
            assert reply.get("code") == code, deadline


@pytest.mark.rule("INS-11")
async def test_the_floor_is_as_durable_as_the_removal(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.ask("order.submit", SUBMIT, subject="o1", deadline=at(60))
        book.wall.seconds = 8 * DAY
        book.disk.full = True
        with pytest.raises(StoreFailed):
            await broom(book).sweep()
        book.disk.full = False
        assert book.look(lambda tx: tx.meta("floor")) == ""
        assert count(book, "inbox") == 1
        await broom(book).sweep()
        assert book.look(lambda tx: tx.meta("floor")) == at(60)


@pytest.mark.rule("INS-11")
async def test_the_floor_never_sinks(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.ask("order.submit", SUBMIT, subject="o1", deadline=at(3600))
        book.wall.seconds = 8 * DAY
        await broom(book).sweep()
        await book.ask("orders.request", deadline=at(60))  # refused, and remembered like others
        await broom(book).sweep()
        assert count(book, "inbox") == 0
        assert book.look(lambda tx: tx.meta("floor")) == at(3600)


@pytest.mark.rule("INS-11")
async def test_what_is_sent_again_with_a_later_deadline_is_remembered_for_that_one(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        members: Json = {"id": "i-1", "subject": "o1"}
        first = await book.ask("order.submit", SUBMIT, deadline=at(60), **members)
        await book.ask("order.submit", SUBMIT, deadline=at(30 * DAY), **members)
        await book.ask("order.submit", SUBMIT, deadline=at(90), **members)
        book.wall.seconds = 20 * DAY
        await broom(book).sweep()
        again = await book.ask("order.submit", SUBMIT, deadline=at(30 * DAY), **members)
        assert again == {**first, "repeat": True}


@pytest.mark.rule("INS-11")
async def test_nothing_is_removed_while_the_time_is_not_trusted(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        await play_on(book)
        await acknowledged(book)
        await broom(book).sweep()
        before = {table: count(book, table) for table in TABLES}
        book.wall.lie_s = 400 * DAY  # somebody set it wrong: the time service still says that it is good
        assert await broom(book).sweep() == 0
        book.wall.known, book.wall.lie_s, book.wall.seconds = False, 0, 400 * DAY
        assert await broom(book).sweep() == 0
        assert {table: count(book, table) for table in TABLES} == before


@pytest.mark.rule("INS-11")
async def test_a_time_that_becomes_doubtful_between_choosing_and_removing_removes_nothing(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.ask("orders.request", deadline=at(60))
        book.wall.seconds = 8 * DAY
        await broom(book).sweep()
        assert count(book, "inbox") == 0
        await book.ask("orders.request", deadline=at(8 * DAY + 60))
        book.wall.seconds = 16 * DAY
        sweeping = broom(book)
        part = retention.parts(AUDIT)[0]
        assert await book.journal.read(lambda tx: sweeping._due(tx, part))
        book.wall.known = False
        assert await book.do(lambda tx: sweeping._remove(tx, part)) == 0
        assert count(book, "inbox") == 1


@pytest.mark.rule("INS-11")
async def test_what_had_no_deadline_goes_when_none_could_be_left(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.take(b'{"id": "g-1"}')
        await broom(book).sweep()
        await days(book, 96)
        assert count(book, "inbox") == 1
        await days(book, 2)
        assert count(book, "inbox") == 0
        meta = count(book, "meta")
        await days(book, 50)
        assert count(book, "meta") == meta, "the marks are no more than are needed"


@pytest.mark.rule("ORD-12")
async def test_orders_that_the_centre_held_before_this_journal_stay_seen(tmp_path: Path) -> None:
    async with Book(tmp_path, adopted=False) as book:
        held = {"journal": book.journal.id, "orders": ["o-old"]}
        assert (await book.ask("journal.adopt", held))["status"] == "accepted"
        await days(book, 200)
        assert (await book.ask("order.submit", SUBMIT, subject="o-old"))["code"] == "conflict"


# -- what happened -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("INS-11")
async def test_an_ended_order_goes_behind_the_audit_period_with_all_its_rows(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        await play_on(book)
        await acknowledged(book)
        await broom(book).sweep()
        await days(book, 4)
        assert (await book.ask("orders.request", {"order": "o1"}))["status"] == "accepted"
        await acknowledged(book)
        await days(book, 3)
        left = {table: count(book, table) for table in ("orders", "steps", "attempts", "outbox")}
        assert left == dict.fromkeys(left, 0)


@pytest.mark.rule("INS-11")
async def test_nothing_of_an_ended_order_stays_in_a_table_of_its_own(tmp_path: Path) -> None:
    """The hash of a customer's code, and who had decided of two before evidence came: for nobody any more."""
    kept = (
        "INSERT INTO approvals VALUES ('o1/draw/1', '/people/li', 'done', NULL, 'boot', 1.0), "
        "('o10/draw/1', '/people/li', 'done', NULL, 'boot', 1.0)"
    )
    async with Book(tmp_path) as book:
        await book.submit(scene="collect_card_by_code", code_sha256="0" * 64)
        await book.do(lambda tx: tx.do(kept))
        await book.ask("order.cancel", {}, subject="o1")
        assert book.order().state == "cancelled"
        await acknowledged(book)
        await broom(book).sweep()
        await days(book, 7)
        left = {table: count(book, table) for table in ("orders", "steps", "codes", "approvals")}
        assert left == {"orders": 0, "steps": 0, "codes": 0, "approvals": 1}, "the last is another order's"
        await book.submit(scene="collect_card_by_code", code_sha256="1" * 64)


@pytest.mark.rule("INS-11")
async def test_what_was_not_acknowledged_is_never_removed(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        await play_on(book)
        outbox = book.outbox()
        rows = await outbox.unsent("events", 1000)
        await marked(outbox, "events", [row.key for row in rows[:-1]])
        await days(book, 50)
        assert [row.key for row in await outbox.unsent("events", 1000)] == [rows[-1].key]
        assert [row.key for row in await outbox.unsent("replies", 1000)]
        assert count(book, "orders") == 1, "an event of it is still owed"
        assert verify(tmp_path).findings == []


@pytest.mark.rule("INS-11")
async def test_an_open_order_keeps_its_story_and_its_evidence(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_asks(book)
        await book.do(lambda tx: add_note(tx, DEVICE, "taken", {}))
        await acknowledged(book)
        story = book.events(order="o1")
        await days(book, 50)
        assert book.events(order="o1") == story
        assert count(book, "notes") == 1
        await book.resolve("o1", "draw", "failed", "zhang")
        assert await play_on(book) == "failed"
        await acknowledged(book)
        await days(book, 10)
        assert (count(book, "orders"), count(book, "notes"), book.events(order="o1")) == (0, 0, [])


@pytest.mark.rule("INS-11")
@pytest.mark.parametrize("lie_s", [-20 * 365 * DAY, 20 * 365 * DAY])
async def test_rows_that_a_lying_clock_wrote_are_as_old_as_they_are(tmp_path: Path, lie_s: float) -> None:
    async with Book(tmp_path) as book:
        await broom(book).sweep()
        book.wall.lie_s, book.wall.known = lie_s, False
        await book.submit()
        assert await play_on(book) == "completed"
        await acknowledged(book)
        book.wall.lie_s, book.wall.known = 0, True
        book.clock.grade()
        book.wall.seconds = 61
        book.clock.grade()
        await days(book, 5)
        assert book.events(order="o1"), "five days are not over"
        await days(book, 2)
        assert book.events(order="o1") == []


@pytest.mark.rule("INS-11")
async def test_marks_of_a_time_that_never_was_are_set_again(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        book.wall.lie_s = 20 * 365 * DAY  # from the start: nobody can see it
        await broom(book).sweep()
        await book.restart()
        book.wall.lie_s = 0
        await book.submit()
        await play_on(book)
        await acknowledged(book)
        await days(book, 8)
        assert count(book, "orders") == 0


@pytest.mark.rule("SES-6")
async def test_events_that_were_removed_are_not_promised(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        await play_on(book)
        await acknowledged(book)
        await days(book, 7)
        gone = book.look(lambda tx: tx.last_seq())
        await book.submit("o2")
        ask = {"journal": book.journal.id, "from": gone, "to": gone + 1}
        reply = await book.ask("events.request", ask)
        assert reply["code"] == "invalid"
        assert f"{gone + 1} to {gone + 1}" in reply["message"]
        assert (await book.ask("events.request", {**ask, "from": gone + 1}))["result"]["from"] == gone + 1


@pytest.mark.rule("INS-11")
async def test_a_few_rows_at_a_time_and_a_pause_between(tmp_path: Path) -> None:
    pauses = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with Book(tmp_path, fast=True) as book:
        rows = [(f"x{n}", at(0)) for n in range(3 * CHUNK + 1)]
        sql = "INSERT INTO inbox (id, digest, type, source, deadline, time, reply) VALUES (?, '', '', '', ?, '', '{}')"
        await book.do(lambda tx: tx.db.executemany(sql, rows))
        book.wall.seconds = 8 * DAY
        commits = book.disk.commits
        assert await broom(book, sleep=pause).sweep() == 3 * CHUNK + 1
        assert book.disk.commits - commits == 5, "four removals and the day's mark"
        assert len(pauses) == 4
        assert all(pauses)


@pytest.mark.rule("INS-11")
async def test_nothing_to_remove_writes_nothing(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        await broom(book).sweep()
        commits = book.disk.commits
        for _ in range(5):
            book.wall.seconds += 3600
            assert await broom(book).sweep() == 0
        assert book.disk.commits == commits


@virtual_time
async def test_it_sweeps_each_hour_and_outlives_a_full_disk(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.ask("orders.request", deadline=at(60))
        book.wall.seconds, book.disk.full = 8 * DAY, True
        task = asyncio.create_task(Retention(book.journal, book.clock, AUDIT).run())
        await asyncio.sleep(retention.SWEEP_S / 2)
        assert count(book, "inbox") == 1
        book.disk.full = False
        await asyncio.sleep(retention.SWEEP_S)
        assert count(book, "inbox") == 0
        task.cancel()
        await asyncio.wait([task])
