"""Restarts at any moment on a machine that is busy with others: no order is left standing, no event left behind.

Time moves a little at each look at a clock, so that whatever rests on two looks in a row is found out.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness import wan
from tests.harness.wan import SETTINGS, LinkedBench
from tests.scenarios.test_outage import lay
from tests.virtual_time import virtual_time

SEEDS = 40
ORDERS = 3
PATIENCE_S = 120.0  # of virtual time: many times what an order takes


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No log, and a broker near by: what an event may take is longer than its way."""
    monkeypatch.setattr(wan, "WAY_S", 0.0001)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def busy_clock(chance: random.Random) -> Callable[[], float]:
    """The loop's time, with what others took of the machine between two looks."""
    loop, lost_s = asyncio.get_running_loop(), 0.0

    def look() -> float:
        nonlocal lost_s
        lost_s += chance.choice((0.0, 0.0, 0.001, 0.01))
        return loop.time() + lost_s

    return look


class Busy(LinkedBench):
    """Its bridge looks at such a clock."""

    chance = random.Random(0)

    def _begin(self) -> None:
        LinkedBench._begin(self)
        assert self.bridge is not None
        self.bridge._clock = self.bridge._uplink._clock = busy_clock(self.chance)


async def die(bench: Busy) -> None:
    """The agent's process dies and is back; the broker sends again what was not acknowledged."""
    unacked = [message for link in bench.wan.links for message in link.delivered if not message.acked]
    links = len(bench.wan.links)
    await bench.restart()
    await bench.when(lambda: len(bench.wan.links) > links and bool(bench.wan.links[-1].subscribed))
    for message in unacked:
        message.acked = True  # it is this one's now
        bench.wan.links[-1].deliver(message.topic, message.payload)


async def live(folder: Path, seed: int) -> None:
    chance = Busy.chance = random.Random(seed)
    async with Busy(folder, fast=True) as bench:
        await bench.when(lambda: bool(bench.wan.beats()))
        for n in range(ORDERS):
            bench.wan.ask("order.submit", {"scene": "collect_card"}, subject=f"o{n}")
            bench.submitted.add(f"o{n}")
            await bench.while_s(chance.uniform(0, 4))
            if chance.random() < 0.5:
                await die(bench)
        for n in range(ORDERS):
            await bench.when(lambda n=n: bench.one("SELECT 1 FROM orders WHERE id = ?", f"o{n}") is not None)  # type: ignore[misc]
            await bench.until("completed", order=f"o{n}", patience_s=PATIENCE_S)
        for _ in range(
            2
        ):  # the last words of a day, one right behind the other: nothing follows that would wake anybody
            await bench.do(lambda tx: lay(tx, 1))
        await bench.when(lambda: bench.unsent() == 0, lambda: f"{bench.unsent()} events wait", PATIENCE_S)
        assert [up.data["seq"] for up in bench.wan.handed] == list(range(1, bench.last_seq() + 1))
        bench.verdict()


@pytest.mark.rule("OUT-3")
@pytest.mark.rule("ORD-5")
@pytest.mark.parametrize("part", range(4))
def test_whenever_it_dies_each_order_ends_and_each_event_arrives(tmp_path: Path, quiet: None, part: int) -> None:
    for seed in range(part, SEEDS, 4):

        @virtual_time
        async def day(seed: int = seed) -> None:
            folder = tmp_path / str(seed)
            folder.mkdir()
            await live(folder, seed)

        day()


def test_such_a_clock_goes_forward() -> None:
    @virtual_time
    async def look() -> None:
        clock = busy_clock(random.Random(1))
        seen = [clock() for _ in range(100)]
        assert seen == sorted(seen)
        assert seen[-1] > seen[0] + 10 * 0.01
        assert SETTINGS.max_events_per_s * 0.01 >= 1, "one look may cost more than the time of an event"

    look()
