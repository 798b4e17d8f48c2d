"""The agent outlives a disk that refuses, and says so of one that hangs."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent import app, watchdog
from edge_agent.journal.journal import CommitHooks, Journal
from tests.edge_agent.bench import Bench
from tests.edge_agent.parts import Book
from tests.virtual_time import virtual_time


@virtual_time
async def test_a_full_disk_does_not_end_the_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    async with Book(tmp_path) as book:
        book.disk.full = True
        watching = asyncio.create_task(watchdog.watch(book.journal, [], lambda: True))
        await asyncio.sleep(60)
        assert not watching.done()
        book.disk.full = False
        watching.cancel()
        await asyncio.wait([watching])


async def test_a_disk_that_hangs_is_told_while_it_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "JOURNAL_LIMIT_S", 0.02)
    hangs, goes_on = threading.Event(), threading.Event()

    def before() -> None:
        if hangs.is_set():
            goes_on.wait(5)

    journal = await Journal.open(tmp_path, CommitHooks(before))
    try:
        hangs.set()
        async with asyncio.timeout(2):
            assert "no commit" in await watchdog.ailing(journal, [], lambda: True)
    finally:
        goes_on.set()
        await journal.close()


@virtual_time
async def test_a_twin_waits_until_the_journal_can_be_read_again(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        outbox, put, fails = bench.outbox(), asyncio.Event(), [True, True, False]
        twin = outbox.twin

        async def read(device: str, members: dict[str, Any]) -> bytes:
            if fails.pop(0):
                raise StoreFailed("the journal cannot be read")
            return await twin(device, members)

        outbox.twin = read  # type: ignore[method-assign]

        class Bridge:
            def put_twin(self, device: str, payload: bytes) -> None:
                put.set()

        agent = app.Agent(None, bench.journal, bench.clock)  # type: ignore[arg-type]
        agent.twins.put("card-1", {})
        publishing = asyncio.create_task(app._publish_twins(agent, Bridge(), outbox))  # type: ignore[arg-type]
        await asyncio.wait_for(put.wait(), 60)
        publishing.cancel()
        await asyncio.wait([publishing])


@virtual_time
async def test_a_slow_machine_is_not_taken_for_a_dead_lane(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.driver.settle_s = 130.0
        bench.plan("silent_not")
        await bench.submit()
        now = asyncio.get_running_loop().time
        while not bench.order().ended:
            await asyncio.sleep(1)
            assert now() < bench.only_lane.due_s
