"""Thirty days of a branch in compressed time, with everything that keeps its journal small: what it holds each evening.

Knows which tasks an agent runs beside its lanes and link; what must be flat is said by whoever looks at the evenings.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from edge_agent.orders.record import add_note
from edge_agent.upkeep.ceiling import Ceiling, Policy
from edge_agent.upkeep.retention import Retention
from edge_agent.upkeep.size import size_of
from edge_agent.upkeep.wearing import WearBook
from tests.edge_agent.parts import DEVICE
from tests.harness.wan import SETTINGS, LinkedBench

DAY_S = 86_400.0
AUDIT = timedelta(days=5)
CALM = replace(SETTINGS, heartbeat_s=1800.0)
GROWS = ("inbox", "orders", "steps", "attempts", "outbox", "replies", "notes", "audit")


@dataclass(frozen=True, slots=True)
class Evening:
    """`files`: bytes of everything in the journal's folder. `memory`: what the product holds, where it is traced."""

    rows: dict[str, int]
    files: int
    used: int
    memory: int


@dataclass(slots=True)
class Month(LinkedBench):
    """A linked bench on one clock with its loop, and what an agent does for its journal meanwhile."""

    ceiling: Policy = field(default_factory=Policy)

    def _begin(self) -> None:
        LinkedBench._begin(self)
        worn = WearBook(self.journal)
        retention = Retention(self.journal, self.clock, AUDIT, wear=worn)
        above = Ceiling(self.journal, self.ceiling, asyncio.get_running_loop().time)
        self._tasks += [
            asyncio.create_task(retention.run(), name="retention"),
            asyncio.create_task(_hourly(above), name="ceiling"),
        ]

    async def day(self, name: str, orders: int) -> None:
        """Customers one after the other, and a centre that looks at each of their orders."""
        for n in range(orders):
            order = f"{name}-{n}"
            await self.submit(order)
            await self.while_s(DAY_S / orders)
            assert self.order(order).ended, f"{order} was not served"
            await self.ask("orders.request", {"order": order})
            await self.do(lambda tx: add_note(tx, DEVICE, "taken", {}))
        await self.take(b"{")
        await self.when(lambda: self.unsent() == 0)

    def evening(self, traced: Callable[[], int]) -> Evening:
        counted = {table: self.one(f"SELECT count(*) FROM {table}") for table in GROWS}  # noqa: S608  # our own tables
        rows = {table: int(row[0]) if row else 0 for table, row in counted.items()}
        files = sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())
        gc.collect()
        memory = traced() if tracemalloc.is_tracing() else 0
        return Evening(rows, files, self.look(size_of).bytes, memory)

    def forget(self) -> None:
        """What the test's own side keeps of days that are over is not the branch's memory."""
        self.wan.up.clear()
        self.wan.handed.clear()
        self.wan.links[-1].said.clear()
        self.driver.calls.clear()
        self.driver.asked_at.clear()
        self.twins.clear()
        self.machine.ledger.clear()
        self.machine.drawn_for.clear()


async def _hourly(above: Ceiling) -> None:
    while True:
        await above.look()
        await asyncio.sleep(3600)
