"""Steps that an order can do without: left out where their device is away or cannot, never in doubt, never too soon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import ActKind, ActSpec, Arming, Outcome, Verdict, Whereabouts
from edge_agent.fleet.queue import Queue
from edge_agent.orders import course
from edge_agent.orders.desk import Place
from edge_agent.orders.reading import get_step
from edge_agent.orders.rows import StepRow
from tests.edge_agent.parts import Book, at

SHOWS = {"show_call": ActSpec("show_call", ActKind.IDEMPOTENT, "show", 5.0)}
SCREENS = (Place("screen-1", "window-screen", SHOWS, "1"), Place("hall", "hall-screen", SHOWS))


async def called(book: Book, **more: Any) -> None:
    await book.submit(scene="call_ticket", parameters={"number": "A001", "window": "1"}, **more)


async def away(book: Book, device: str = "screen-1") -> None:
    """The device's lane finds it away, and not only since a moment ago."""
    await book.do(lambda tx: Queue(device, book.clock).say_away(tx, "screen_silent"))


async def settle(book: Book, step: str, outcome: Outcome) -> None:
    """One attempt from arming to its outcome."""
    await book.do(lambda tx: course.arm(tx, "o1", step, Arming({}), book.clock))
    verdict = Verdict(outcome, "unit_refused", Whereabouts.NONE)
    await book.do(lambda tx: course.settle(tx, "o1", step, verdict))


def step(book: Book, name: str) -> StepRow:
    return book.look(lambda tx: get_step(tx, "o1", name))


@pytest.mark.rule("ORD-2")
async def test_a_step_whose_device_is_away_is_left_out_and_the_order_says_what_stands_for_it(tmp_path: Path) -> None:
    async with Book(tmp_path, places=SCREENS) as book:
        await called(book)
        await away(book)
        assert (step(book, "window").state, book.order().step) == ("skipped", "hall")
        await settle(book, "hall", Outcome.DONE)
        (ended,) = [e["data"] for e in book.events("order") if e["data"]["to"] == "partly_completed"]
        assert (ended["reason"], ended["facts"]) == (
            "screen_silent",
            {"left_out": [{"step": "window", "instead": "away"}]},
        )


async def test_an_order_of_which_nothing_is_left_has_failed(tmp_path: Path) -> None:
    async with Book(tmp_path, places=SCREENS) as book:
        await called(book)
        await away(book)
        await away(book, "hall")
        assert (book.order().state, book.order().goal_reason) == ("failed", "screen_silent")


@pytest.mark.parametrize("outcome", [Outcome.NO_EFFECT, Outcome.FAILED])
async def test_a_step_that_was_tried_twice_in_vain_is_left_out(tmp_path: Path, outcome: Outcome) -> None:
    async with Book(tmp_path, places=SCREENS) as book:
        await called(book)
        for _ in range(2):
            assert book.order().step == "window"
            await settle(book, "window", outcome)
        assert book.order().step == "hall"
        await settle(book, "hall", Outcome.DONE)
        assert book.order().state == "partly_completed"


async def test_a_step_that_will_always_be_refused_is_left_out(tmp_path: Path) -> None:
    async with Book(tmp_path, places=SCREENS) as book:
        await called(book)
        await book.do(lambda tx: course.give_up(tx, "o1", "window", "call_too_wide"))
        assert (step(book, "window").state, book.order().step) == ("skipped", "hall")


@pytest.mark.rule("ORD-5")
async def test_a_step_in_doubt_is_never_left_out(tmp_path: Path) -> None:
    async with Book(tmp_path, places=SCREENS) as book:
        await called(book)
        await book.do(lambda tx: course.arm(tx, "o1", "window", Arming({}), book.clock))
        await book.do(lambda tx: course.doubt(tx, "o1", "window", "line_lost"))
        await away(book)
        assert (step(book, "window").state, book.order().step) == ("in_doubt", "window")


@pytest.mark.parametrize("hold", [True, False])
async def test_an_order_whose_time_has_not_come_is_left_as_it_is(tmp_path: Path, hold: bool) -> None:
    async with Book(tmp_path, places=SCREENS) as book:
        await called(book, **({} if hold else {"not_before": at(3600)}))
        if hold:
            await book.ask("order.hold", {}, subject="o1")
        await away(book)
        assert (step(book, "window").state, book.order().step) == ("pending", "window")


async def test_a_step_that_an_order_cannot_lack_waits(tmp_path: Path) -> None:
    shows = {"show_text": ActSpec("show_text", ActKind.IDEMPOTENT, "show", 5.0)}
    async with Book(tmp_path, places=(Place("screen-1", "window-screen", shows, "1"),)) as book:
        await book.submit(scene="show_text", parameters={"window": "1", "text": "暂停服务"})
        await away(book)
        assert (book.order().state, book.order().waiting_for, book.order().step) == ("waiting", "device", "window")
