"""Screens on one simulated line, each with a driver of its own and a notebook, on jumping time.

Knows how drivers are made of their kinds; what a test does with them is its own affair.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from device_drivers.catalog import kind_of
from device_drivers.device import Arming, Json, Verdict
from device_drivers.kinds import Wiring
from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError
from device_drivers.links.memory import MemoryEnd, joined_ends
from device_drivers.screens.driver import ScreenDriver
from simulators.kinds import kind_of as machine_kind
from simulators.machine import Effect, Machine, Send


class Memory:
    """A notebook of one device; what is not remembered in a transaction is lost with the process."""

    def __init__(self) -> None:
        self.kept: dict[str, Json] = {}

    async def memory(self) -> Mapping[str, Json]:
        return dict(self.kept)

    async def remember(self, memory: Mapping[str, Json]) -> None:
        self.kept |= memory

    async def note(self, kind: str, facts: Mapping[str, Json], memory: Mapping[str, Json] | None = None) -> None:
        raise AssertionError("a screen says nothing")

    async def notes_since(self, arming: Arming) -> list[str]:
        raise AssertionError("a screen says nothing")

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        raise AssertionError("a screen proves nothing late")


@dataclass
class ScreenBench:
    """`machine` is the line; `drivers` talk to its screens through one shared line."""

    kind: str
    machine: Machine
    near: MemoryEnd
    line: SharedLine
    effects: list[Effect]
    notebooks: dict[str, Memory] = field(default_factory=dict)
    dead: bool = False  # the line cannot be opened, nor used any more

    def __post_init__(self) -> None:
        self._open, self._write = self.near.open, self.near.write
        self.near.open, self.near.write = self._if_alive, self._write_if_alive  # type: ignore[method-assign]

    async def _if_alive(self) -> None:
        if self.dead:
            raise LinkError("memory://line", "no such port")
        await self._open()

    async def _write_if_alive(self, data: bytes) -> None:
        if self.dead:
            raise LinkError("memory://line", "unplugged")
        await self._write(data)

    async def driver(self, device: str, **profile: Any) -> ScreenDriver:
        """A new process's driver, connected and looked at once, as its lane does."""
        kind = kind_of(self.kind)
        notebook = self.notebooks.setdefault(device, Memory())
        wiring = Wiring(device, "memory://line", kind.profile.model_validate(profile), notebook, lambda _: self.line)
        driver = kind.make(wiring)
        assert isinstance(driver, ScreenDriver)
        await driver.connect()
        return driver

    async def show(self, driver: ScreenDriver, act: str, device: str, **params: Json) -> Verdict:
        """As a lane does it: arm, act, and what is remembered joins the notebook when it is settled."""
        arming = await driver.arm(act, params)
        verdict = await driver.act(act, params, arming)
        await self.notebooks[device].remember(verdict.memory)
        return verdict

    def lit(self, device: str) -> list[str]:
        """What a person sees there."""
        shows: list[str] = self.ask(device, do="state")["shows"]
        return [line for line in shows if line]

    def ask(self, device: str, **request: Any) -> dict[str, Any]:
        return self.machine.control({**request, "device": device}, asyncio.get_running_loop().time())

    def fault(self, device: str, name: str, **args: Any) -> None:
        self.ask(device, do="fault", name=name, args=args)


@asynccontextmanager
async def screens(
    kind: str, devices: Mapping[str, int], *, simulated: str = "", **options: Any
) -> AsyncIterator[ScreenBench]:
    """A line of simulated screens, and nobody who speaks to them yet. `simulated`: where its kind is another's name."""
    machine = machine_kind(simulated or kind).build(devices, options, None).machine
    near, far = joined_ends("line")
    effects: list[Effect] = []
    task = asyncio.create_task(_run(machine, far, effects), name="line of screens")
    try:
        yield ScreenBench(kind, machine, near, SharedLine(near), effects)
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


async def _run(machine: Machine, far: MemoryEnd, effects: list[Effect]) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        due_s = machine.next_time()
        wait_s = 0.05 if due_s is None else max(0.0, min(0.05, due_s - clock()))
        try:
            data = await far.read(256, wait_s)
        except LinkError:  # the host let go of the line
            await asyncio.sleep(0.01)
            data = b""
        if data:
            machine.receive(data, clock())
        for action in machine.advance(clock()):
            if isinstance(action, Effect):
                effects.append(action)
            elif isinstance(action, Send):
                with suppress(LinkError):  # nobody is there to hear it
                    await far.write(action.data)
