"""A hundred thousand events after an outage: in memory to the last byte, and through a real broker that drops."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.client import Scheduler as Centre
from cloud_bridge.hearing import Kind
from tests.broker import Broker
from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.matrix import Tell
from tests.harness.wan import SETTINGS, LinkedBench
from tests.scenarios.test_outage import (
    DROPPED,
    SMALL_QUEUE,
    calm,
    fastest,
    hear,
    lay,
    out_of_order,
    pile_up,
    traced,
)
from tests.virtual_time import virtual_time

__all__ = ["calm"]  # a fixture of these tests

pytestmark = [pytest.mark.torture, pytest.mark.process]

EVENTS = 100_000
ORDERS = 20  # in a row, while it comes up
MEMORY_BYTES = 768 * 1024  # a window of events on their way, however long the backlog
RATE = 5_000.0
REACH_S = 600.0


@pytest.mark.rule("OUT-5")
@virtual_time
async def test_100000_events_come_up_behind_the_orders_and_never_stand_in_memory(
    tmp_path: Path, calm: None, tell: Tell
) -> None:
    async with LinkedBench(tmp_path, fast=True, idle_poll_s=60.0) as bench:
        wan, asked = bench.wan, list[float]()
        loop = asyncio.get_running_loop()
        wan.cut()
        for _ in range(EVENTS // 1000):
            await bench.do(lambda tx: lay(tx, 1000))
        tracemalloc.start()
        try:
            began, most = traced(), 0
            wan.there = True
            await bench.when(lambda: len(wan.beats()) > 0)
            for n in range(ORDERS):
                asked.append(loop.time())
                wan.ask("order.submit", {"scene": "collect_card"}, subject=f"new-{n}")
                bench.submitted.add(f"new-{n}")
                await bench.when(lambda n=n: len(wan.replies()) == n + 1)  # type: ignore[misc]
                assert loop.time() - asked[-1] < 2 * SETTINGS.batch / SETTINGS.max_events_per_s
                await bench.until("completed", order=f"new-{n}")
                most = max(most, traced() - began)
                assert bench.unsent() > EVENTS // 2
        finally:
            tracemalloc.stop()
        tell(f"at most {most} bytes more than before")
        assert most < MEMORY_BYTES, f"{most} bytes more while it comes up"
        while bench.unsent():
            await bench.while_s(10)
        assert not out_of_order(wan.events(), bench.last_seq())
        assert fastest(wan.events()) <= SETTINGS.max_events_per_s + SETTINGS.batch
        assert bench.watched is not None
        assert bench.watched.most <= SETTINGS.batch
        assert wan.in_hand <= 2 * SETTINGS.batch
        bench.verdict()


@pytest.mark.rule("OUT-5")
async def test_100000_events_through_a_broker_that_drops(make_branch: BranchMaker, tmp_path: Path, tell: Tell) -> None:
    with Broker(tmp_path, extra=SMALL_QUEUE) as broker:
        branch: Branch = await make_branch(port=broker.port, link={"max_events_per_s": RATE, "heartbeat_s": 1.0})
        watch: list[Kind] = ["events", "session"]
        who: dict[str, Any] = {"branch": branch.name, "client_id": "centre", "watch": watch, "resend_s": 1.0}
        agent = await branch.start_agent()
        async with Centre("127.0.0.1", broker.port, **who) as centre:
            await centre.orders()
        broker.stop()
        await agent.kill()
        for _ in range(EVENTS // 10_000):
            await pile_up(branch, 10_000)
        agent = await branch.start_agent()
        before = resident_kib(agent.pid)
        broker.start()
        async with asyncio.timeout(REACH_S):
            while DROPPED not in broker.log:  # noqa: ASYNC110 - a file of another process tells nobody that it grew
                await asyncio.sleep(0.1)
        heard: list[int] = []
        replied: list[float] = []
        loop = asyncio.get_running_loop()
        async with Centre("127.0.0.1", broker.port, **who, from_start=True) as centre:
            hearing = asyncio.create_task(hear(centre, heard))
            last, most, orders = EVENTS, 0, 0
            async with asyncio.timeout(REACH_S):
                while len(heard) < last:
                    began_s = loop.time()
                    if len(heard) < EVENTS * 0.9:
                        orders += 1
                        reply = await centre.submit("collect_card", {"take_s": 30}, order=f"o{orders}")
                        assert reply.status == "accepted"
                        await branch.until_ledger("card_taken", orders)
                    last = (await centre.orders()).after or last
                    replied.append(loop.time() - began_s)
                    most = max(most, resident_kib(agent.pid))
                    await asyncio.sleep(0.5)
            hearing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await hearing
        assert heard[:last] == list(range(1, last + 1))
        assert branch.acts() == ["card_drawn", "card_presented"] * orders
        tell(f"{orders} orders meanwhile; agent {before} KiB before, at most {most} KiB")
        assert most - before < 32 * 1024


def resident_kib(pid: int) -> int:
    """What the process holds in memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
