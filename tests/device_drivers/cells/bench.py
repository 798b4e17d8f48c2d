"""A cabinet's driver and the simulated lock boards on the other end of a memory line, with a notebook, on jumping time.

Knows how both are put together and what was on the wire; the machine is the simulator proper, dangers included.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from device_drivers.cells.driver import CellCabinet
from device_drivers.cells.profile import CellsProfile
from device_drivers.device import Arming, Json, Verdict
from device_drivers.errors import DeviceUnavailable, OutcomeUnknown
from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError
from device_drivers.links.memory import MemoryEnd, joined_ends
from simulators.cells.line import LockBoards
from simulators.cells.options import parse_options
from simulators.machine import Effect, Send, Unplug
from tests.virtual_time import run

ACT_MAX_S = 1.0
CELLS = 3


def profile_of(*, items: bool = True, apart: bool = False, **more: Any) -> dict[str, Any]:
    """Three cells on board 1, their items on board 2, or each on a board of its own from 2 on."""
    cells: list[dict[str, Any]] = [
        {
            "id": f"{n:02d}",
            "lock": {"board": 1, "lock": n},
            "item": {"board": 1 + n, "lock": 1} if apart else {"board": 2, "lock": n},
        }
        for n in range(1, CELLS + 1)
    ]
    if not items:
        cells = [{"id": cell["id"], "lock": cell["lock"]} for cell in cells]
    times = {"act_max_s": ACT_MAX_S, "answer_s": 0.3, "steady_s": 0.05, "poll_s": 0.2, "close_s": 3.0}
    return {"locked_feedback": "00", "cell": cells, **times, **more}


class Notebook:
    """Keeps what a driver notes and remembers."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, dict[str, Json]]] = []
        self.kept: dict[str, Json] = {}

    async def note(self, kind: str, facts: Mapping[str, Json], memory: Mapping[str, Json] | None = None) -> None:
        self.notes.append((kind, dict(facts)))

    async def notes_since(self, arming: Arming) -> list[str]:
        return [kind for kind, _ in self.notes]

    async def memory(self) -> Mapping[str, Json]:
        return dict(self.kept)

    async def remember(self, memory: Mapping[str, Json]) -> None:
        self.kept = {key: value for key, value in {**self.kept, **memory}.items() if value is not None}

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        raise AssertionError("nothing is proved late here")

    @property
    def told(self) -> list[tuple[str, Json]]:
        """Kinds and cells, in order."""
        return [(kind, facts.get("cell")) for kind, facts in self.notes]


class Tap:
    """The driver's end of the line, which remembers every frame that was written."""

    def __init__(self, end: MemoryEnd) -> None:
        self.end = end
        self.frames: list[bytes] = []

    def describe(self) -> str:
        return self.end.describe()

    async def open(self) -> None:
        await self.end.open()

    async def close(self) -> None:
        await self.end.close()

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        return await self.end.read(max_bytes, timeout_s)

    async def write(self, data: bytes) -> None:
        self.frames.append(data)
        await self.end.write(data)


class Bench:
    """`machine` is the simulator, `effects` its ledger, `tap` what the driver wrote."""

    def __init__(self, options: Mapping[str, Any], profile: Mapping[str, Any]) -> None:
        near, self.far = joined_ends("cells")
        self.tap = Tap(near)
        self.line = SharedLine(self.tap)
        self.notebook = Notebook()
        self.profile = CellsProfile.model_validate(dict(profile))
        settings = {"cells": CELLS, "customer": {"policy": "forget"}, "act_s": 0.3, **options}
        self.machine = LockBoards("cells-1", 1, parse_options(settings))
        self.effects: list[Effect] = []

    async def driver(self) -> CellCabinet:
        """A new process's driver, connected."""
        driver = CellCabinet("cells-1", self.line, self.profile, self.notebook)
        await driver.connect()
        return driver

    async def arm(self, driver: CellCabinet, act: str = "open_cell", cell: str = "02") -> Arming:
        arming = await driver.arm(act, {"cell": cell, "article": "u_shield", "serial": f"cells-1-{cell}"})
        await self.notebook.remember(arming.memory)
        return arming

    async def opened(self, driver: CellCabinet, cell: str = "02") -> tuple[Arming, Verdict]:
        """An opening from beginning to end, as a lane does it."""
        arming = await self.arm(driver, cell=cell)
        try:
            verdict = await driver.act("open_cell", {}, arming)
        except OutcomeUnknown:
            verdict = await self.settled(driver, arming)
        return arming, verdict

    async def settled(self, driver: CellCabinet, arming: Arming, act: str = "open_cell") -> Verdict:
        """What a lane does with a doubt: it waits, connects anew where the line was lost, and asks."""
        while True:
            await asyncio.sleep(driver.settle_s)
            try:
                return await driver.reconcile(act, {}, arming)
            except DeviceUnavailable:
                await driver.connect()

    async def watch(
        self, driver: CellCabinet, act: str = "await_taken", limit_s: float = 5.0, cell: str = "02"
    ) -> Verdict:
        arming = await self.arm(driver, act, cell)
        return await driver.watch(act, {}, arming, limit_s=limit_s, fresh=True)

    def control(self, do: str, **request: Any) -> dict[str, Any]:
        return self.machine.control({"do": do, **request}, asyncio.get_running_loop().time())

    def fault(self, name: str, **args: Any) -> None:
        self.control("fault", name=name, args=args)

    @property
    def opening_frames(self) -> list[str]:
        """Every frame that acts which was on the wire."""
        return [frame.hex(" ").upper() for frame in self.tap.frames if frame[0] == 0x8A]

    @property
    def acts(self) -> list[tuple[str, str, str | None]]:
        """What the ledger counts."""
        return [(e.act, e.detail["cell"], e.detail["serial"]) for e in self.effects if e.kind == "act"]

    @property
    def shows(self) -> list[str]:
        return [effect.act for effect in self.effects if effect.kind == "show"]

    async def play(self) -> None:
        """The machine at its end of the line, until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            due_s = self.machine.next_time()
            wait_s = 0.05 if due_s is None else max(0.0, min(0.05, due_s - clock()))
            try:
                data = await self.far.read(256, wait_s)
            except LinkError:  # the host let go of the line
                await asyncio.sleep(min(wait_s, 0.005) or 0.001)
                data = b""
            if data:
                self.machine.receive(data, clock())
            for action in self.machine.advance(clock()):
                if isinstance(action, Effect):
                    self.effects.append(action)
                elif isinstance(action, Unplug):
                    self.far.cut("unplugged")
                elif isinstance(action, Send):
                    with suppress(LinkError):  # nobody is there to hear it
                        await self.far.write(action.data)


@asynccontextmanager
async def bench(options: Mapping[str, Any], profile: Mapping[str, Any]) -> AsyncIterator[Bench]:
    made = Bench(options, profile)
    task = asyncio.create_task(made.play(), name="lock boards")
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


def on_bench(
    test: Callable[[Bench, CellCabinet], Coroutine[Any, Any, None]],
    *,
    profile: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """Runs a test with a machine and a connected driver on jumping time."""

    async def work() -> None:
        async with bench(options, profile or profile_of()) as made:
            driver = await made.driver()
            try:
                await test(made, driver)
            finally:
                await driver.disconnect()

    run(work())
