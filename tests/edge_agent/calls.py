"""A hall with screens in memory: real drivers on a simulated line each, in the agent's own lanes, on jumping time.

Knows who is handed to whom; what a test calls and what fails is its own affair.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from device_drivers.catalog import kind_of
from device_drivers.kinds import Wiring
from device_drivers.links.line import SharedLine
from edge_agent.fleet.lane import Lane
from edge_agent.fleet.notebook import DeviceNotebook
from edge_agent.fleet.parts import LaneParts
from edge_agent.orders.desk import Branch, Place
from edge_agent.orders.intake import Intake
from edge_agent.orders.reading import lane_of
from edge_agent.orders.rows import LaneRow
from tests.device_drivers.screens.bench import ScreenBench, screens
from tests.edge_agent.bench import Bench
from tests.edge_agent.parts import BRANCH

WINDOWS = {"screen-1": 1, "screen-2": 2}


@dataclass(slots=True)
class Hall(Bench):
    """Two strip screens on one line and one hall screen. `async with Hall(tmp_path, machines={}) as hall`."""

    lines: dict[str, ScreenBench] = field(default_factory=dict)
    _plugs: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def open(self) -> None:
        if not self.lines:  # the screens outlive the agent
            windows = await self._plugs.enter_async_context(screens("strip_screen", WINDOWS, boot="READY"))
            hall = await self._plugs.enter_async_context(screens("bx6", {"hall": 1}, boot="READY"))
            self.lines = {**dict.fromkeys(WINDOWS, windows), "hall": hall}
        await Bench.open(self)
        for device in self.lines:
            self._hang(device)
        branch = Branch(BRANCH, self.scenes, self.places, self.max_open)
        self._intake = Intake(self.journal, branch, self.clock)
        await self._end_tasks()
        self._begin()

    def _hang(self, device: str) -> None:
        bench = self.lines[device]
        kind, role = kind_of(bench.kind), "hall-screen" if device == "hall" else "window-screen"
        given: Mapping[str, Any] = (
            {"width": 24, "height": 8, "calls": 4} if device == "hall" else {"unit": WINDOWS[device], "columns": 20}
        )
        profile = kind.profile.model_validate(given)
        notebook = DeviceNotebook(self.journal, device)
        driver = kind.make(Wiring(device, f"memory://{device}", profile, notebook, lambda _: bench.line))
        parts = LaneParts(device, bench.kind, role, driver, self.journal, self.clock, self._publish)
        parts.idle_poll_s, parts.jitter = self.idle_poll_s, lambda: 0.5
        parts.observe_s = 20.0
        self.lanes[device] = Lane(parts)
        place = "" if device == "hall" else device.removeprefix("screen-")
        self.places = (*(p for p in self.places if p.device != device), Place(device, role, driver.acts, place))

    async def restart(self) -> None:
        """The agent dies and another one comes; lines are opened anew."""
        await self._end_tasks()
        for device, bench in self.lines.items():
            self.lines[device].line = SharedLine(bench.near) if device != "screen-2" else self.lines["screen-1"].line
        await Bench.close(self)
        await self.open()

    async def close(self) -> None:
        await Bench.close(self)
        await self._plugs.aclose()

    async def call(self, order: str, number: str, window: str, **more: Any) -> None:
        """An order as the centre sends it."""
        await self.submit(order, scene="call_ticket", parameters={"number": number, "window": window, **more})

    def look_lane(self, device: str) -> LaneRow:
        return self.look(lambda tx: lane_of(tx, device))

    def lit(self, device: str) -> list[str]:
        return self.lines[device].lit(device)

    async def power(self, device: str, *, on: bool) -> None:
        self.lines[device].ask(device, do="power", on=on)
        await asyncio.sleep(0)
