"""Orders behind a shut lane say so, and are back in the queue when people settled what shut it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.orders import course
from edge_agent.orders.listing import MAX_STORY_BYTES
from tests.edge_agent.bench import Bench
from tests.edge_agent.parts import Book
from tests.virtual_time import virtual_time


@pytest.mark.rule("ORD-2", "PHY-7")
@virtual_time
async def test_the_next_in_the_queue_says_that_the_lane_is_shut_and_goes_on_when_it_is_open(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("jam")
        await bench.submit("o1")
        await bench.until("needs_attention", order="o1")
        await bench.submit("o2")
        waiting = await bench.until("waiting", order="o2")
        assert (waiting.waiting_for, waiting.reason) == ("device", "lane_shut")
        await bench.resolve("o1", "draw", "capture", "zhang")
        await bench.until("completed", order="o2")
        bench.verdict()


async def test_a_waiting_order_says_its_newest_reason_once(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        order = await book.submit()
        for reason in ("error_bin_full", "card_in_transport", "card_in_transport"):
            await book.do(lambda tx, why=reason: course.wait(tx, order, "device", why))  # type: ignore[misc]
            assert book.order().reason == reason
        told = [e["data"]["reason"] for e in book.events("order.changed") if e["data"]["to"] == "waiting"]
        assert told == ["error_bin_full", "card_in_transport"]


async def test_a_long_story_is_cut_by_its_bytes(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        order = await book.submit()
        for n in range(150):
            await book.do(lambda tx, n=n: course.wait(tx, order, "device", f"{n} " + "x" * 4000))  # type: ignore[misc]
        reply = await book.ask("orders.request", {"order": "o1"})
        history = reply["result"]["orders"][0]["history"]
        assert history[-1]["reason"].startswith("149 ")
        assert 50_000 < len(str(history)) < MAX_STORY_BYTES * 1.2
