"""A screen that never answers, on a line that others share: its bytes, the pause behind them, and no more.

Knows when bytes may leave; all that can be said of it is that they were sent. What they are its own protocol says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from device_drivers.links.line import SharedLine, Urgency
from device_drivers.screens.driver import Evidence
from device_drivers.screens.faces import Face
from device_drivers.screens.share import Share


class MuteScreen:
    """One address on a line. Whatever comes in is read and dropped: nobody answers, but a line may hear itself."""

    def __init__(self, line: SharedLine, bytes_of: Callable[[Face], bytes], gap_s: float) -> None:
        self._share, self._bytes_of, self._gap_s = Share(line), bytes_of, gap_s
        self._heard = 0

    async def connect(self) -> None:
        """Takes a share of the line. Raises DeviceUnavailable."""
        await self._share.connect()

    async def disconnect(self) -> None:
        """Gives it back."""
        await self._share.disconnect()

    async def ask(self) -> None:
        """Only the line can be lost. Raises DeviceUnavailable."""
        self._share.check()

    async def show(self, face: Face, urgency: Urgency) -> Evidence:
        """Written once. Raises DeviceUnavailable, OutcomeUnknown: the line was lost while it left."""
        data = self._bytes_of(face)
        async with self._share.turn(urgency) as turn:
            await turn.write(data)
            self._heard += await turn.pause(self._gap_s)
        return "sent"

    def counters(self) -> Mapping[str, int]:
        """Bytes that came in, ours among them where the line hears itself."""
        return {"garbageBytes": self._heard} if self._heard else {}
