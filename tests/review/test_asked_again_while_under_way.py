"""Events that are asked for again while their batch is on its way are sent again all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge_agent.parts import Book, marked


@pytest.mark.rule("SES-6")
async def test_a_late_acknowledgement_does_not_undo_the_request(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit("o1")
        outbox = book.outbox()
        under_way = [row.key for row in await outbox.unsent("events", 100)]
        reply = await book.ask("events.request", {"journal": book.journal.id, "from": 1, "to": 1})
        assert reply["status"] == "accepted"
        await marked(outbox, "events", under_way)
        again = [row.key for row in await outbox.unsent("events", 100)]
        assert 1 in again
        await marked(outbox, "events", again)
        assert await outbox.unsent("events", 100) == []
