"""A screen's share of a line, and one turn on it: what was lost before a byte left is told apart from what was after.

Knows holds and errors; must not know frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from device_drivers.errors import DeviceUnavailable, OutcomeUnknown
from device_drivers.links.finish import finish_first
from device_drivers.links.line import Hold, SharedLine, Urgency
from device_drivers.links.link import Link, LinkError

READ_BYTES = 256


class Turn:
    """The link for as long as the turn lasts; `write` is the border between nothing sent and perhaps sent."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.sent = False

    async def write(self, data: bytes) -> None:
        """Once begun it is finished, also when nobody waits any more."""
        self.sent = True
        await finish_first(self._link.write(data))

    async def heard(self, seconds: float) -> bytes:
        """At least one byte, or none after so many seconds."""
        return await self._link.read(READ_BYTES, seconds)

    async def pause(self, seconds: float) -> int:
        """Lets the time pass; whatever comes is read and dropped. How many bytes that were."""
        loop = asyncio.get_running_loop()
        until, heard = loop.time() + seconds, 0
        while (left := until - loop.time()) > 0:
            heard += len(await self.heard(left))
        return heard


class Share:
    """Taken by `connect`, given back by `disconnect`; unusable once the line was lost."""

    def __init__(self, line: SharedLine) -> None:
        self._line = line
        self._hold: Hold | None = None

    async def connect(self) -> None:
        """Opens the line if nobody has. Raises DeviceUnavailable."""
        try:
            self._hold = await self._line.hold()
        except LinkError as error:
            raise DeviceUnavailable("line_unavailable", str(error)) from error

    async def disconnect(self) -> None:
        """Harmless when not connected."""
        hold, self._hold = self._hold, None
        if hold is not None:
            await finish_first(hold.let_go())

    def check(self) -> Hold:
        """Raises DeviceUnavailable once the line was lost, whoever noticed it."""
        if self._hold is None or not self._hold.unbroken:
            raise DeviceUnavailable("line_unavailable", self._line.describe())
        return self._hold

    @asynccontextmanager
    async def turn(self, urgency: Urgency) -> AsyncIterator[Turn]:
        """The line, alone. A loss raises DeviceUnavailable while nothing was sent, OutcomeUnknown afterwards."""
        turn: Turn | None = None
        try:
            async with self.check().exchange(urgency) as link:
                turn = Turn(link)
                yield turn
        except LinkError as error:
            if turn is not None and turn.sent:
                raise OutcomeUnknown("line_lost", str(error)) from error
            raise DeviceUnavailable("line_unavailable", str(error)) from error
