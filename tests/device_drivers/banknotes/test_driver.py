"""The banknote counter over a line in memory: batches told once, void where they were not heard whole, and an order's
notes counted and checked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from device_drivers.banknotes.driver import BanknoteCounter
from device_drivers.banknotes.profile import BanknoteProfile
from device_drivers.device import Arming, Driver, Happening, Listener, Outcome, Verdict
from device_drivers.errors import DeviceRefused, DeviceUnavailable
from device_drivers.links.line import SharedLine
from device_drivers.links.memory import joined_ends
from tests.device_drivers.banknotes.bytes_of import live_frame
from tests.device_drivers.notebook import Notes, NotWrittenError
from tests.virtual_time import virtual_time

COUNT = "count_notes"


class Bench:
    """A counter's line, and what is remembered through restarts."""

    def __init__(self) -> None:
        self.near, self.far = joined_ends()
        self.notes = Notes()
        self.serial = 0

    async def driver(self, **profile: Any) -> BanknoteCounter:
        """A new process's driver."""
        made = BanknoteProfile.model_validate(profile)
        driver = BanknoteCounter("note-1", SharedLine(self.near), made, self.notes)
        await driver.connect()
        return driver

    async def hear(self, driver: BanknoteCounter, limit_s: float = 60.0) -> Happening | None:
        """What it says within the time, written down as a lane does; None: nothing."""
        try:
            async with asyncio.timeout(limit_s):
                said = await driver.listen()
        except TimeoutError:
            return None
        await self.notes.note(said.kind, said.facts, said.memory)
        return said

    async def count(self, *numbers: int, pause_s: float = 0.1, **more: Any) -> None:
        """Notes pass, each with a serial number of its own."""
        for number in numbers:
            self.serial += 1
            await self.far.write(live_frame(number, **{"serial": f"CD{self.serial:08d}", **more}))
            await asyncio.sleep(pause_s)

    @property
    def told(self) -> list[tuple[str, Any]]:
        return [(kind, facts.get("batch")) for kind, facts in self.notes.noted]


@asynccontextmanager
async def bench(**profile: Any) -> AsyncIterator[tuple[Bench, BanknoteCounter]]:
    b = Bench()
    driver = await b.driver(**profile)
    await b.hear(driver, 3)  # a silence: what comes now begins here
    yield b, driver
    await driver.disconnect()


# -- unasked -----------------------------------------------------------------------------------------------------------


@virtual_time
async def test_a_batch_is_told_with_its_denominations_and_serial_numbers() -> None:
    async with bench() as (b, driver):
        await b.count(1, 2)
        await b.count(3, value=50)
        said = await b.hear(driver)
        assert said is not None
        assert (said.kind, said.memory) == ("notes_counted", {"open": None})
        assert said.facts == {
            "batch": "note-1-1",
            "count": 3,
            "sum": 250,
            "currency": "CNY",
            "denominations": {"50": {"fit": 1}, "100": {"fit": 2}},
            "cash": {"fit": 3, "unfit": 0, "suspect": 0, "unrecognized": 0},
            "serials_unread": 0,
            "whole": True,
            "notes": [
                {"serial": "CD00000001", "value": 100, "cash": "fit"},
                {"serial": "CD00000002", "value": 100, "cash": "fit"},
                {"serial": "CD00000003", "value": 50, "cash": "fit"},
            ],
        }
        assert await b.hear(driver) is None
        assert (await driver.probe()).identity == {"serialNumber": "JX1"}


@virtual_time
async def test_batches_are_numbered_for_good_and_end_by_silence_or_by_the_counters_own_number() -> None:
    async with bench() as (b, driver):
        await b.count(1, 2, 1)
        assert [(await b.hear(driver, 10) or Happening()).facts.get("count") for _ in range(3)] == [2, 1, None]
        again = await b.driver()
        await b.hear(again, 3)
        await b.count(1)
        await b.hear(again)
        assert b.told == [("notes_counted", "note-1-1"), ("notes_counted", "note-1-2"), ("notes_counted", "note-1-3")]
        await again.disconnect()


@virtual_time
async def test_serial_numbers_never_stand_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with bench() as (b, driver):
        await b.count(1, serial="QZ77777777")
        await b.hear(driver)
        assert "batch note-1-1: 1 notes, 100 CNY" in caplog.text
        assert "QZ77****77" in caplog.text
        assert "QZ77777777" not in caplog.text


@virtual_time
@pytest.mark.parametrize(
    ("spoil", "flaw"),
    [
        (lambda b: b.count(1, 3), "note_missed"),
        (lambda b: b.count(2, 3), "not_from_the_start"),
        (lambda b: b.far.write(live_frame(1) + live_frame(2)[:800]), "bad_frame"),
        (lambda b: b.far.write(live_frame(1) + b"\x07" * 5 + live_frame(2)), "noise"),
        (lambda b: b.far.write(b"\x07" * 5 + live_frame(1)), "noise"),
        (lambda b: b.far.write(live_frame(1) + live_frame(2, letters=13)), "bad_frame"),
        (lambda b: b.far.write(live_frame(1, letters=13)), "bad_frame"),
        (lambda b: b.count(*range(1, 8)), "too_many_notes"),
        (lambda b: b.far.write(live_frame(1) + live_frame(2, currency="USD")), "currencies_mixed"),
    ],
)
async def test_a_batch_that_did_not_come_whole_is_void(spoil: Any, flaw: str) -> None:
    async with bench(batch_max=6) as (b, driver):
        await spoil(b)
        said = await b.hear(driver)
        assert said is not None
        assert (said.kind, said.facts["flaws"][0]["flaw"]) == ("notes_void", flaw)
        assert "notes" not in said.facts
        await b.count(1)
        assert (await b.hear(driver) or Happening()).kind == "notes_counted"  # counted again


@virtual_time
async def test_noise_between_batches_is_nothing() -> None:
    async with bench() as (b, driver):
        await b.far.write(b"\xae\xae\x07" * 50)
        assert await b.hear(driver, 20) is None
        await b.count(1)
        assert (await b.hear(driver) or Happening()).kind == "notes_counted"
        assert (await driver.probe()).counters == {"garbageBytes": 150, "badFrames": 0}


@virtual_time
async def test_a_counter_that_does_not_number_its_notes() -> None:
    async with bench(numbered=False) as (b, driver):
        await b.count(7, 7, 7)
        assert (await b.hear(driver) or Happening()).facts["count"] == 3


@virtual_time
async def test_a_batch_cut_by_a_restart_is_void_and_so_is_its_rest() -> None:
    """Without numbers nothing but the missing silence says that the rest of a bundle is no bundle."""
    for numbered in (True, False):
        b = Bench()
        first = await b.driver(numbered=numbered)
        await b.hear(first, 3)
        await b.count(1, 2)
        assert await b.hear(first, 0.5) is None  # two were heard, and then the agent died
        second = await b.driver(numbered=numbered)
        await b.count(3, 4)
        assert [(await b.hear(second) or Happening()).kind for _ in range(2)] == ["notes_void", "notes_void"]
        assert [facts["flaws"][0]["flaw"] for _, facts in b.notes.noted] == ["restarted", "restarted"]
        assert b.told == [("notes_void", "note-1-1"), ("notes_void", "note-1-2")]
        await b.count(1, 2, 3, 4)
        assert (await b.hear(second) or Happening()).facts["count"] == 4
        assert b.notes.kept == {"batch": 3}
        await second.disconnect()


@virtual_time
async def test_a_batch_cut_by_a_lost_line_is_void_and_told_when_it_is_back() -> None:
    async with bench() as (b, driver):
        await b.count(1)
        assert await b.hear(driver, 0.5) is None
        b.far.cut()
        with pytest.raises(DeviceUnavailable):
            await b.hear(driver)
        with pytest.raises(DeviceUnavailable):
            await driver.probe()
        await driver.disconnect()
        await driver.connect()
        said = await b.hear(driver)
        assert said is not None
        assert (said.kind, said.facts["batch"], said.facts["flaws"]) == (
            "notes_void",
            "note-1-1",
            [{"flaw": "line_lost"}],
        )
        assert await b.hear(driver) is None


@virtual_time
async def test_being_interrupted_at_any_moment_loses_nothing() -> None:
    for every_s in (0.0015, 0.003, 0.05, 0.5, 1.9):
        async with bench() as (b, driver):
            passing = asyncio.create_task(b.count(*range(1, 31), pause_s=0.05))
            said = None
            while said is None:
                said = await b.hear(driver, every_s)
                await driver.probe()
            assert (said.kind, said.facts["count"]) == ("notes_counted", 30), every_s
            await passing


# -- for an order ------------------------------------------------------------------------------------------------------


def params(amount: Any = 300, **more: Any) -> dict[str, Any]:
    return {"order": "O-1", "step": "count", "attempt": "O-1/count/1", "amount": amount, **more}


class Watching:
    """An armed watch; `verdict` ends it."""

    def __init__(self, driver: BanknoteCounter, arming: Arming, given: dict[str, Any], *, fresh: bool) -> None:
        watch = driver.watch(COUNT, given, arming, limit_s=300.0, fresh=fresh)
        self._task = asyncio.create_task(watch)

    async def verdict(self) -> Verdict:
        return await self._task

    async def killed(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


@virtual_time
async def test_the_notes_of_an_order_are_counted_and_checked() -> None:
    async with bench() as (b, driver):
        assert driver.acts[COUNT].kind == "watch"
        arming = await driver.arm(COUNT, params())
        assert arming.readings == {
            "batch": "note-1-1",
            "after": 0,
            "expected": 300,
            "bundles": 1,
            "currency": "CNY",
        }
        watching = Watching(driver, arming, params(), fresh=True)
        await b.count(1, 2, 3)
        verdict = await watching.verdict()
        assert (verdict.outcome, verdict.reason) == (Outcome.DONE, "notes_counted")
        assert verdict.facts == {"expected": 300, "sum": 300, "currency": "CNY", "batches": ["note-1-1"], "count": 3}
        ((kind, facts),) = b.notes.noted
        assert (kind, facts["order"], facts["attempt"], len(facts["notes"])) == (
            "notes_counted",
            "O-1",
            "O-1/count/1",
            3,
        )


@virtual_time
async def test_a_mismatch_is_refused_with_facts_and_waits_for_staff() -> None:
    async with bench() as (b, driver):
        watching = Watching(driver, await driver.arm(COUNT, params()), params(), fresh=True)
        await b.count(1, 2)
        await asyncio.sleep(60)
        await b.count(1, 2)
        await b.count(3, flag=0)
        await asyncio.sleep(60)
        await b.count(1, 3)
        await asyncio.sleep(60)
        await b.count(1, 2, 3)
        assert (await watching.verdict()).outcome is Outcome.DONE
        assert b.told == [
            ("notes_refused", "note-1-1"),
            ("notes_refused", "note-1-2"),
            ("notes_void", "note-1-3"),
            ("notes_counted", "note-1-4"),
        ]
        refused = [facts.get("refused") for _, facts in b.notes.noted]
        assert refused == [
            {"reason": "notes_sum_differs", "expected": 300, "sum": 200, "batches": ["note-1-1"]},
            {"reason": "notes_suspect", "count": 1},
            {"reason": "notes_void", "flaws": [{"flaw": "note_missed", "expected": 2, "number": 3}]},
            None,
        ]


@virtual_time
async def test_nobody_counts_and_the_step_fails_with_what_was_refused_last() -> None:
    async with bench() as (b, driver):
        arming = await driver.arm(COUNT, params())
        nothing = await driver.watch(COUNT, params(), arming, limit_s=60, fresh=True)
        assert (nothing.outcome, nothing.reason, nothing.facts["sum"]) == (Outcome.FAILED, "notes_not_counted", 0)
        watching = Watching(driver, arming, params(), fresh=True)
        await b.count(1)
        facts = (await watching.verdict()).facts
        assert facts["refused"]["reason"] == "notes_sum_differs"


@virtual_time
async def test_several_bundles_make_the_amount() -> None:
    async with bench() as (b, driver):
        given = params(500, bundles=2)
        watching = Watching(driver, await driver.arm(COUNT, given), given, fresh=True)
        await b.count(1, 2, 3)
        await asyncio.sleep(10)
        await b.count(1, 2)
        verdict = await watching.verdict()
        assert (verdict.outcome, verdict.facts["batches"]) == (Outcome.DONE, ["note-1-1", "note-1-2"])


@virtual_time
async def test_what_began_before_the_order_does_not_count_for_it() -> None:
    async with bench() as (b, driver):
        await b.count(1, 2, 3)
        assert await b.hear(driver, 0.1) is None  # somebody else's bundle is still passing
        watching = Watching(driver, await driver.arm(COUNT, params()), params(), fresh=True)
        await asyncio.sleep(10)
        assert b.told == [("notes_counted", "note-1-1")]
        assert "order" not in b.notes.noted[0][1]
        await b.count(1, 2, 3)
        assert (await watching.verdict()).facts["batches"] == ["note-1-2"]


@virtual_time
async def test_a_restart_in_the_middle_voids_the_batch_and_all_is_counted_again() -> None:
    b = Bench()
    first, given = await b.driver(), params(500, bundles=2)
    arming = await first.arm(COUNT, given)
    watching = Watching(first, arming, given, fresh=True)
    await asyncio.sleep(5)
    await b.count(1, 2, 3)
    await asyncio.sleep(5)
    await b.count(1)
    await watching.killed()
    second = await b.driver()
    resumed = Watching(second, arming, given, fresh=False)
    await b.count(2)  # the rest of the bundle
    await asyncio.sleep(5)
    assert b.told == [
        ("notes_counted", "note-1-1"),
        ("notes_void", "note-1-2"),
        ("notes_count_anew", None),
        ("notes_void", "note-1-3"),
    ]
    assert b.notes.noted[1][1]["flaws"] == [{"flaw": "restarted"}]
    await b.count(1, 2)
    await asyncio.sleep(5)
    await b.count(1, 2, 3)
    verdict = await resumed.verdict()
    assert (verdict.outcome, verdict.facts["batches"]) == (Outcome.DONE, ["note-1-4", "note-1-5"])
    await second.disconnect()


@virtual_time
async def test_a_lost_line_voids_the_batch_and_keeps_the_bundles_before_it() -> None:
    async with bench() as (b, driver):
        given = params(500, bundles=2)
        arming = await driver.arm(COUNT, given)
        watching = Watching(driver, arming, given, fresh=True)
        await b.count(1, 2, 3)
        await asyncio.sleep(5)
        await b.count(1)
        b.far.cut()
        with pytest.raises(DeviceUnavailable):
            await watching.verdict()
        await driver.disconnect()
        await driver.connect()
        resumed = Watching(driver, arming, given, fresh=False)
        await asyncio.sleep(5)
        await b.count(1, 2)
        assert (await resumed.verdict()).facts["batches"] == ["note-1-1", "note-1-3"]
        assert [kind for kind, _ in b.told] == ["notes_counted", "notes_void", "notes_counted"]


@virtual_time
async def test_what_cannot_be_written_is_told_later() -> None:
    async with bench() as (b, driver):
        arming = await driver.arm(COUNT, params())
        watching = Watching(driver, arming, params(), fresh=True)
        b.notes.failures = 1
        await b.count(1, 2, 3)
        with pytest.raises(NotWrittenError):
            await watching.verdict()
        assert (await b.hear(driver) or Happening()).kind == "notes_counted"


@virtual_time
async def test_a_bundle_that_could_not_be_written_is_not_held_to_be_put_in_twice() -> None:
    async with bench() as (b, driver):
        arming = await driver.arm(COUNT, params())
        watching = Watching(driver, arming, params(), fresh=True)
        b.notes.failures = 1
        await b.count(1, 2, 3)
        with pytest.raises(NotWrittenError):
            await watching.verdict()
        resumed = await Watching(driver, arming, params(), fresh=False).verdict()
        assert (resumed.outcome, resumed.facts["batches"]) == (Outcome.DONE, ["note-1-1"])
        assert b.told == [("notes_counted", "note-1-1")]


@virtual_time
async def test_in_doubt_it_is_counted_again_and_nothing_acts() -> None:
    async with bench() as (_, driver):
        made: Driver = driver
        assert isinstance(driver, Listener)
        assert (await made.reconcile(COUNT, params(), Arming({}))).outcome is Outcome.NO_EFFECT
        await made.recover()
        for asked in (made.act(COUNT, params(), Arming({})), made.arm("print", params())):
            with pytest.raises(DeviceRefused) as no:
                await asked
            assert no.value.waits_for == "never"


@virtual_time
@pytest.mark.parametrize(
    "wrong",
    [{"amount": 0}, {"amount": 1.5}, {"amount": None}, {"amount": float("inf")}, {"bundles": 0}, {"bundles": 21}],
)
async def test_an_amount_that_cannot_be_meant(wrong: dict[str, Any]) -> None:
    async with bench() as (_, driver):
        with pytest.raises(DeviceRefused) as no:
            await driver.arm(COUNT, {**params(), **wrong})
        assert (no.value.reason, no.value.waits_for) == ("invalid_params", "never")
