"""The banknote counter against the simulated one: what is told agrees with its ledger, or is void."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from device_drivers.banknotes.driver import BanknoteCounter
from device_drivers.banknotes.profile import BanknoteProfile
from device_drivers.device import Outcome
from device_drivers.links.line import SharedLine
from device_drivers.links.memory import joined_ends
from simulators.banknotes.counter import BanknoteCounter as Machine
from simulators.banknotes.options import parse_options
from simulators.machine import Effect
from tests.device_drivers.far_side import at_far_end
from tests.device_drivers.notebook import Notes
from tests.virtual_time import virtual_time

PARAMS: dict[str, Any] = {"order": "O-1", "attempt": "O-1/count/1", "amount": 1000}


class Desk:
    """A counter on a teller's desk."""

    def __init__(self, machine: Machine, line: SharedLine, effects: list[Effect]) -> None:
        self._machine, self._line, self.effects = machine, line, effects
        self.notes = Notes()

    def do(self, verb: str, **keys: Any) -> None:
        """A hand; what leaves the machine is fetched when it wakes."""
        self._machine.control({"do": verb, **keys}, asyncio.get_running_loop().time())

    async def restarted(self) -> BanknoteCounter:
        driver = BanknoteCounter("note-1", self._line, BanknoteProfile(), self.notes)
        await driver.connect()
        return driver

    async def listen(self, driver: BanknoteCounter, for_s: float) -> None:
        """As a lane at rest, with its interruptions."""
        until = asyncio.get_running_loop().time() + for_s
        while (left := until - asyncio.get_running_loop().time()) > 0:
            try:
                async with asyncio.timeout(min(left, 5.0)):
                    said = await driver.listen()
            except TimeoutError:
                continue
            await self.notes.note(said.kind, said.facts, said.memory)

    @property
    def told(self) -> list[tuple[str, Any]]:
        return [(kind, facts.get("sum")) for kind, facts in self.notes.noted]


@asynccontextmanager
async def desk(**options: Any) -> AsyncIterator[tuple[Desk, BanknoteCounter]]:
    near, far = joined_ends()
    machine = Machine("note-1", parse_options(options))
    async with at_far_end(machine, far) as effects:
        d = Desk(machine, SharedLine(near), effects)
        driver = await d.restarted()
        await d.listen(driver, 3)
        yield d, driver
        await driver.disconnect()


@virtual_time
@pytest.mark.parametrize("byte_order", ["little", "big"])
async def test_bundles_are_told_as_they_passed(byte_order: str) -> None:
    async with desk(byte_order=byte_order) as (d, driver):
        d.do("put", notes=[{"value": 100, "count": 100}])
        await d.listen(driver, 20)
        d.do("put", notes=[{"value": 50, "count": 3}, {"value": 20, "cash": "suspect"}, {"value": 10, "cash": "old"}])
        await d.listen(driver, 20)
        assert d.told == [("notes_counted", 10_000), ("notes_counted", 160)]
        passed = [effect.detail["serial"] for effect in d.effects if effect.act == "note_passed"]
        serials = [note["serial"] for _, facts in d.notes.noted for note in facts["notes"]]
        assert serials == passed


@virtual_time
async def test_two_batches_without_a_pause_are_two() -> None:
    async with desk(stops_at=5) as (d, driver):
        d.do("put", notes=[100] * 8)
        await d.listen(driver, 0.5)
        d.do("take")
        await d.listen(driver, 10)
        assert d.told == [("notes_counted", 500), ("notes_counted", 300)]


@virtual_time
@pytest.mark.parametrize("fault", ["frame_cut", "wrong_check", "noise", "note_missed"])
async def test_what_was_lost_on_the_way_makes_it_void(fault: str) -> None:
    async with desk() as (d, driver):
        d.do("put", notes=[100] * 10)
        await d.listen(driver, 0.2)
        d.do("fault", name=fault)
        await d.listen(driver, 10)
        assert [kind for kind, _ in d.told] == ["notes_void"]


@virtual_time
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("suspect", "notes_suspect"),
        ("double_feed", "notes_unrecognized"),
        ("jam", "notes_sum_differs"),
        ("power_loss", "notes_sum_differs"),
    ],
)
async def test_trouble_is_refused_and_counted_again(fault: str, reason: str) -> None:
    async with desk() as (d, driver):
        arming = await driver.arm("count_notes", PARAMS)
        watch = asyncio.create_task(driver.watch("count_notes", PARAMS, arming, limit_s=600, fresh=True))
        d.do("put", notes=[100] * 10)
        await asyncio.sleep(0.2)
        d.do("fault", name=fault)
        await asyncio.sleep(30)
        ((kind, facts),) = d.notes.noted
        assert (kind, facts["refused"]["reason"]) == ("notes_refused", reason)
        d.do("free")
        d.do("put", notes=[100] * 10)
        verdict = await watch
        assert (verdict.outcome, verdict.facts["sum"]) == (Outcome.DONE, 1000)


@virtual_time
async def test_two_notes_at_once_that_nobody_noticed_make_too_little() -> None:
    """What the counter itself takes for one note nobody can tell but the sum."""
    async with desk() as (d, driver):
        arming = await driver.arm("count_notes", PARAMS)
        watch = asyncio.create_task(driver.watch("count_notes", PARAMS, arming, limit_s=60, fresh=True))
        d.do("fault", name="double_feed", args={"seen": False})
        d.do("put", notes=[100] * 10)
        verdict = await watch
        assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "notes_not_counted")
        assert verdict.facts["refused"] == {
            "reason": "notes_sum_differs",
            "expected": 1000,
            "sum": 900,
            "batches": ["note-1-1"],
        }


@virtual_time
async def test_the_agent_ends_in_the_middle_of_a_bundle() -> None:
    async with desk() as (d, driver):
        arming = await driver.arm("count_notes", PARAMS)
        watch = asyncio.create_task(driver.watch("count_notes", PARAMS, arming, limit_s=600, fresh=True))
        d.do("put", notes=[100] * 10)
        await asyncio.sleep(0.35)
        watch.cancel()
        await asyncio.wait([watch])
        again = await d.restarted()
        resumed = asyncio.create_task(again.watch("count_notes", PARAMS, arming, limit_s=600, fresh=False))
        await asyncio.sleep(30)
        kinds = [kind for kind, _ in d.notes.noted]
        assert kinds == ["notes_void", "notes_count_anew", "notes_void"]
        d.do("take")
        d.do("put", notes=[100] * 10)
        assert (await resumed).outcome is Outcome.DONE
        await again.disconnect()
