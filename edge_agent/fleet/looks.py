"""Who waits for a look at a device: people who put in paper or plugged in a cable, and want to see that it helped.

Knows that a look is wanted and who is told of it; when the device may be asked is its lane's affair.
"""

from __future__ import annotations

import asyncio


class Looks:
    """One lane's, on its loop."""

    def __init__(self) -> None:
        self._called = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def wanted(self) -> bool:
        return bool(self._waiting)

    async def wait(self) -> None:
        """Until the device was looked at, or found away, after this call."""
        seen: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(seen)
        self._called.set()
        try:
            await seen
        finally:
            if seen in self._waiting:  # nobody waits any more
                self._waiting.remove(seen)

    async def called(self) -> None:
        """Until somebody wants one; once for each that is heard, so that a lane that can do nothing rests on."""
        await self._called.wait()
        self._called.clear()

    def taken(self) -> list[asyncio.Future[None]]:
        """Those whom a look that begins now concerns."""
        return list(self._waiting)

    def tell(self, them: list[asyncio.Future[None]]) -> None:
        """What they waited for is shown."""
        for seen in them:
            if not seen.done():
                seen.set_result(None)
        self._waiting = [one for one in self._waiting if one not in them]
        if not self._waiting:
            self._called.clear()  # else the next rest of a lost device would be cut short for nobody
