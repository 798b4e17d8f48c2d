"""The people counter against the simulated module: what walked by is what was counted, whatever happens between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from device_drivers.errors import DeviceUnavailable
from device_drivers.links.line import SharedLine
from device_drivers.links.memory import joined_ends
from device_drivers.people.driver import PeopleCounter
from device_drivers.people.profile import PeopleProfile
from simulators.modbus.kind import build
from tests.device_drivers.far_side import at_far_end
from tests.device_drivers.notebook import Notes
from tests.virtual_time import virtual_time

TOP = 1 << 32


class Door:
    """A door, its module, and what became of each look."""

    def __init__(self, line: SharedLine, machine: Any, model: str) -> None:
        self._line, self._machine, self._model = line, machine, model
        self.notes = Notes()
        self.flags: list[str] = []

    def do(self, verb: str, **keys: Any) -> None:
        # What the machine shows for it is of no interest here: it changes its registers at once.
        self._machine.control({"do": verb, **keys}, 0.0)

    async def restarted(self) -> PeopleCounter:
        profile = {"model": self._model, "counts": {"in": 0, "out": 1}, "modbus": {"echo": False}}
        driver = PeopleCounter("people-1", self._line, PeopleProfile.model_validate(profile), self.notes)
        await driver.connect()
        return driver

    async def look(self, driver: PeopleCounter) -> tuple[int | None, int | None]:
        seen = await driver.observe()
        await self.notes.remember(seen.memory)
        self.flags += [one.flag for one in seen.readings if one.flag]
        a, b = (one.delta for one in seen.readings)
        assert not isinstance(a, float)
        assert not isinstance(b, float)
        return a, b

    async def total(self, driver: PeopleCounter) -> tuple[int, int]:
        counters = (await driver.probe()).counters
        return counters["in"], counters["out"]


@asynccontextmanager
async def door(model: str = "m7084", **options: Any) -> AsyncIterator[tuple[Door, PeopleCounter]]:
    near, far = joined_ends()
    units = {"people-1": {"kind": "pulse_counter", "model": model, **options}}
    machine = build({"people-1": 1}, {"units": units}, None).machine
    async with at_far_end(machine, far):
        d = Door(SharedLine(near), machine, model)
        driver = await d.restarted()
        await d.look(driver)
        yield d, driver
        await driver.disconnect()


@virtual_time
@pytest.mark.parametrize("model", ["m7084", "adam605x"])
async def test_what_walks_by_is_counted(model: str) -> None:
    async with door(model) as (d, driver):
        d.do("walk", way="in", people=7)
        d.do("walk", way="out", people=2)
        assert await d.look(driver) == (7, 2)
        assert await d.look(driver) == (0, 0)
        assert d.flags == []


@virtual_time
async def test_it_wrapped_while_the_agent_was_down() -> None:
    async with door(raw=[TOP - 3, 0]) as (d, _):
        d.do("walk", way="in", people=20)
        driver = await d.restarted()
        assert await d.look(driver) == (20, 0)
        assert (d.flags, await d.total(driver)) == (["wrapped"], (20, 0))


@virtual_time
async def test_it_was_cleared_while_the_agent_was_down() -> None:
    async with door(raw=[700, 700]) as (d, before):
        d.do("walk", way="in", people=8)
        await d.look(before)
        d.do("zero")
        d.do("walk", way="out", people=3)
        driver = await d.restarted()
        assert await d.look(driver) == (0, 3)
        assert (d.flags, await d.total(driver)) == (["went_back", "went_back"], (8, 3))


@virtual_time
async def test_it_lost_its_power_and_what_passed_meanwhile_was_counted_by_nobody() -> None:
    async with door(raw=[50, 50]) as (d, driver):
        d.do("walk", way="in", people=5)
        await d.look(driver)
        d.do("power", on=False)
        d.do("walk", way="in", people=100)
        with pytest.raises(DeviceUnavailable):
            await driver.observe()
        d.do("power", on=True)
        d.do("walk", way="in", people=2)
        await driver.disconnect()
        await driver.connect()
        assert await d.look(driver) == (2, 0)
        assert (d.flags, await d.total(driver)) == (["went_back", "went_back"], (7, 0))


@virtual_time
async def test_words_of_two_moments_are_read_again() -> None:
    async with door(raw=[0xFFFF, 0]) as (d, driver):
        d.do("walk", way="in")
        d.do("fault", name="torn_read", args={})
        assert await d.look(driver) == (1, 0)
        assert d.flags == []


@virtual_time
@pytest.mark.parametrize(
    "fault", ["wrong_crc", "half_answer", "silence", "collision", "wrong_unit", "exception", "late_answer"]
)
async def test_the_line_costs_no_count(fault: str) -> None:
    async with door() as (d, driver):
        d.do("walk", way="in", people=3)
        d.do("fault", name=fault, args={"code": 6} if fault == "exception" else {})
        try:
            found = await d.look(driver)
        except DeviceUnavailable:
            found = await d.look(driver)
        assert (found, d.flags) == ((3, 0), [])
