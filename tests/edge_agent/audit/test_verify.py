"""A journal judged from outside: what an agent leaves behind agrees with itself, each disagreement is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.audit.verify import NoJournal, Verdict, verify
from edge_agent.journal import opening
from edge_agent.journal.ring import Ring
from tests.edge_agent.bench import Bench
from tests.edge_agent.journal.gate import arming, contents_of
from tests.edge_agent.machine import NEVER
from tests.edge_agent.parts import Book
from tests.virtual_time import virtual_time


async def busy(folder: Path) -> None:
    """A day with each end: completed, failed after its undoing, cancelled, one in doubt and one that is watched."""
    async with Bench(folder) as bench:
        await bench.submit("done")
        await bench.until("completed", order="done")
        bench.machine.customer_s = NEVER
        await bench.submit("left", parameters={"take_s": 7})
        await bench.until("failed", order="left")
        await bench.submit("watched", parameters={"take_s": 300})
        await bench.when(lambda: bench.order("watched").waiting_for == "customer")
        await bench.submit("cancelled")
        await bench.ask("order.cancel", {}, subject="cancelled")


def codes(verdict: Verdict) -> set[str]:
    return {found.code for found in verdict.findings}


@virtual_time
async def test_what_an_agent_leaves_behind_agrees_with_itself(tmp_path: Path) -> None:
    await busy(tmp_path)
    before = contents_of(tmp_path)
    verdict = verify(tmp_path)
    assert verdict.findings == []
    assert (verdict.good, verdict.orders) == (True, 4)
    assert verdict.events > 20
    assert verdict.attempts >= 8
    assert contents_of(tmp_path) == before, "it only read"


async def test_beside_a_running_agent(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        await book.act()
        assert verify(tmp_path).findings == []
        await book.settle("done", "transport")
        assert verify(tmp_path).findings == []


_TOLD_OTHERWISE = """UPDATE outbox SET data = replace(data, '"to":"acting"', '"to":"done"')
WHERE seq = (SELECT min(seq) FROM outbox WHERE data LIKE '%"to":"acting"%')"""
_STEP_CHANGED = "UPDATE steps SET state = 'failed' WHERE order_id = 'done' AND name = 'draw'"
SPOILT: dict[str, tuple[str, str]] = {
    "an event is missing": ("DELETE FROM outbox WHERE seq = 7", "gap"),
    "the last event is missing": ("DELETE FROM outbox WHERE seq = (SELECT max(seq) FROM outbox)", "gap"),
    "an order's state was changed": ("UPDATE orders SET state = 'failed', reason = 'x' WHERE id = 'done'", "state"),
    "a step's state was changed": (
        "UPDATE steps SET state = 'failed' WHERE order_id = 'done' AND name = 'draw'",
        "state",
    ),
    "an attempt's state was changed": ("UPDATE attempts SET state = 'failed' WHERE id = 'done/draw/1'", "state"),
    "an event tells another state": (_TOLD_OTHERWISE, "history"),
    "an event is no JSON": ("UPDATE outbox SET data = '{' WHERE type LIKE '%step.changed%'", "history"),
    "an end is not explained": ("UPDATE orders SET reason = '' WHERE id = 'left'", "unexplained"),
    "an ended order has a turn": ("UPDATE orders SET step = 'draw' WHERE id = 'done'", "turn"),
    "an open order has none": ("UPDATE orders SET step = NULL WHERE id = 'watched'", "turn"),
    "an ended order has an unsettled step": (
        "UPDATE steps SET state = 'in_doubt' WHERE order_id = 'done' AND name = 'draw'",
        "unsettled",
    ),
    "an attempt is lost": ("DELETE FROM attempts WHERE id = 'done/draw/1'", "armings"),
    "a step is lost": ("DELETE FROM steps WHERE order_id = 'done' AND name = 'draw'", "no_step"),
    "all steps are lost": ("DELETE FROM steps WHERE order_id = 'done'", "no_steps"),
}


@pytest.mark.parametrize(("sql", "code"), SPOILT.values(), ids=SPOILT)
@virtual_time
async def test_each_disagreement_is_found(tmp_path: Path, sql: str, code: str) -> None:
    await busy(tmp_path)
    with closing(sqlite3.connect(tmp_path / opening.NAME, isolation_level=None)) as db:
        assert db.execute(sql).rowcount >= 1
    assert code in codes(verify(tmp_path))


def _emptied(ring: Ring) -> None:
    for attempt in list(ring.entries):
        ring.clear(attempt)


@pytest.mark.parametrize(
    ("change", "code"),
    [(_emptied, "not_in_ring"), (lambda ring: ring.put(arming("lost/draw/1")), "only_in_ring")],
)
@virtual_time
async def test_the_ring_must_agree(tmp_path: Path, change: Callable[[Ring], None], code: str) -> None:
    await busy(tmp_path)
    with closing(Ring(tmp_path / "armed.ring")) as ring:
        change(ring)
    assert codes(verify(tmp_path)) == {code}


@virtual_time
async def test_removed_events_are_no_gap_but_others_are(tmp_path: Path) -> None:
    await busy(tmp_path)
    with closing(sqlite3.connect(tmp_path / opening.NAME, isolation_level=None)) as db:
        db.execute("DELETE FROM outbox WHERE seq <= 5")
        assert codes(verify(tmp_path)) == {"gap"}
        db.execute("INSERT INTO meta VALUES ('outbox_removed', '5')")
        assert verify(tmp_path).findings == []


@virtual_time
async def test_a_damaged_page_is_a_finding_and_no_journal_an_answer(tmp_path: Path) -> None:
    await busy(tmp_path)
    path = tmp_path / opening.NAME
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 8192] = b"\xa5" * 8192
    path.write_bytes(raw)
    assert codes(verify(tmp_path)) & {"integrity", "unreadable"}
    path.write_bytes(b"# another kind of file\n" * 300)
    assert codes(verify(tmp_path)) == {"unreadable"}
    path.unlink()
    with pytest.raises(NoJournal, match="no journal"):
        verify(tmp_path)


async def test_a_newer_journal_is_left_alone(tmp_path: Path) -> None:
    async with Book(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / opening.NAME)) as db:
        db.execute("PRAGMA user_version = 99")
    assert codes(verify(tmp_path)) == {"newer"}
