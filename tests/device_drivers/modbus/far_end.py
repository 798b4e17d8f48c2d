"""The far end of a line as a script: for each frame that comes, what is answered and when.

Knows bytes and times only; whatever it answers is written out in the tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError
from device_drivers.links.memory import MemoryEnd, joined_ends
from device_drivers.modbus.settings import ModbusSettings
from device_drivers.modbus.unit import ModbusUnit

Pieces = list[tuple[float, bytes]]  # seconds after the frame, and what comes then
Script = Callable[[bytes], Pieces]


def hexed(text: str, after_s: float = 0.01) -> Pieces:
    """One answer."""
    return [(after_s, bytes.fromhex(text))]


class FarEnd:
    """`frames` are those that came, with their times; `say` holds answers for the next ones, then `otherwise`."""

    def __init__(self, end: MemoryEnd) -> None:
        self._end = end
        self.frames: list[bytes] = []
        self.times_s: list[float] = []
        self.say: list[Pieces] = []
        self.otherwise: Script = lambda _: []
        self._tasks = asyncio.TaskGroup()

    async def run(self) -> None:
        async with self._tasks as group:
            while True:
                try:
                    frame = await self._end.read(256, 3600)
                except LinkError:
                    await asyncio.sleep(0.01)
                    continue
                if frame:
                    self.frames.append(frame)
                    self.times_s.append(asyncio.get_running_loop().time())
                    pieces = self.say.pop(0) if self.say else self.otherwise(frame)
                    group.create_task(self._answer(pieces))

    async def speak(self, data: bytes) -> None:
        """Unasked."""
        await self._end.write(data)

    async def _answer(self, pieces: Pieces) -> None:
        began = asyncio.get_running_loop().time()
        for after_s, data in pieces:
            await asyncio.sleep(began + after_s - asyncio.get_running_loop().time())
            with suppress(LinkError):
                await self._end.write(data)

    def cut(self) -> None:
        self._end.cut("unplugged")


@asynccontextmanager
async def far_end() -> AsyncIterator[tuple[SharedLine, FarEnd]]:
    """A line and who is at its other end."""
    near, end = joined_ends()
    far = FarEnd(end)
    task = asyncio.create_task(far.run(), name="far end")
    try:
        yield SharedLine(near), far
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def one_unit(unit: int = 1, **settings: object) -> AsyncIterator[tuple[ModbusUnit, FarEnd]]:
    """A connected unit and its far end; the line is known not to hear itself unless told otherwise."""
    async with far_end() as (line, far):
        it = ModbusUnit(line, unit, ModbusSettings.model_validate({"echo": False, **settings}))
        await it.connect()
        yield it, far
        await it.disconnect()
