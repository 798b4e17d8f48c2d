"""A journal that gives back what it does not need: a few pages at a time, whoever else writes, and nothing is lost.

That no lane waits is shown by the order of operations, not by a clock.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge_agent.journal import opening
from edge_agent.journal.journal import Journal
from edge_agent.journal.tx import Tx
from edge_agent.upkeep import compaction
from edge_agent.upkeep.compaction import LEAST_BYTES, STEP_PAGES, compact
from edge_agent.upkeep.size import size_of
from tests.edge_agent.journal.gate import opened
from tests.edge_agent.upkeep.test_retention import at_once

pytestmark = pytest.mark.rule("OUT-4")
ROWS = 3000
WORDS = "x" * 4000  # a page each


async def once_long(journal: Journal) -> None:
    """A journal most of which was removed again: every tenth row is left."""
    journal._db.execute("PRAGMA synchronous = OFF")  # nothing but the speed of a commit depends on it
    rows = [("t", "", f'{{"n":{n},"words":"{WORDS}"}}') for n in range(ROWS)]
    sql = "INSERT INTO outbox (type, time, data, sent) VALUES (?, ?, ?, 1)"
    await journal.write(lambda tx: tx.db.executemany(sql, rows))
    await journal.write(lambda tx: tx.do("DELETE FROM outbox WHERE seq % 10"))


def whole(tx: Tx) -> list[tuple[int, str]]:
    return [(row["seq"], row["data"]) for row in tx.all("SELECT seq, data FROM outbox ORDER BY seq")]


async def test_the_file_gets_shorter_and_holds_what_it_held(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await once_long(journal)
        before, size = await journal.read(whole), await journal.read(size_of)
        assert size.free > LEAST_BYTES
        given_back = await compact(journal, at_once)
        left = await journal.read(size_of)
        assert given_back == size.free - left.free
        assert left.free < max(LEAST_BYTES // 2, (left.free + left.bytes) // 8)
        assert await journal.read(whole) == before
        assert await journal.read(lambda tx: tx.all("PRAGMA integrity_check")[0][0]) == "ok"
        length = (tmp_path / opening.NAME).stat().st_size
    assert (tmp_path / opening.NAME).stat().st_size <= length
    assert (tmp_path / opening.NAME).stat().st_size < size.bytes + size.free - given_back // 2


async def test_a_lane_waits_for_one_step_of_a_few_pages_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    moved: list[int] = []
    step = compaction.step

    def watched(tx: Tx) -> None:
        before = size_of(tx)
        step(tx)
        order.append("step")
        moved.append((before.free - size_of(tx).free) // 4096)

    monkeypatch.setattr(compaction, "step", watched)
    async with opened(tmp_path) as journal:
        await once_long(journal)
        working = True

        def arm(tx: Tx) -> None:
            order.append("lane")
            tx.emit("t", None, {})

        async def lane() -> None:
            while working:
                await journal.write(arm)

        serving = asyncio.create_task(lane())
        await compact(journal, at_once)
        working = False
        await serving
    assert order.count("step") > 20
    assert "step step" not in " ".join(order), "each lane that waits is served before the next step"
    assert STEP_PAGES <= max(moved) <= STEP_PAGES + 2, "and the pages that tell who points at the moved ones"


async def test_little_that_is_free_is_left_for_the_next_orders(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.write(lambda tx: [tx.emit("t", None, {"words": WORDS}) for _ in range(100)])
        await journal.write(lambda tx: tx.do("DELETE FROM outbox"))
        commits = journal.commits
        assert (await journal.read(size_of)).free > 0
        assert await compact(journal, at_once) == 0
        assert journal.commits == commits


async def test_a_journal_that_an_older_agent_began_keeps_its_free_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path) as journal:
        await once_long(journal)
        monkeypatch.setattr(compaction, "can_shrink", lambda _tx: False)
        free = (await journal.read(size_of)).free
        assert await compact(journal, at_once) == 0
        assert (await journal.read(size_of)).free == free


async def test_whoever_frees_faster_than_is_given_back_does_not_keep_it_going(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await once_long(journal)
        rounds = 0

        async def free_more(_seconds: float) -> None:
            nonlocal rounds
            rounds += 1
            await journal.write(lambda tx: tx.do("DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox LIMIT 60)"))

        await compact(journal, free_more)
        assert rounds < 20
