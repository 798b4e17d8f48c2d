"""A printer and a relay board, both simulated, one notebook, on jumping time.

Knows how the composite driver is put together; the printer's bench does the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from device_drivers.device import Arming, Json, Verdict
from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError
from device_drivers.links.memory import MemoryEnd, joined_ends
from device_drivers.relay.board import RelayBoard as Board
from device_drivers.sealed.driver import SealedPrinter
from device_drivers.sealed.profile import SealedProfile
from simulators.machine import Effect, Send
from simulators.modbus.frames import Rtu
from simulators.modbus.line import ModbusLine
from simulators.modbus.relay import Relay
from tests.device_drivers.ipp.bench import PROFILE, Bench, Killed
from tests.device_drivers.ipp.bench import bench as printer_bench

STAMP_PROFILE: dict[str, Any] = {"address": "memory://relay", "unit": 1, "channel": 3, "pulse_ms": 500}


class CountedEnd:
    """A line's near end that counts writes; `kill_at_write` n ends the process just after the nth frame left."""

    def __init__(self, end: MemoryEnd) -> None:
        self._end = end
        self.frames: list[bytes] = []
        self.kill_at_write = 0

    def describe(self) -> str:
        return self._end.describe()

    async def open(self) -> None:
        await self._end.open()

    async def close(self) -> None:
        await self._end.close()

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        return await self._end.read(max_bytes, timeout_s)

    async def write(self, data: bytes) -> None:
        self.frames.append(data)
        await self._end.write(data)
        if len(self.frames) == self.kill_at_write:
            raise Killed

    @property
    def pulses(self) -> list[bytes]:
        """The frames that act."""
        return [frame for frame in self.frames if frame[1] == 0x05]


class SealedBench:
    """`printer` is the printer's bench, whose notebook both share."""

    def __init__(self, printer: Bench, near: CountedEnd, line: ModbusLine, board: Relay, effects: list[Effect]) -> None:
        self.printer, self.near, self.line, self.board, self.effects = printer, near, line, board, effects
        self.notebook = printer.notebook

    async def driver(self) -> SealedPrinter:
        """A new process's driver."""
        profile = SealedProfile.model_validate({**PROFILE, "stamp": STAMP_PROFILE})
        inner = await self.printer.driver()
        driver = SealedPrinter("seal-1", inner, Board(SharedLine(self.near), 1), profile, self.notebook)
        await driver.connect()
        return driver

    def params(self, step: str = "stamp", attempt: str = "O-17/stamp/1", **more: Json) -> dict[str, Json]:
        if step == "print":
            return self.printer.params(attempt)
        return {"order": "O-17", "step": step, "attempt": attempt, "reprint": 0, **more}

    async def arm(self, driver: SealedPrinter, act: str, params: dict[str, Json]) -> Arming:
        arming = await driver.arm(act, params)
        self.notebook.join(arming.memory)
        return arming

    async def print(self, driver: SealedPrinter, attempt: str = "O-17/print/1") -> tuple[Arming, Verdict]:
        params = self.printer.params(attempt)
        arming = await self.arm(driver, "print_document", params)
        verdict = await driver.act("print_document", params, arming)
        self.notebook.join(verdict.memory)
        return arming, verdict

    @property
    def stamped(self) -> list[int]:
        """The channels that closed, in order."""
        return [effect.detail["channel"] for effect in self.effects if effect.act == "stamped"]

    def fault(self, name: str, **args: Any) -> None:
        self.line.control({"do": "fault", "name": name, "args": args}, asyncio.get_running_loop().time())


@asynccontextmanager
async def bench() -> AsyncIterator[SealedBench]:
    """Both machines run until the block ends."""
    near, far = joined_ends("relay")
    line, effects = ModbusLine(Rtu()), list[Effect]()
    board = line.add(Relay, "relay-1", 1, {})
    assert isinstance(board, Relay)
    task = asyncio.create_task(_run(line, far, effects), name="relay board")
    try:
        async with printer_bench() as printer:
            yield SealedBench(printer, CountedEnd(near), line, board, effects)
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


async def _run(board: ModbusLine, far: MemoryEnd, effects: list[Effect]) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        due_s = board.next_time()
        wait_s = 0.05 if due_s is None else max(0.0, min(0.05, due_s - clock()))
        try:
            data = await far.read(256, wait_s)
        except LinkError:  # the host let go of the line
            await asyncio.sleep(min(wait_s, 0.005) or 0.001)
            data = b""
        if data:
            board.receive(data, clock())
        for action in board.advance(clock()):
            if isinstance(action, Effect):
                effects.append(action)
            elif isinstance(action, Send):
                with suppress(LinkError):  # nobody is there to hear it
                    await far.write(action.data)
