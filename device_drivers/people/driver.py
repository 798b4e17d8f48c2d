"""The people counter driver: looks at a module's counters and says what passed, across wraps, clearings and restarts.

Knows one module; must not know hours, orders nor who wants to know. It asks and never writes: nothing clears a counter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from device_drivers.actless import Actless
from device_drivers.device import Json, Notebook, Observation, Reading, Twin
from device_drivers.errors import DeviceRefused, DeviceUnavailable
from device_drivers.links.line import SharedLine
from device_drivers.modbus.unit import ModbusUnit
from device_drivers.people.counting import Counter, can_pass
from device_drivers.people.profile import PeopleProfile

MODELS = {"m7084": "ICP DAS M-7084", "adam605x": "Advantech ADAM-605x", "other": ""}
MEMORY = "counters"  # the member of the driver's memory


class PeopleCounter(Actless):
    """A `device.Driver` and `device.Observer`."""

    def __init__(self, device_id: str, line: SharedLine, profile: PeopleProfile, notebook: Notebook) -> None:
        self.device_id = device_id
        self._profile, self._notebook = profile, notebook
        self._unit = ModbusUnit(line, profile.unit, profile.modbus)
        self._counters: dict[str, Counter] = {}
        self._looked_s: float | None = None  # loop time of the last look; None: not since this process began

    async def connect(self) -> None:
        """Takes a share of the line; what was counted before is read from the notebook once."""
        if not self._counters:
            self._counters = self._remembered(await self._notebook.memory())
        await self._unit.connect()

    def _remembered(self, memory: Mapping[str, Json]) -> dict[str, Counter]:
        known = memory.get(MEMORY)
        found = known if isinstance(known, Mapping) else {}
        bits = self._profile.map.bits
        return {name: Counter.of(channel, bits, found.get(name)) for name, channel in self._profile.counts.items()}

    async def disconnect(self) -> None:
        await self._unit.disconnect()

    async def probe(self) -> Twin:
        """A sign of life; counts nothing."""
        await self._read()
        return self._twin()

    async def observe(self) -> Observation:
        """One look at all counters, in one question; what it makes doubtful is read once more.

        A module may answer with one word of before a carry and one of after it.
        """
        values = await self._read()
        now_s = asyncio.get_running_loop().time()
        most, preset = self._most(now_s), self._profile.preset
        if any(counter.doubts(values[name], most=most, preset=preset) for name, counter in self._counters.items()):
            values = await self._read()
        self._looked_s = now_s
        readings = tuple(self._look(name, values[name], most) for name in self._counters)
        return Observation(readings, self._twin(), {MEMORY: {n: c.memory() for n, c in self._counters.items()}})

    def _look(self, name: str, raw: int, most: int) -> Reading:
        found = self._counters[name].look(raw, most=most, preset=self._profile.preset)
        return Reading(name, raw, "people", found.delta, found.flag)

    def _most(self, now_s: float) -> int:
        """What can have passed a beam since the last look. After a restart no clock is asked: it may lie."""
        away_s = self._profile.away_max_h * 3600 if self._looked_s is None else now_s - self._looked_s
        return can_pass(away_s, self._profile.max_per_s)

    async def _read(self) -> dict[str, int]:
        map_, channels = self._profile.map, list(self._profile.counts.values())
        try:
            words = await self._unit.read_words(map_.table, *map_.span(channels))
        except DeviceRefused as error:  # a module that knows no such register is another module
            raise DeviceUnavailable(error.reason, error.detail) from error
        order = self._profile.word_order
        return {name: map_.value(words, channel, channels, order) for name, channel in self._profile.counts.items()}

    def _twin(self) -> Twin:
        """Totals are counters: they are no news by themselves."""
        jumped = any(counter.jumped for counter in self._counters.values())
        totals = {name: counter.total for name, counter in self._counters.items()}
        return Twin(
            "online",
            "counter_jumps" if jumped else "",
            identity={"model": MODELS[self._profile.model]},
            counters={**totals, **self._unit.counters()},
        )
