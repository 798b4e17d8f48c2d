"""A branch in memory with one cabinet: the real driver and the simulated lock boards under the whole order engine.

Knows who is handed to whom; what happens to the cabinet is the test's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device_drivers.cells.driver import CellCabinet
from edge_agent.custody.stock import Lot, lots_at
from edge_agent.fleet.notebook import DeviceNotebook
from edge_agent.orders.desk import Place
from edge_agent.orders.rows import OrderRow
from simulators.checker import Report, check
from tests.device_drivers.cells.bench import CELLS, profile_of
from tests.device_drivers.cells.bench import Bench as Metal
from tests.edge_agent.bench import Bench
from tests.edge_agent.parts import Book
from tests.virtual_time import run

DEVICE, ROLE = "token-1", "token-cabinet"
TAKES = {"policy": "take", "after_s": 1.0}
CELL_IDS = [f"{number:02d}" for number in range(1, CELLS + 1)]


@dataclass(slots=True)
class CellBranch(Bench):
    """`async with CellBranch(tmp_path) as branch`; the metal outlives every `restart`."""

    options: Mapping[str, Any] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=profile_of)
    role: str = ROLE
    metal: Metal | None = None
    _world: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self.machines = {}
        if self.metal is None:
            self.metal = Metal({"customer": TAKES, **self.options}, self.profile)
            self.metal.machine.device = DEVICE
            self._world = asyncio.create_task(self.metal.play(), name="lock boards")
        cells = {cell.id: cell.item is not None for cell in self.metal.profile.cell}
        driver = CellCabinet(DEVICE, self.metal.line, self.metal.profile, _Unborn())
        self.places = (Place(DEVICE, self.role, driver.acts, cells=cells),)
        await Book.open(self)
        made = CellCabinet(DEVICE, self.metal.line, self.metal.profile, DeviceNotebook(self.journal, DEVICE))
        self._open_lane(DEVICE, self.role, made)
        self.journal.on_touched(self._wake)
        self._begin()

    async def leave(self) -> None:
        """The agent and the machine are ended."""
        await self.close()
        if self._world is not None:
            self._world.cancel()
            await asyncio.wait([self._world])

    @property
    def it(self) -> Metal:
        assert self.metal is not None
        return self.metal

    # -- staff and customers -------------------------------------------------------------------------------------------

    async def load(self, *cells: str, article: str = "u_shield", confirmed: bool = True) -> None:
        """Two people say what lies in these cells: what the machine has there."""
        loads = [{"cell": cell, "article": article, "serial": f"cells-1-{cell}"} for cell in cells or CELL_IDS]
        reply = await self.replenish(*loads)
        assert reply["status"] == "accepted", reply
        if confirmed:
            await self.when(lambda: all(lot.state == "sealed" for lot in self.lots()), lambda: repr(self.lots()))

    async def replenish(self, *loads: Mapping[str, Any], people: tuple[str, ...] = ("zhang", "li")) -> dict[str, Any]:
        return await self.ask("stock.replenish", {"cells": list(loads), "people": list(people)}, subject=DEVICE)

    async def token(self, order: str = "o1", **parameters: Any) -> OrderRow:
        return await self.submit(order, scene="collect_token", parameters=parameters)

    def lots(self) -> list[Lot]:
        return self.look(lambda tx: lots_at(tx, DEVICE))

    def shelf(self) -> dict[str, str]:
        """How each cell stands in the books."""
        return {lot.cell: lot.state.value for lot in self.lots()}

    def stock_told(self) -> list[tuple[Any, ...]]:
        return self.told("stock.changed", "cell", "from", "to", "reason")

    def judged(self) -> Report:
        lines = [
            {"n": n, "t": e.at_s, "device": e.device, "kind": e.kind, "act": e.act, "detail": e.detail}
            for n, e in enumerate(self.it.effects, start=1)
        ]
        assert all(lane.faults == 0 for lane in self.lanes.values()), "a lane failed"
        return check(self.events(), [lines], submitted=self.submitted)

    def verdict(self) -> Report:
        report = self.judged()
        assert report.ok, report.table()
        return report


class _Unborn:
    """Stands for a notebook where nothing is written."""

    async def note(self, *_: Any) -> None: ...
    async def notes_since(self, *_: Any) -> list[str]:
        return []

    async def memory(self) -> Mapping[str, Any]:
        return {}

    async def remember(self, *_: Any) -> None: ...
    async def proved(self, *_: Any) -> None: ...


def with_cabinet(
    folder: Path, test: Callable[[CellBranch], Coroutine[Any, Any, None]], *, loaded: bool = True, **how: Any
) -> None:
    """Runs a test with a branch whose cells are loaded, on jumping time."""

    async def work() -> None:
        branch = CellBranch(folder, **how)
        branch.wall.follow = asyncio.get_running_loop().time
        await branch.open()
        try:
            if loaded:
                await branch.load()
            await test(branch)
        finally:
            await branch.leave()

    run(work())
