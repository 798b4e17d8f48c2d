"""The line of a banknote counter: it is only listened to, and what it says becomes batches.

Knows the line and its silences; must not know orders, nor what is remembered of a batch.
"""

from __future__ import annotations

import asyncio
from collections import deque

from device_drivers.banknotes.collector import Collector, Item
from device_drivers.banknotes.profile import BanknoteProfile
from device_drivers.errors import DeviceUnavailable
from device_drivers.links.line import Hold, SharedLine
from device_drivers.links.link import LinkError

READ_BYTES = 4096
LINE_LOST = "line_lost"
PATIENCE_S = 30.0  # of one read while nothing is under way; the line is alone with us
AT_ONCE_S = 0.001  # what lies in the operating system's buffer comes at once


class Hearing:
    """`items` are what was heard and not dealt with yet; whoever deals with one takes it out."""

    def __init__(self, line: SharedLine, profile: BanknoteProfile) -> None:
        self._line = line
        self._hold: Hold | None = None
        self.collector = Collector(gap_s=profile.batch_gap_s, numbered=profile.numbered, most=profile.batch_max)
        self.items: deque[Item] = deque()

    async def connect(self) -> None:
        """Takes hold of the line. Raises DeviceUnavailable."""
        await self.disconnect()
        try:
            self._hold = await self._line.hold()
        except LinkError as error:
            raise DeviceUnavailable("line_unavailable", str(error)) from error
        self.collector.begin(_now_s())

    async def disconnect(self) -> None:
        """Lets go of the line; what was under way is void."""
        hold, self._hold = self._hold, None
        if hold is not None:
            self.items += self.collector.abandon(LINE_LOST)
            await hold.let_go()

    @property
    def unbroken(self) -> bool:
        """Whether the line is there."""
        return self._hold is not None and self._hold.unbroken

    async def more(self, limit_s: float) -> None:
        """Hears once, for `limit_s` at most. Raises DeviceUnavailable. Cancelled at any await it loses nothing."""
        if self._hold is None:
            raise DeviceUnavailable("line_closed", "connect() comes first")
        wait_s = min(limit_s, self.collector.left_s(_now_s()) if self.collector.waits else PATIENCE_S)
        try:
            async with self._hold.exchange() as link:
                data = await link.read(READ_BYTES, max(wait_s, AT_ONCE_S))
        except LinkError as error:
            raise DeviceUnavailable(LINE_LOST, str(error)) from error
        if data:
            self.items += self.collector.hear(data, _now_s())
            await asyncio.sleep(0)  # a flooding line is always readable and would never let another lane run
        elif self.collector.waits and self.collector.left_s(_now_s()) <= 0:
            self.items += self.collector.silent()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
