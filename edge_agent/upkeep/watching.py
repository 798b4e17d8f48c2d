"""What passes on a device's line, for those who look at it now: held for a moment, bounded, and gone when they go.

Knows lines and bounds; must not know frames, nor who may look. Whoever is slow loses the oldest and is told how many;
what passes never waits.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from device_drivers.links.line import Lines
from device_drivers.links.tap import Passing
from edge_agent.settings import DevicePart

log = logging.getLogger(__name__)
AT_ONCE = 4
OF_ONE = 2  # browsers keep six connections to a site, and each page takes two
HELD = 200
HELD_BYTES = 256 * 1024


class NotWatched(Exception):
    """Why not: `unknown`, `too_many`."""


class Watcher:
    """One reader's share. `news` is called when there is something to take."""

    def __init__(self, news: Callable[[], None]) -> None:
        self._news = news
        self._held: deque[Passing] = deque()
        self._bytes = self._lost = 0

    def show(self, passing: Passing) -> None:
        """Beside the wire: quick, whatever becomes of the reader."""
        self._held.append(passing)
        self._bytes += len(passing.data)
        while len(self._held) > HELD or (self._bytes > HELD_BYTES and len(self._held) > 1):
            self._bytes -= len(self._held.popleft().data)
            self._lost += 1
        self._news()

    def take(self) -> tuple[int, list[Passing]]:
        """How many were lost since the last time, and what came behind them."""
        taken = self._lost, list(self._held)
        self._held.clear()
        self._bytes = self._lost = 0
        return taken


class Watching:
    """Of one agent; everything happens on the loop."""

    def __init__(self, devices: Mapping[str, DevicePart], lines: Lines) -> None:
        self.devices = devices
        self._lines = lines
        self._watchers: dict[Watcher, str] = {}

    def check(self, device: str, who: str) -> None:
        """Whether one more may look; `who` tells readers of one browser from others. Raises NotWatched."""
        if device not in self.devices:
            raise NotWatched("unknown")
        theirs = list(self._watchers.values())
        if len(theirs) >= AT_ONCE or theirs.count(who) >= OF_ONE:
            raise NotWatched("too_many")

    @contextmanager
    def watch(self, device: str, who: str, news: Callable[[], None]) -> Iterator[Watcher]:
        """The line is tapped as long as this goes on. Raises NotWatched."""
        self.check(device, who)
        watcher = Watcher(news)
        end = self._lines.line(self.devices[device].address).watch(watcher.show)
        self._watchers[watcher] = who
        log.info("%s: its line is looked at", device)
        try:
            yield watcher
        finally:
            end()
            del self._watchers[watcher]
            log.info("%s: its line is looked at no more", device)

    def kinds(self, device: str) -> frozenset[str]:
        """Of all devices that share its line."""
        line = self._lines.line(self.devices[device].address)
        return frozenset(one.kind for one in self.devices.values() if self._lines.line(one.address) is line)
