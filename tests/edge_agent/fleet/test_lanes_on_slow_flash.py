"""Lanes, door and outbox on a disk whose every commit takes 50 ms: all are served, by turns, and share the commits."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import ActKind, ActSpec, Arming, Outcome, Twin, Verdict, Whereabouts
from edge_agent.fleet.lane import Lane
from edge_agent.fleet.parts import LaneParts
from edge_agent.journal.journal import CommitHooks, Journal
from edge_agent.orders.adopting import adopt
from edge_agent.orders.desk import Branch, Place
from edge_agent.orders.intake import Intake
from edge_agent.orders.reading import count_open
from edge_agent.orders.scenes import load_scenes
from tests.edge_agent.parts import BRANCH, Book, Wall

pytestmark = pytest.mark.process
FSYNC_S = 0.05
LIMIT_S = 240.0  # a run that hangs ends
ORDERS, LANES = 24, 4
ACTS = {"print_ticket": ActSpec("print_ticket", ActKind.IDEMPOTENT, "Prints a ticket.", 1.0)}
PLACES = tuple(Place(f"ticket-{n}", "ticket-printer", ACTS) for n in range(LANES))


@dataclass(slots=True)
class Quick:
    """A driver whose machine takes no time; `done` is shared by all: which device printed, in turn."""

    device: str
    done: list[tuple[str, str]]
    acts: Mapping[str, ActSpec] = field(default_factory=lambda: ACTS)
    settle_s: float = 0.0

    async def connect(self) -> None: ...

    async def disconnect(self) -> None: ...

    async def recover(self) -> None: ...

    async def probe(self) -> Twin:
        return Twin("online")

    async def arm(self, act: str, params: Mapping[str, Any]) -> Arming:
        return Arming({"attempt": params["attempt"]})

    async def act(self, act: str, params: Mapping[str, Any], arming: Arming) -> Verdict:
        self.done.append((self.device, params["attempt"]))
        return Verdict(Outcome.DONE, "printed", Whereabouts.CUSTOMER)

    async def watch(
        self, act: str, params: Mapping[str, Any], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        raise AssertionError("nothing is watched here")

    async def reconcile(self, act: str, params: Mapping[str, Any], arming: Arming) -> Verdict:
        raise AssertionError("nothing is in doubt here")


@asynccontextmanager
async def branch(folder: Path, done: list[tuple[str, str]]) -> AsyncIterator[tuple[Journal, Intake]]:
    """The lanes run; every commit waits FSYNC_S on the writer's thread, as it does for a slow card."""
    clock = Wall().clock()
    journal = await Journal.open(folder, CommitHooks(before=lambda: time.sleep(FSYNC_S)))
    try:
        await journal.write(lambda tx: adopt(tx, [], "/configuration"))
        intake = Intake(journal, Branch(BRANCH, load_scenes(), PLACES, 1000), clock)
        lanes = {
            place.device: Lane(
                LaneParts(place.device, "quick", place.role, Quick(place.device, done), journal, clock, lambda *_: None)
            )
            for place in PLACES
        }

        def wake(devices: set[str]) -> None:
            for device in devices:
                lanes[device].wake()

        journal.on_touched(wake)
        running = [asyncio.create_task(lane.run()) for lane in lanes.values()]
        try:
            yield journal, intake
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)
    finally:
        await journal.close()


def ticket(asking: Book, n: int) -> bytes:
    data = {"scene": "print_ticket", "parameters": {"number": f"A{n:03d}", "queue": "个人业务"}}
    return json.dumps(asking.envelope("order.submit", data, subject=f"o{n}")).encode()


async def test_a_branch_on_slow_flash_serves_every_lane_and_shares_the_commits(tmp_path: Path) -> None:
    done: list[tuple[str, str]] = []
    asking = Book(tmp_path)
    turns = 0

    async def go_round() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(FSYNC_S / 10)

    async with branch(tmp_path, done) as (journal, intake), asyncio.timeout(LIMIT_S):
        wear = journal.wear
        commits, transactions = wear.commits, wear.transactions
        turning = asyncio.create_task(go_round())
        await asyncio.gather(*(intake.take(ticket(asking, n)) for n in range(ORDERS)))
        accepted = wear.commits - commits
        while journal.glance(count_open):
            await journal.changed()
        turning.cancel()
        commits, transactions = wear.commits - commits, wear.transactions - transactions
    assert sorted(attempt for _, attempt in done) == sorted(f"o{n}/print/1" for n in range(ORDERS)), "each once"
    for upto in range(len(done)):
        served = [sum(device == place.device for device, _ in done[:upto]) for place in PLACES]
        assert max(served) - min(served) <= 3, "a lane waits while another is served again"
    assert accepted <= ORDERS // 3, "those who ask together are answered together"
    assert transactions >= 3 * ORDERS, "accepted, armed, settled"
    assert commits < transactions / 2, "lanes do not share their commits"
    assert turns > commits, "the loop stood still while the disk was waited for"
