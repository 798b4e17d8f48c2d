"""A lane at rest: until somebody wakes it, its device says something unasked, or a time comes.

Knows who may end the rest, and ends the listening then; must not know what is done afterwards.
"""

from __future__ import annotations

import asyncio

from device_drivers.device import Driver, Happening, Listener


class Rest:
    """One lane's. `wake` from the loop's own thread."""

    def __init__(self, driver: Driver) -> None:
        self._listener = driver if isinstance(driver, Listener) else None
        self._woken = asyncio.Event()
        self._limit: asyncio.Timeout | None = None

    def wake(self) -> None:
        """Ends the rest now, or the next one before it begins."""
        self._woken.set()
        if self._listener is not None and self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())

    def was_woken(self) -> bool:
        """Whether somebody woke it since it was asked last."""
        woken = self._woken.is_set()
        self._woken.clear()
        return woken

    async def until(self, time_s: float) -> Happening | None:
        """What the device said; None: the lane was woken, or loop time `time_s` came. Raises DeviceUnavailable."""
        if self._woken.is_set():
            return None
        limit = asyncio.timeout_at(time_s)
        try:
            async with limit:
                self._limit = limit
                if self._listener is not None:
                    return await self._listener.listen()
                await self._woken.wait()
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            self._limit = None
        return None
