"""What devices observed, until somebody takes it up: the newest few of each, the rest is shed and counted (DEV-4).

And the last of each name, for whoever looks at the branch. Knows devices and age; must not know journal, messages nor
who takes them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cloud_bridge.ports import READING_EXPIRY_S

PER_DEVICE = 8  # a link that is away for a moment costs none of them, one that is away for long no memory
MOST_NAMES = 32  # of one device; a counter has a handful


@dataclass(slots=True)
class _Waiting:
    """One device's: (loop time, members), oldest first."""

    looks: deque[tuple[float, dict[str, Any]]] = field(default_factory=deque)
    shed: int = 0  # since the last one that was taken


class ReadingBox:
    """Handed to lanes and to the uplink. `put` never blocks, `take` is fair among devices."""

    def __init__(self, now_s: Callable[[], float] | None = None) -> None:
        self._now_s = now_s or (lambda: asyncio.get_running_loop().time())
        self._devices: dict[str, _Waiting] = {}
        self._filled = asyncio.Event()

    def put(self, device: str, members: dict[str, Any]) -> None:
        """The oldest of the device goes where there are too many."""
        waiting = self._devices.setdefault(device, _Waiting())
        waiting.looks.append((self._now_s(), members))
        while len(waiting.looks) > PER_DEVICE:
            waiting.looks.popleft()
            waiting.shed += 1
        self._filled.set()

    def take(self) -> tuple[str, dict[str, Any]] | None:
        """The oldest of the device whose turn it is, with `shed` where others went before it; None: nothing waits."""
        for device in list(self._devices):
            waiting = self._devices.pop(device)
            self._devices[device] = waiting  # its next turn comes behind all others'
            self._drop_old(waiting)
            if waiting.looks:
                _, members = waiting.looks.popleft()
                shed, waiting.shed = waiting.shed, 0
                return device, members | ({"shed": shed} if shed else {})
        self._filled.clear()
        return None

    def _drop_old(self, waiting: _Waiting) -> None:
        while waiting.looks and self._now_s() - waiting.looks[0][0] > READING_EXPIRY_S:
            waiting.looks.popleft()
            waiting.shed += 1

    async def filled(self) -> None:
        """Returns when something may be taken."""
        await self._filled.wait()


@dataclass(frozen=True, slots=True)
class LastReading:
    """The newest reading of one name: its members as they are told, and how old it is."""

    members: dict[str, Any]
    time: str
    age_s: float


class LastReadings:
    """The newest reading of each name of each device, since the agent started; bounded, never on disk."""

    def __init__(self, now_s: Callable[[], float] | None = None) -> None:
        self._now_s = now_s or (lambda: asyncio.get_running_loop().time())
        self._devices: dict[str, dict[str, tuple[float, str, dict[str, Any]]]] = {}

    def put(self, device: str, members: dict[str, Any]) -> None:
        """`members` as they go up: `time` and `readings`. The name that was silent for longest makes room."""
        kept = self._devices.setdefault(device, {})
        for reading in members["readings"]:
            kept.pop(reading["name"], None)
            kept[reading["name"]] = (self._now_s(), members["time"], reading)
        while len(kept) > MOST_NAMES:
            del kept[next(iter(kept))]

    def of(self, device: str) -> tuple[LastReading, ...]:
        """By name."""
        now_s, kept = self._now_s(), self._devices.get(device, {})
        return tuple(LastReading(reading, time, now_s - at_s) for _, (at_s, time, reading) in sorted(kept.items()))
