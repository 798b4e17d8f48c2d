"""A journal without predecessor: two people adopt it on site after a count, and the centre completes it by its list."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.envelope import read_envelope
from edge_agent import beginning
from edge_agent.journal.journal import Journal
from edge_agent.orders import course
from edge_agent.orders.course import NotNow
from edge_agent.orders.desk import AT_THE_BOX
from edge_agent.orders.lost_end import doubt_all
from edge_agent.orders.record import set_lane
from edge_agent.orders.rows import LaneRow
from edge_agent.settings import parse
from edge_agent.upkeep.retention import Retention
from tests.edge_agent.bench import Bench
from tests.edge_agent.parts import BRANCH, DEVICE, Book, Json, Wall
from tests.virtual_time import virtual_time

pytestmark = pytest.mark.rule("ORD-12")
SUBMIT = {"scene": "collect_card"}
FOUND = [{"device": DEVICE, "found": "98 cards, gate empty", "articles": 98}]
PEOPLE = ["/people/zhang", "/people/li"]


async def on_site(book: Book, noun: str, data: Json, source: str = "/people/zhang", **members: Any) -> Json:
    """An instruction of somebody who stands at the box; the data of its answer."""
    written = json.dumps(book.envelope(noun, data, source=source, **members)).encode()
    return await book.intake.ask(read_envelope(written), AT_THE_BOX)


def count(book: Book, **more: Any) -> Json:
    return {"journal": book.journal.id, "people": PEOPLE, "counted": FOUND, **more}


async def test_two_people_adopt_after_a_count_and_serve_whoever_is_there(tmp_path: Path) -> None:
    async with Book(tmp_path, adopted=False) as book:
        assert (await on_site(book, "order.submit", SUBMIT, subject="o1"))["code"] == "journal_new"
        reply = await on_site(book, "journal.adopt", count(book, note="after the flood"))
        assert (reply["status"], reply["result"]["people"]) == ("accepted", PEOPLE)
        assert (await on_site(book, "order.submit", SUBMIT, subject="o2"))["status"] == "accepted"
        assert not isinstance(await book.arm("o2"), NotNow)
        (told,) = [e["data"] for e in book.events("journal.changed") if e["data"]["what"] == "adopted"]
        assert told["reason"] == "after the flood"
        assert told["facts"] == {"people": PEOPLE, "authenticated": False, "counted": FOUND}


async def test_who_adopted_by_which_door_stands_in_the_audit_chain(tmp_path: Path) -> None:
    async with Book(tmp_path, adopted=False) as book:
        await on_site(book, "journal.adopt", count(book))
        row = book.one("SELECT door, who, proven, facts FROM audit WHERE act = 'journal.adopt'")
        assert row is not None
        assert (row["door"], json.loads(row["who"]), row["proven"]) == ("local", ["/people/zhang"], 0)
        assert json.loads(row["facts"])["people"] == PEOPLE


async def test_the_centres_orders_wait_for_the_centres_own_list(tmp_path: Path) -> None:
    """What it sends again may have been served by the journal that is lost: people cannot know that."""
    async with Book(tmp_path, adopted=False) as book:
        await on_site(book, "journal.adopt", count(book))
        born = json.loads(await book.outbox().birth(1))["data"]
        assert born["adopted"] is False, "so that the centre knows what to do"
        assert (await book.ask("order.submit", SUBMIT, subject="old"))["code"] == "journal_new"
        held = {"journal": book.journal.id, "orders": ["old"]}
        assert (await book.ask("journal.adopt", held))["status"] == "accepted"
        assert (await book.ask("order.submit", SUBMIT, subject="old", id="i-2"))["code"] == "conflict"
        assert (await book.ask("order.submit", SUBMIT, subject="new"))["status"] == "accepted"
        assert json.loads(await book.outbox().birth(1))["data"]["adopted"] is True
        assert (await book.ask("journal.adopt", held))["code"] == "conflict"


async def test_what_was_in_a_mouth_is_settled_by_the_count_also_over_a_restart(tmp_path: Path) -> None:
    async with Book(tmp_path, adopted=False) as book:
        lost = LaneRow(DEVICE, shut=True, reason="journal_lost", attempt="x/draw/1")
        await book.do(lambda tx: set_lane(tx, lost))
        await on_site(book, "journal.adopt", count(book))
        assert not book.lane().shut
        await book.restart()
        assert book.look(lambda tx: tx.adopted) == "people"
        assert (await on_site(book, "order.submit", SUBMIT, subject="o1"))["status"] == "accepted"


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("unauthorized", {"people": PEOPLE[:1]}),
        ("unauthorized", {"people": ["/people/zhang", "zhang", "ＺＨＡＮＧ"]}),
        ("invalid", {"counted": []}),
        ("invalid", {"counted": FOUND * 2}),
        ("invalid", {"counted": [{"device": DEVICE, "found": "  "}]}),
        ("unknown_device", {"counted": [*FOUND, {"device": "card-9", "found": "empty"}]}),
        ("invalid", {"orders": ["o1"]}),
        ("invalid", {"journal": "another"}),
    ],
)
async def test_what_is_no_adoption_on_site(tmp_path: Path, code: str, more: Json) -> None:
    async with Book(tmp_path, adopted=False) as book:
        reply = await on_site(book, "journal.adopt", count(book, **more))
        assert reply["code"] == code, reply
        assert book.look(lambda tx: tx.adopted) == ""


async def test_nobody_behind_a_broker_adopts_by_a_count_and_nobody_twice(tmp_path: Path) -> None:
    async with Book(tmp_path, adopted=False) as book:
        for source in ("/schedulers/centre", "/people/zhang"):
            assert (await book.ask("journal.adopt", count(book), source=source))["code"] == "invalid"
        await on_site(book, "journal.adopt", count(book))
        assert (await on_site(book, "journal.adopt", count(book)))["code"] == "conflict"


async def test_what_is_answered_on_site_does_not_go_up_and_a_repeat_is_one(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        first = await on_site(book, "order.submit", SUBMIT, subject="o1", id="same", deadline="2026-03-02T13:00:00Z")
        again = await on_site(book, "order.submit", SUBMIT, subject="o1", id="same", deadline="2026-03-02T13:00:00Z")
        assert again == {**first, "repeat": True}
        assert await book.outbox().unsent("replies", 10) == []


@pytest.mark.rule("INS-5")
@virtual_time
async def test_what_is_ordered_on_site_is_served_though_nobody_knows_the_time(tmp_path: Path) -> None:
    async with Bench(tmp_path, adopted=False, wall=Wall(known=False)) as bench:
        await on_site(bench, "journal.adopt", count(bench), deadline=None)
        reply = await on_site(bench, "order.submit", SUBMIT, subject="o1", deadline=None)
        assert reply["status"] == "accepted"
        bench.submitted.add("o1")
        await bench.until("completed")
        bench.verdict()


# -- a journal whose end is lost ---------------------------------------------------------------------------------------


async def begin(book: Book, journal: Journal) -> None:
    text = f'[branch]\nid = "{BRANCH}"\n[journal]\nfolder = "{journal.folder}"\n'
    await book.do(lambda tx: beginning.begin(tx, journal, book.clock, parse(text)))


async def test_orders_of_a_journal_that_lost_its_end_are_for_people_before_anything_is_done_again(
    tmp_path: Path,
) -> None:
    """An older copy was put in its place: o1's card was drawn and taken since, and this journal does not know it."""
    async with Book(tmp_path) as book:
        await book.submit("o1")
        await book.submit("o2")
    older = (tmp_path / "journal.sqlite3").read_bytes()
    async with Book(tmp_path) as book:
        await book.act("o1")
        await book.settle("done", "customer", order="o1")
        await book.do(lambda tx: set_lane(tx, LaneRow(DEVICE)))
        await book.act("o2")
    (tmp_path / "journal.sqlite3").write_bytes(older)
    async with Book(tmp_path) as book:
        assert book.journal.lost_end
        await begin(book, book.journal)
        assert book.events("journal.changed")[-1]["data"]["facts"]["lost_end"] is True
        assert (await on_site(book, "journal.adopt", count(book), id="site-1"))["status"] == "accepted"
        for order in ("o1", "o2"):
            assert isinstance(await book.arm(order), NotNow)
            assert (book.order(order).state, book.order(order).reason) == ("needs_attention", "journal_lost")
            reply = await on_site(
                book,
                "order.resolve",
                {"step": "draw", "attempt": f"{order}/draw/0", "choice": "failed", "people": PEOPLE},
                subject=order,
                id=f"site-{order}",
            )
            assert reply["status"] == "accepted", reply
            assert book.order(order).state == "failed"
        assert book.one("SELECT 1 FROM attempts") is None
        await on_site(book, "order.submit", SUBMIT, subject="o3", id="site-3")
        assert not isinstance(await book.arm("o3"), NotNow), "what is new is not in question"


async def test_an_order_that_was_back_in_the_queue_is_asked_about_too(tmp_path: Path) -> None:
    """Its lane was shut until the adoption, so it waits no more when it would be armed; or it never said a word."""
    async with Book(tmp_path) as book:
        await book.submit("o1")
        await book.submit("o2")
        await book.do(doubt_all)
        await book.do(lambda tx: set_lane(tx, LaneRow(DEVICE, shut=True, reason="journal_lost", attempt="x/draw/1")))
        await book.do(lambda tx: course.tell_queue(tx, DEVICE))
        await book.do(lambda tx: set_lane(tx, LaneRow(DEVICE)))
        await book.do(lambda tx: course.tell_queue(tx, DEVICE))
        await book.submit("o3")
        await book.do(doubt_all)
        assert [book.order(order).state for order in ("o1", "o2", "o3")] == ["scheduled", "scheduled", "accepted"]
        for order in ("o1", "o2", "o3"):
            assert isinstance(await book.arm(order), NotNow)
            assert (book.order(order).state, book.order(order).reason) == ("needs_attention", "journal_lost")
            assert (await book.resolve(order, "draw", "failed", "zhang", k=0))["status"] == "accepted"
            assert book.order(order).state == "failed"


@pytest.mark.parametrize("wait", ["no deadline passes", "deadline + 7 days pass"])
async def test_an_order_of_the_list_is_refused_also_when_its_id_was_turned_away_before(
    tmp_path: Path, wait: str
) -> None:
    """The centre sends what it holds again before it adopts; an order without a subject has its instruction's id."""
    async with Book(tmp_path, adopted=False) as book:
        assert (await book.ask("order.submit", SUBMIT, id="o-17"))["code"] == "journal_new"
        reply = await book.ask("journal.adopt", {"journal": book.journal.id, "orders": ["o-17"]})
        assert reply["status"] == "accepted", reply
        if wait.startswith("deadline"):
            book.wall.seconds = 8 * 86400.0
            await Retention(book.journal, book.clock, timedelta(days=400), sleep=no_pause).sweep()
        else:
            again = await book.ask("order.submit", SUBMIT, id="o-17")
            assert (again["code"], again["repeat"]) == ("journal_new", True), "the first answer to an id is its answer"
        reply = await book.ask("order.submit", {**SUBMIT, "retry_of": "o-17"}, subject="o-17")
        assert (reply["status"], reply["code"]) == ("rejected", "conflict"), "it may have been served already"


async def no_pause(_seconds: float) -> None:
    return None
