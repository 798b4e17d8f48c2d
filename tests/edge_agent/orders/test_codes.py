"""What a scanned code opens: the one step that waits for it, once; and what is told of every other scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import Scan
from edge_agent.orders import codes, course
from edge_agent.orders.codes import KEPT_SCANS, Came, hash_of
from edge_agent.orders.rows import AttemptRow, OrderRow
from edge_agent.orders.scenes import load_scenes
from tests.edge_agent.orders.paper_scenes import PLACES, SCENES, play_until
from tests.edge_agent.parts import Book, Json, at
from tests.virtual_time import virtual_time

SCENE, CODE = "collect_card_by_code", "PICKUP-4417"


async def submit(book: Book, order: str = "o1", code: str | None = CODE, **data: Any) -> OrderRow:
    named = {"code_sha256": hash_of(code)} if code else {}
    return await book.submit(order, scene=SCENE, **named, **data)


async def scan(book: Book, code: str = CODE, *serves: str) -> str:
    came = await book.do(lambda tx: codes.scanned(tx, book.clock, "scanner-1", Scan(code, code[-4:], serves)))
    return came.value


def last(book: Book) -> Json:
    data: Json = book.events("code.scanned")[-1]["data"]
    return data


@pytest.mark.rule("ORD-14")
@virtual_time
async def test_an_order_waits_for_its_customers_code_and_goes_on_by_it(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        order = await submit(book)
        assert (order.state, order.waiting_for, order.reason) == ("waiting", "customer", "awaits_code")
        refused = await book.arm()
        assert isinstance(refused, course.NotNow)
        assert refused.reason == "awaits_code"
        assert await scan(book) == "released"
        assert last(book) == {
            "journal": book.journal.id,
            "seq": last(book)["seq"],
            "device": "scanner-1",
            "sha256": hash_of(CODE),
            "shown": "4417",
            "result": "released",
            "order": "o1",
            "state": "waiting",
        }
        assert (book.order().state, book.order().reason) == ("scheduled", "code_scanned")
        assert isinstance(await book.arm(), AttemptRow)


@pytest.mark.rule("ORD-14")
@virtual_time
async def test_the_same_scan_never_starts_twice_and_a_finished_order_says_so(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await submit(book)
        assert [await scan(book) for _ in range(3)] == ["released", "already", "already"]
        await book.ask("order.cancel", {}, subject="o1")
        assert (await scan(book), last(book)["state"]) == ("ended", "cancelled")
        assert sum(event["data"]["reason"] == "code_scanned" for event in book.events("order.changed")) == 1


@pytest.mark.rule("ORD-14")
@virtual_time
async def test_no_two_open_orders_wait_for_one_code_and_a_new_one_may_take_it_over(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await submit(book)
        data = {"scene": SCENE, "code_sha256": hash_of(CODE)}
        reply = await book.ask("order.submit", data, subject="o2")
        assert (reply["status"], reply["code"]) == ("rejected", "conflict")
        assert book.one("SELECT 1 FROM orders WHERE id = 'o2'") is None
        await book.ask("order.cancel", {}, subject="o1")
        await submit(book, "o3")
        assert (await scan(book), last(book)["order"]) == ("released", "o3")
        plain = await book.ask("order.submit", {"scene": "collect_card", "code_sha256": hash_of(CODE)}, subject="o4")
        assert plain["code"] == "invalid"


@pytest.mark.rule("ORD-14")
@virtual_time
async def test_what_speaks_against_it_is_told_and_nothing_is_opened(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await submit(book, not_before=at(60), deadline=at(600))
        assert await scan(book) == "too_early"
        book.wall.seconds = 61
        assert await scan(book, CODE, "card-7") == "elsewhere"
        await book.ask("order.hold", {}, subject="o1")
        assert await scan(book) == "held"
        await book.ask("order.release", {}, subject="o1")
        assert book.step("draw").awaits_code
        book.wall.seconds = 601
        assert (await scan(book), last(book)["state"]) == ("ended", "expired")
        assert book.order().state == "expired"


@virtual_time
async def test_a_code_that_is_scanned_while_an_earlier_step_is_under_way_counts(tmp_path: Path) -> None:
    scenes = load_scenes()
    steps = [s.model_copy(update={"awaits_code": s.name == "present"}) for s in scenes[SCENE].step]
    scenes = scenes | {SCENE: scenes[SCENE].model_copy(update={"step": steps})}
    async with Book(tmp_path, scenes=scenes) as book:
        await submit(book)
        assert book.order().state == "accepted"
        await book.act()
        assert await scan(book) == "released"
        assert book.order().state == "running"
        assert not book.step("present").awaits_code


@virtual_time
async def test_without_a_clock_a_scan_opens_and_the_order_waits_for_the_clock(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await submit(book, deadline=at(600))
        book.wall.known = False
        assert await scan(book) == "released"
        refused = await book.arm()
        assert isinstance(refused, course.NotNow)
        assert refused.reason == "clock_unknown"


# -- what the centre is asked ------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-14")
@pytest.mark.rule("INS-8")
@virtual_time
async def test_an_unknown_code_is_asked_about_and_answered_once(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await submit(book, code=None)
        await submit(book, "o2", code=None)
        assert await scan(book, "HEALTH-CODE-OF-SOMEBODY") == "unknown"
        asked = last(book)
        assert "HEALTH" not in str(book.events())
        assert (await book.ask("code.resolve", {"scan": asked["scan"], "order": "o9"}))["code"] == "unknown_order"
        reply = await book.ask("code.resolve", {"scan": asked["scan"], "order": "o1"})
        assert (reply["status"], reply["order"]) == ("accepted", "o1")
        assert book.order().reason == "code_scanned"
        again = await book.ask("code.resolve", {"scan": asked["scan"], "order": "o2"})
        assert again["code"] == "conflict"
        assert book.step("draw", "o2").awaits_code


@pytest.mark.rule("ORD-14")
@virtual_time
async def test_an_answer_opens_nothing_that_a_scan_itself_would_not(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await submit(book)
        await submit(book, "o2", code=None)
        assert await scan(book, "SOMETHING", "card-7") == "unknown"
        name = last(book)["scan"]
        assert (await book.ask("code.resolve", {"scan": name, "order": "o2"}))["code"] == "conflict"  # elsewhere
        await scan(book)
        assert (await book.ask("code.resolve", {"scan": name, "order": "o1"}))["code"] == "conflict"  # already
        await book.ask("order.cancel", {}, subject="o1")
        assert (await book.ask("code.resolve", {"scan": name, "order": "o1"}))["code"] == "terminal"
        assert (await book.ask("code.resolve", {"scan": name, "unknown": True}))["status"] == "accepted"
        assert (await book.ask("code.resolve", {"scan": name, "unknown": True}))["code"] == "conflict"


@virtual_time
async def test_a_scan_survives_a_restart_and_is_forgotten_behind_many_others(tmp_path: Path) -> None:
    async with Book(tmp_path, fast=True) as book:
        await submit(book, code=None)
        names = []
        for n in range(KEPT_SCANS + 1):
            await scan(book, f"STRANGER-{n}")
            names.append(last(book)["scan"])
        await book.restart()
        assert (await book.ask("code.resolve", {"scan": names[0], "order": "o1"}))["code"] == "conflict"
        assert (await book.ask("code.resolve", {"scan": names[1], "order": "o1"}))["status"] == "accepted"
        assert book.one("SELECT count(*) FROM scans")[0] == KEPT_SCANS - 1  # type: ignore[index]


@pytest.mark.parametrize("scan_id", ["", "x", "-c1", "other-c1", "{j}-c0", "{j}-c99999999999999999999", "{j}-c１"])
@virtual_time
async def test_a_scan_that_is_none_is_refused(tmp_path: Path, scan_id: str) -> None:
    async with Book(tmp_path) as book:
        await submit(book, code=None)
        await scan(book, "SOMETHING")
        name = scan_id.format(j=book.journal.id)
        assert (await book.ask("code.resolve", {"scan": name, "unknown": True}))["code"] == "conflict"


@pytest.mark.parametrize("data", [{}, {"order": "o1", "unknown": True}])
@virtual_time
async def test_an_answer_says_one_thing(tmp_path: Path, data: Json) -> None:
    async with Book(tmp_path) as book:
        assert (await book.ask("code.resolve", {"scan": "s", **data}))["code"] == "invalid"


def test_every_result_has_a_sentence_where_the_centre_asked_for_it() -> None:
    assert set(codes._WHY_NOT) == set(Came) - {Came.RELEASED, Came.UNKNOWN}


@pytest.mark.rule("ORD-14")
@virtual_time
async def test_a_scan_after_the_deadline_is_told_also_where_people_were_asked_already(tmp_path: Path) -> None:
    """Else the scanner's lane failed over it each time it came round, and took no other customer's code."""
    recipe = SCENES["paper_last"]
    steps = [s.model_copy(update={"awaits_code": s.name == "receipt"}) for s in recipe.step]
    scenes = load_scenes() | {"late": recipe.model_copy(update={"step": steps})}
    async with Book(tmp_path, scenes=scenes, places=PLACES) as book:
        await book.submit(scene="late", code_sha256=hash_of(CODE), deadline=at(100))
        await play_until(book, "receipt")
        book.wall.seconds = 101
        await book.do(lambda tx: course.expire(tx, book.order()))
        assert book.order().state == "needs_attention"
        assert (await scan(book), last(book)["state"]) == ("stopped", "needs_attention")
        reply = await book.resolve("o1", "receipt", "by_hand", "zhang", k=0)
        assert reply["status"] == "accepted", reply
        assert await scan(book) == "ended"
