"""Waiting until the card is taken: what was seen, what is only inferred, and when it is given up."""

from __future__ import annotations

import asyncio

import pytest

from device_drivers.device import Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceUnavailable
from tests.device_drivers.crt591 import bench as b
from tests.device_drivers.crt591.bench import STATUS, Bench, bench
from tests.virtual_time import virtual_time


async def watched(it: Bench, *, limit_s: float = 30.0, fresh: bool = True, **params: int) -> Verdict:
    arming = await it.driver.arm("await_taken", params)
    return await it.driver.watch("await_taken", params, arming, limit_s=limit_s, fresh=fresh)


def later(it: Bench, seconds: float, **state: int) -> None:
    def change() -> None:
        for name, value in state.items():
            setattr(it.far, name, value)

    asyncio.get_running_loop().call_later(seconds, change)


@virtual_time
async def test_a_card_seen_in_the_gate_and_then_gone_was_witnessed() -> None:
    async with bench() as it:
        it.far.st0 = 1
        later(it, 5, st0=0)
        verdict = await watched(it)
        assert (verdict.outcome, verdict.item) == (Outcome.DONE, Whereabouts.CUSTOMER)
        assert verdict.facts["taken"] == "witnessed"
        assert it.far.motions == []
        assert it.far.count(STATUS) in range(10, 14)


@virtual_time
async def test_a_card_gone_at_the_first_look_is_inferred() -> None:
    async with bench() as it:
        verdict = await watched(it)
        assert (verdict.outcome, verdict.facts["taken"]) == (Outcome.DONE, "inferred")


@virtual_time
async def test_a_card_that_was_seen_only_before_the_line_was_lost_is_inferred() -> None:
    async with bench() as it:
        it.far.st0 = 1
        arming = await it.driver.arm("await_taken", {})
        later(it, 2, st0=0)
        asyncio.get_running_loop().call_later(1.9, it.near.cut)
        with pytest.raises(DeviceUnavailable):
            await it.driver.watch("await_taken", {}, arming, limit_s=30, fresh=True)
        await it.driver.connect()
        await asyncio.sleep(1)
        verdict = await it.driver.watch("await_taken", {}, arming, limit_s=30, fresh=False)
        assert verdict.facts["taken"] == "inferred"


@virtual_time
async def test_a_power_loss_between_two_looks_breaks_the_witness() -> None:
    async with bench() as it:
        it.far.st0 = 1
        later(it, 2, st0=0, not_reset=True)
        assert (await watched(it)).facts["taken"] == "inferred"
        assert it.notes.kinds == ["power_lost"]


@virtual_time
async def test_a_machine_that_took_the_card_back_is_told_by_its_counter() -> None:
    async with bench() as it:
        it.far.st0 = 1
        later(it, 2, st0=0, bin=8)
        verdict = await watched(it)
        assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "retained_by_machine")
        assert verdict.item is Whereabouts.BIN


@virtual_time
async def test_the_counter_of_the_presenting_counts_when_it_is_known() -> None:
    async with bench() as it:
        assert (await watched(it, bin=6)).reason == "retained_by_machine"


@pytest.mark.parametrize(
    ("fresh", "limit_s", "waited_s"), [(True, 5, 5), (False, 5, 20), (False, 60, 60), (True, 60, 60)]
)
@virtual_time
async def test_a_card_left_in_the_gate_is_given_up_at_the_limit(fresh: bool, limit_s: float, waited_s: float) -> None:
    async with bench() as it:
        it.far.st0 = 1
        began = asyncio.get_running_loop().time()
        verdict = await watched(it, limit_s=limit_s, fresh=fresh)
        assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "not_taken")
        assert verdict.item is Whereabouts.MOUTH
        assert not verdict.lane_shut
        assert waited_s <= asyncio.get_running_loop().time() - began < waited_s + 1


@virtual_time
async def test_a_card_taken_at_the_very_limit_is_seen() -> None:
    async with bench() as it:
        it.far.st0 = 1
        later(it, 4.9, st0=0)
        assert (await watched(it, limit_s=5)).facts["taken"] == "witnessed"


@virtual_time
async def test_a_card_that_goes_back_inside_is_for_a_person() -> None:
    async with bench() as it:
        it.far.st0 = 1
        later(it, 2, st0=2)
        verdict = await watched(it)
        assert (verdict.outcome, verdict.item, verdict.lane_shut) == (Outcome.UNKNOWN, Whereabouts.TRANSPORT, True)


@virtual_time
async def test_an_error_while_watching_is_for_a_person() -> None:
    async with bench() as it:
        it.far.st0 = 1
        arming = await it.driver.arm("await_taken", {})
        it.far.error = "10"
        verdict = await it.driver.watch("await_taken", {}, arming, limit_s=5, fresh=True)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "card_jam")


@virtual_time
async def test_losing_a_look_or_two_is_no_news() -> None:
    async with bench() as it:
        it.far.st0 = 1
        it.far.say(STATUS, b.obey, b.silent, b.silent, b.obey, b.silent)
        later(it, 5, st0=0)
        assert (await watched(it)).facts["taken"] == "witnessed"
