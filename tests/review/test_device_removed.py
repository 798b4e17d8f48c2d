"""An order whose device was taken out of the configuration says so instead of standing still in silence."""

from __future__ import annotations

from pathlib import Path

from edge_agent import app, settings
from tests.edge_agent.parts import Book

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
    agent = app.Agent(settings.parse(CONFIG.format(device=device)), book.journal, book.clock)
    await book.journal.write(lambda tx: app._begin(tx, agent))


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
