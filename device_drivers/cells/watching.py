"""A cabinet watched: the cell of an order until its customer is done, and all others beside it; what is news is told.

Knows looks at cells and what is believed of them; must not know how an opening is armed or pulsed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping

from device_drivers.cells import evidence
from device_drivers.cells.cabinet import Cabinet, Sleep, Unsteady
from device_drivers.cells.evidence import Reading
from device_drivers.cells.profile import CellsProfile
from device_drivers.cells.vigil import ITEM_GONE, ITEM_PUT_BACK, Told, Vigil
from device_drivers.device import Notebook, Verdict

PATIENCE_S = 30.0  # how long a cell may show nothing before a person is sent there; a board rests for up to 10


class Eyes:
    """On one cabinet. Calls raise DeviceUnavailable when the line is lost."""

    def __init__(self, profile: CellsProfile, cabinet: Cabinet, vigil: Vigil, notebook: Notebook, sleep: Sleep) -> None:
        self._profile, self._cabinet, self._vigil = profile, cabinet, vigil
        self._notebook, self._sleep = notebook, sleep
        self._untold: deque[Told] = deque()  # news that could not be written down yet

    def begin_anew(self) -> None:
        """The vigil goes on from what is written: an open door is news again by itself, an item that went is not."""
        self._untold = deque(news for news in self._untold if news.kind in {ITEM_GONE, ITEM_PUT_BACK})

    async def taking(self, cell: str, until: float) -> Verdict:
        """Until the item was taken and the door closed, the door closed on it, or the time is over."""
        loop = asyncio.get_running_loop()
        closed_at: float | None = None  # since when its door is seen closed on the item
        seen_inside = False
        while True:
            now = await self._look(cell)
            verdict = evidence.judge_taking(now, witnessed=seen_inside)
            closed_at = closed_at if verdict is not None and now.item else None
            if verdict is not None and now.item and closed_at is None:
                closed_at = loop.time()
            if verdict is not None and (closed_at is None or loop.time() >= closed_at + self._profile.act_max_s):
                return verdict
            seen_inside = seen_inside or bool(now.item)
            patience_s = 0.0 if now.readable else PATIENCE_S
            if loop.time() >= until + patience_s and closed_at is None:
                await self.tell(self._vigil.left_open(cell, now))
                return evidence.at_limit(now, witnessed=seen_inside)
            await self._sleep(self._profile.poll_s)

    async def closing(self, cell: str, until: float) -> Verdict:
        """Until the door is closed on the item that was left, the item taken after all, or the time is over."""
        loop = asyncio.get_running_loop()
        while True:
            now = await self._look(cell)
            if (verdict := evidence.judge_closing(now)) is not None:
                return verdict
            if loop.time() >= until + (0.0 if now.readable else PATIENCE_S):
                await self.tell(self._vigil.left_open(cell, now))
                return evidence.left_open(now)
            await self._sleep(self._profile.poll_s)

    async def _look(self, cell: str) -> Reading:
        """A believed look at the cell of an order, and at all others beside; a bounce is looked at again."""
        seen = dict(await self._cabinet.look())
        try:
            seen[cell] = await self._cabinet.steady(cell)
        except Unsteady:
            seen[cell] = evidence.UNREADABLE
        others = await self.believed({key: value for key, value in seen.items() if key != cell})
        await self.tell(self._vigil.look({**others, cell: seen[cell]}, expected=cell))
        return seen[cell]

    async def twice(self, seen: Mapping[str, Reading]) -> dict[str, Reading]:
        """The first look since the line was lost is all news: looked at once more, all cells at a time."""
        await self._sleep(self._profile.steady_s)
        again = await self._cabinet.look()
        return {cell: now if again[cell] == now else evidence.UNREADABLE for cell, now in seen.items()}

    async def believed(self, seen: Mapping[str, Reading]) -> dict[str, Reading]:
        """A look in which whatever is news was looked at twice."""
        believed = dict(seen)
        for cell in self._vigil.surprising(seen):
            try:
                believed[cell] = await self._cabinet.steady(cell)
            except Unsteady:
                del believed[cell]
        return believed

    async def tell(self, news: list[Told]) -> None:
        """Each is committed, once; what stands told is kept, so that a restart does not tell it again."""
        self._untold += news
        while self._untold:
            await self._notebook.note(*self._untold[0])
            self._untold.popleft()
        await self._keep()

    async def _keep(self) -> None:
        memory = self._vigil.memory
        kept = await self._notebook.memory()
        if any(kept.get(key) != value for key, value in memory.items()):
            await self._notebook.remember(memory)
