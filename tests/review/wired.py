"""The order engine with the real driver over a scripted unit, in memory and on jumping time.

Knows how lane, driver and far side are put together; what happens is a test's affair.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device_drivers.crt591.driver import CardDispenser
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.links.line import SharedLine
from device_drivers.links.memory import joined_ends
from edge_agent.fleet.lane import Lane
from edge_agent.fleet.notebook import DeviceNotebook
from edge_agent.fleet.parts import LaneParts
from tests.device_drivers.crt591.bench import FarSide
from tests.edge_agent.bench import Bench
from tests.edge_agent.machine import Machine


@dataclass(slots=True)
class Wired(Bench):
    """A `Bench` whose one machine is `far`, behind the wire."""

    far: FarSide = field(init=False)
    line: SharedLine = field(init=False)
    profile: Crt591Profile = field(default_factory=lambda: Crt591Profile(act_max_s=1.0, take_min_s=20.0))

    def __post_init__(self) -> None:
        near, end = joined_ends()
        self.far, self.line = FarSide(end), SharedLine(near)

    def _seat(self, device: str, machine: Machine) -> None:
        notebook = DeviceNotebook(self.journal, device)
        driver = CardDispenser(device, self.line, self.profile, notebook, is_tcp=False)
        parts = LaneParts(device, "crt591", "card-dispenser", driver, self.journal, self.clock, self._publish)
        parts.idle_poll_s, parts.jitter = self.idle_poll_s, lambda: 0.5
        self.lanes[device] = Lane(parts)


@asynccontextmanager
async def wired(folder: Path, **members: Any) -> AsyncIterator[Wired]:
    """The agent runs, and so does the unit."""
    it = Wired(folder, **members)
    unit = asyncio.create_task(it.far.run())
    try:
        async with it:
            yield it
    finally:
        unit.cancel()
        await asyncio.wait([unit])
