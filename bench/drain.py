"""How fast a backlog goes up, beside the broker's own rate in the same run.

Knows how a backlog is laid into a journal and counted at the far end.
"""

from __future__ import annotations

import asyncio
import json
import time

from bench.figures import Chapter, Row
from bench.load import client
from bench.stage import BRANCH, Stage
from cloud_bridge.mqtt_link import MqttLink
from cloud_bridge.topics import Topics
from edge_agent.clock import Clock
from edge_agent.journal.journal import CommitHooks, Journal
from edge_agent.journal.tx import Tx
from edge_agent.orders.record import ORDER_CHANGED

WINDOW = 100
LIMIT_S = 600.0


async def drain(events: int) -> list[Chapter]:
    """A journal with `events` unsent events, and an agent that comes online."""
    async with Stage(printers=0) as stage:
        raw_s = await _raw(stage.port, events)
        (stage.folder / "journal").mkdir()
        journal = await Journal.open(stage.folder / "journal", CommitHooks(_nothing, _nothing), Clock("host").now)
        for first in range(0, events, 1000):
            await journal.write(lambda tx, first=first: _lay(tx, first, min(1000, events - first)))  # type: ignore[misc]
        await journal.close()
        link = await MqttLink.connect(client(stage.port, "bench-hearer"))
        await link.subscribe(Topics(BRANCH).events)
        agent = await stage.start_agent()
        await agent.until_said("agent ready")
        async with asyncio.timeout(LIMIT_S):
            mine_s = await _hear(link, events)
        await link.close()
    ratio = raw_s / mine_s
    seen = f"{events / mine_s:,.0f} events/s; the broker alone {events / raw_s:,.0f}/s: {ratio:.2f}"
    rows = (Row(f"backlog of {events:,} events", seen, "≥ 0.5 of the broker's rate", ratio >= 0.5),)
    return [Chapter("Drain", rows, {"events": events, "raw_s": raw_s, "drain_s": mine_s, "ratio": ratio})]


def _nothing() -> None:
    return None


def _lay(tx: Tx, first: int, count: int) -> None:
    for number in range(first, first + count):
        order = f"O-{number}"
        data = {"order": order, "scene": "print_ticket", "from": "running", "to": "completed", "reason": "printed"}
        tx.emit(ORDER_CHANGED, order, data)


async def _hear(link: MqttLink, count: int) -> float:
    """Seconds from the first to the last of `count` messages."""
    began_s = 0.0
    for number in range(count):
        message = await link.receive()
        message.ack()
        if number == 0:
            began_s = time.perf_counter()
    return time.perf_counter() - began_s


async def _raw(port: int, count: int) -> float:
    """The same number of messages of the same size by nothing but the library, `WINDOW` in flight."""
    hearer, speaker = await MqttLink.connect(client(port, "raw-hearer")), await MqttLink.connect(client(port, "raw"))
    await hearer.subscribe("bench/raw")
    payload = json.dumps({"specversion": "1.0", "data": "x" * 450}).encode()
    slots = asyncio.Semaphore(WINDOW)

    async def publish() -> None:
        try:
            await speaker.publish("bench/raw", payload)
        finally:
            slots.release()

    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(_hear(hearer, count))
        for _ in range(count):
            await slots.acquire()
            group.create_task(publish())
    await speaker.close()
    await hearer.close()
    return hearing.result()
