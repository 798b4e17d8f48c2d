"""Devices that observe, for the lane's tests: a counter whose raw value outlives every process, and one that speaks.

Knows what a driver of such a device owes its lane; a crash forgets the driver, never the device.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from device_drivers.actless import Actless
from device_drivers.device import Happening, Notebook, Observation, Reading, Twin
from device_drivers.errors import DeviceUnavailable
from edge_agent.fleet.notebook import DeviceNotebook
from edge_agent.fleet.parts import LaneParts
from tests.edge_agent.bench import Bench
from tests.edge_agent.machine import FakeDriver

WRAP = 1000  # a counter of three digits


@dataclass(slots=True)
class Site:
    """The device itself: what it counts, says and shows, whoever asks."""

    raw: int = 0
    says: deque[Happening] = field(default_factory=deque)
    words: dict[str, str] = field(default_factory=dict)
    up: bool = True
    cleared: bool = False  # whoever shows less lost its power: it does not wrap
    question_s: float = 0.0  # how long the answer to a question is on its way
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, people: int) -> None:
        self.raw = (self.raw + people) % WRAP

    def say(self, *what: Happening) -> None:
        self.says.extend(what)
        self.changed.set()


class Counter(Actless):
    """The driver of a site, new in each process."""

    def __init__(self, site: Site, notebook: Notebook) -> None:
        self.site = site
        self.calls: list[str] = []
        self._notebook = notebook
        self._last: int | None = None

    async def _ask(self, name: str) -> None:
        self.calls.append(name)
        await asyncio.sleep(self.site.question_s)
        if not self.site.up:
            raise DeviceUnavailable("no_answer")

    async def connect(self) -> None:
        await self._ask("connect")

    async def disconnect(self) -> None:
        self.calls.append("disconnect")

    async def probe(self) -> Twin:
        await self._ask("probe")
        return Twin("online", auxiliaries=dict(self.site.words))

    async def observe(self) -> Observation:
        await self._ask("observe")
        if self._last is None:
            memory: Mapping[str, Any] = await self._notebook.memory()
            self._last = memory.get("raw")
        now, was = self.site.raw, self._last
        self._last = now
        delta = None if was is None else (now - was) % WRAP
        flag = "wrapped" if was is not None and now < was else ""
        if flag and self.site.cleared:
            delta, flag = now, "went_back"
        words = Twin("online", auxiliaries=dict(self.site.words))
        return Observation((Reading("in", now, "people", delta, flag),), words, {"raw": now})


class Speaker(Counter):
    """One that also speaks unasked. What it read and did not return stays with it."""

    async def listen(self) -> Happening:
        self.calls.append("listen")
        while not self.site.says:
            if not self.site.up:
                raise DeviceUnavailable("line_lost")
            self.site.changed.clear()
            await self.site.changed.wait()
        return self.site.says.popleft()


class ActingCounter(FakeDriver):
    """A card machine that is also asked what it sees, now and then."""

    async def observe(self) -> Observation:
        await self._question("observe")
        return Observation((Reading("cards", 7, "cards"),))


@dataclass(slots=True)
class SensingBench(Bench):
    """A bench with sensors beside its machines. `observed`: what would go up, (device, members)."""

    sites: dict[str, Site] = field(default_factory=dict)
    speaks: bool = False
    observe_s: float = 10.0
    sensors: dict[str, Counter] = field(default_factory=dict)
    observed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    lane_parts: dict[str, LaneParts] = field(default_factory=dict)

    def _begin(self) -> None:
        for device, site in self.sites.items():
            driver = (Speaker if self.speaks else Counter)(site, DeviceNotebook(self.journal, device))
            self.sensors[device] = driver
            self._open_lane(device, "sensor", driver)
        for device, lane in self.lanes.items():
            self._equip(lane._p, device)
        Bench._begin(self)

    def _equip(self, parts: LaneParts, device: str) -> None:
        parts.observe_s = self.observe_s
        parts.tell_readings = lambda device, members: self.observed.append((device, members))
        self.lane_parts[device] = parts

    def read(self, device: str = "door") -> list[dict[str, Any]]:
        """The first reading of each look of one device."""
        return [members["readings"][0] for of, members in self.observed if of == device]

    def counted(self) -> list[dict[str, Any]]:
        return [event["data"] for event in self.events("device.counted")]
