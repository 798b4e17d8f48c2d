"""Nothing grows for ever: thirty days of a busy branch, with its link, its door and its upkeep, in compressed time."""

from __future__ import annotations

import asyncio
import logging
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent import timekeeper
from edge_agent.audit.verify import verify
from tests.harness.month import CALM, Evening, Month
from tests.scenarios.test_outage import traced
from tests.virtual_time import virtual_time

DAYS = 30
PER_DAY = 5
FULL_FROM = 15  # from then on as much goes as comes: seven days behind deadlines, five of audit, marks and some hours
FLAT_BYTES = 160 * 1024  # a loop keeps timers that were cancelled for a while; 435 events kept would be 200 kB and more


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A month without its log, in which the timekeeper looks each ten minutes: more looks would prove nothing more."""
    monkeypatch.setattr(timekeeper, "TICK_S", 600.0)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


async def live(folder: Path, days: int, per_day: int) -> list[Evening]:
    """Memory is traced once there is as much in the journal as there will ever be."""
    month = Month(folder, fast=True, idle_poll_s=3600.0, settings=CALM)
    loop = asyncio.get_running_loop()
    month.wall.follow = lambda: loop.time() - 1000
    evenings: list[Evening] = []
    async with month:
        try:
            for day in range(days):
                if day == FULL_FROM:
                    tracemalloc.start()
                await month.day(f"d{day}", per_day)
                month.forget()
                evenings.append(month.evening(traced))
        finally:
            tracemalloc.stop()
        assert verify(folder).findings == [], "and what is left agrees with itself"
        assert all(lane.faults == 0 for lane in month.lanes.values())
    return evenings


def judge(evenings: list[Evening]) -> None:
    full, last = evenings[FULL_FROM], evenings[-1]
    for evening in (evenings[-8], last):  # a day ends an instant earlier or later, and with it an order stays or goes
        grown_by = {table: abs(rows - full.rows[table]) for table, rows in evening.rows.items()}
        assert all(by <= 3 + 0.05 * full.rows[table] for table, by in grown_by.items()), grown_by
    assert all(last.rows[table] > 0 for table in ("inbox", "orders", "outbox", "notes", "audit"))
    assert max(evening.files for evening in evenings[FULL_FROM:]) <= 1.1 * full.files
    assert last.used <= 1.1 * full.used
    grown = last.memory - evenings[FULL_FROM + 2].memory
    assert grown < FLAT_BYTES, f"{grown} bytes more after {len(evenings) - FULL_FROM - 2} days"


@pytest.mark.rule("INS-11")
@virtual_time
async def test_thirty_days_of_a_branch_leave_disk_and_memory_as_fifteen_did(tmp_path: Path, calm: None) -> None:
    judge(await live(tmp_path, DAYS, PER_DAY))


@pytest.mark.torture
@pytest.mark.process
@pytest.mark.rule("INS-11")
@virtual_time
async def test_thirty_days_of_a_busy_branch(tmp_path: Path, calm: None) -> None:
    judge(await live(tmp_path, DAYS, 150))
