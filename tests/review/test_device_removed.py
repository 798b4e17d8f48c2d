"""An order whose device was taken out of the configuration says so instead of standing still in silence."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edge_agent import app, beginning, settings
from edge_agent.orders.desk import Place
from tests.edge_agent.parts import ACTS, DEVICE, Book
from tests.edge_agent.printer import PAPER, ROLE

CONFIG = """
[branch]
id = "B0001"
[journal]
folder = "/nowhere"
[[device]]
id = "{device}"
role = "card-dispenser"
kind = "crt591"
address = "memory://line"
"""


async def begin(book: Book, device: str) -> None:
    config = settings.parse(CONFIG.format(device=device))
    await book.journal.write(lambda tx: beginning.begin(tx, book.journal, book.clock, config))


async def test_it_waits_for_its_device_and_says_why(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit("o1")
        await begin(book, "card-1")
        assert book.order("o1").state == "accepted"
        await begin(book, "card-9")
        row = book.order("o1")
        assert (row.state, row.waiting_for, row.reason) == ("waiting", "device", "device_removed")
        told = len(book.events())
        await begin(book, "card-9")
        assert len(book.events("order.changed")) == 2, "told once"
        assert len(book.events()) == told + 1
        await book.ask("order.cancel", subject="o1")
        assert book.order("o1").state == "cancelled"


class Woken:
    """A lane that is there and does nothing."""

    def wake(self) -> None:
        return None


async def test_a_later_device_that_was_removed_is_named_when_its_turn_comes(tmp_path: Path) -> None:
    """No lane serves the receipt of an order that was accepted with a printer: it would stand running for ever."""
    places = (Place(DEVICE, "card-dispenser", ACTS), Place("receipt-1", ROLE, PAPER))
    async with Book(tmp_path, places=places) as book:
        await book.submit("o1")
        agent = app.Agent(settings.parse(CONFIG.format(device=DEVICE)), book.journal, book.clock)
        agent.lanes[DEVICE] = Woken()  # type: ignore[assignment]
        await begin(book, DEVICE)
        book.journal.on_touched(agent.wake)
        for item in ("transport", "mouth", "customer"):
            await book.act()
            await book.settle("done", item)
        assert book.order("o1").step == "receipt"
        await asyncio.sleep(0)
        await book.journal.write(lambda tx: None)
        row = book.order("o1")
        assert (row.state, row.waiting_for, row.reason) == ("waiting", "device", "device_removed")
        told = len(book.events())
        await book.journal.write(lambda tx: tx.touched.add("receipt-1"))
        await book.journal.write(lambda tx: None)
        assert len(book.events()) == told, "told once"
