"""The whole order engine in memory: lanes over fake drivers, the timekeeper, the door; on a clock that jumps.

Knows who is handed to whom, as `edge_agent.app` does; no broker, no process.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from device_drivers.device import Driver
from edge_agent.fleet.lane import Lane
from edge_agent.fleet.materials import Materials, NoMaterials
from edge_agent.fleet.notebook import DeviceNotebook
from edge_agent.fleet.parts import LaneParts
from edge_agent.orders.desk import Place
from edge_agent.orders.rows import OrderRow
from edge_agent.timekeeper import Timekeeper
from simulators.checker import Report, check
from tests.edge_agent.machine import FakeDriver, Machine
from tests.edge_agent.parts import ACTS, DEVICE, Book
from tests.edge_agent.printer import PAPER, ROLE, FakePrinter, Printer

PATIENCE_S = 600.0


@dataclass(slots=True)
class Bench(Book):
    """`async with Bench(tmp_path) as bench`: the agent runs; `restart` is its process dying and coming back."""

    machines: dict[str, Machine] = field(default_factory=lambda: {DEVICE: Machine()})
    drivers: dict[str, FakeDriver] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    printers: dict[str, Printer] = field(default_factory=dict)
    presses: dict[str, FakePrinter] = field(default_factory=dict)  # the printers' drivers
    twins: list[dict[str, Any]] = field(default_factory=list)
    submitted: set[str] = field(default_factory=set)
    idle_poll_s: float = 5.0
    materials: Materials = field(default_factory=NoMaterials)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def open(self) -> None:
        dispensers = (Place(device, "card-dispenser", ACTS) for device in self.machines)
        self.places = (*dispensers, *(Place(device, ROLE, PAPER) for device in self.printers))
        await Book.open(self)
        for device, machine in self.machines.items():
            self._seat(device, machine)
        for device, printer in self.printers.items():
            self._load(device, printer)
        self.journal.on_touched(self._wake)
        self._begin()

    def _seat(self, device: str, machine: Machine) -> None:
        old = self.drivers.get(device)
        driver = FakeDriver(machine, DeviceNotebook(self.journal, device))
        if old is not None:  # another process: what it knew is gone, the machine and the line are as they are
            driver.up, driver.plan, driver.refuses, driver.question_s = old.up, old.plan, old.refuses, old.question_s
        self.drivers[device] = driver
        self._open_lane(device, "card-dispenser", driver)

    def _load(self, device: str, printer: Printer) -> None:
        old = self.presses.get(device)
        driver = FakePrinter(printer, DeviceNotebook(self.journal, device))
        if old is not None:
            driver.up, driver.plan, driver.refuses, driver.calls = old.up, old.plan, old.refuses, old.calls
        self.presses[device] = driver
        self._open_lane(device, ROLE, driver)

    def _open_lane(self, device: str, role: str, driver: Driver) -> None:
        parts = LaneParts(device, "fake", role, driver, self.journal, self.clock, self._publish)
        parts.idle_poll_s, parts.jitter, parts.materials = self.idle_poll_s, lambda: 0.5, self.materials
        self.lanes[device] = Lane(parts)

    def _publish(self, _device: str, members: dict[str, Any]) -> None:
        self.twins.append(members)

    def _begin(self) -> None:
        keeper = Timekeeper(self.journal, self.clock, self._wake)
        work = [(f"lane {device}", lane.run()) for device, lane in self.lanes.items()]
        self._tasks = [asyncio.create_task(run, name=name) for name, run in [*work, ("timekeeper", keeper.run())]]

    def _wake(self, devices: set[str]) -> None:
        for device in devices & set(self.lanes):
            self.lanes[device].wake()

    async def close(self) -> None:
        await self._end_tasks()
        await Book.close(self)

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        for result in results:
            if result is not None and not isinstance(result, asyncio.CancelledError):
                raise result

    # -- short ways ----------------------------------------------------------------------------------------------------

    @property
    def machine(self) -> Machine:
        return self.machines[DEVICE]

    @property
    def driver(self) -> FakeDriver:
        return self.drivers[DEVICE]

    @property
    def only_lane(self) -> Lane:
        return self.lanes[DEVICE]

    async def submit(self, order: str = "o1", **data: Any) -> OrderRow:
        row = await Book.submit(self, order, **data)
        self.submitted.add(order)
        return row

    def plan(self, *words: str) -> None:
        self.driver.plan = deque(words)

    async def until(self, *states: str, order: str = "o1", patience_s: float = PATIENCE_S) -> OrderRow:
        """The order, as soon as it is in one of these states."""
        await self.when(lambda: self.order(order).state.value in states, lambda: repr(self.order(order)), patience_s)
        return self.order(order)

    async def when(
        self, seen: Callable[[], bool], say: Callable[[], str] = str, patience_s: float = PATIENCE_S
    ) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while not seen():
                    self._look_after_tasks()
                    await asyncio.sleep(0.05)
                return
        raise AssertionError(f"never seen in {patience_s} s: {say()}")

    def _look_after_tasks(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise AssertionError(f"{task.get_name()} died") from task.exception()

    async def while_s(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._look_after_tasks()

    # -- judging -------------------------------------------------------------------------------------------------------

    def verdict(self) -> Report:
        """The checker's word on everything told and done so far."""
        ledgers = [machine.ledger for machine in self.machines.values()]
        ledgers += [printer.ledger for printer in self.printers.values()]
        assert all(lane.faults == 0 for lane in self.lanes.values()), "a lane failed"
        report = check(self.events(), ledgers, submitted=self.submitted)
        assert report.ok, report.table()
        return report
