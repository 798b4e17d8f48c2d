"""An address that leads to another machine than before: what that one shows settles nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from device_drivers.device import Arming, NothingToDo, Outcome, Verdict
from device_drivers.errors import OutcomeUnknown
from tests.device_drivers.crt591 import bench as b
from tests.device_drivers.crt591.bench import DRAW, PRESENT, Bench, bench
from tests.virtual_time import virtual_time

SERIAL_NUMBER = (0xA2, 0x30)
OTHER = "SN-0043"


@pytest.fixture(autouse=True)
def own_name() -> Iterator[None]:
    mine = b.DATA[SERIAL_NUMBER]
    yield
    b.DATA[SERIAL_NUMBER] = mine


async def restarted(it: Bench, name: bytes) -> None:
    """A new process, behind whose address stands a machine of that name."""
    await it.driver.disconnect()
    b.DATA[SERIAL_NUMBER] = name
    it.driver = it.make()
    await it.driver.connect()


async def in_doubt(it: Bench) -> Arming:
    """A present whose answer was lost, on a machine that was probed before."""
    await it.driver.probe()
    it.far.st0 = 2
    arming = await it.driver.arm("present_card", {})
    it.far.say(PRESENT, b.acts_unheard)
    with pytest.raises(OutcomeUnknown):
        await it.driver.act("present_card", {}, arming)
    return arming


def is_other(verdict: Verdict) -> bool:
    return (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "other_machine", True)


@virtual_time
async def test_an_arming_stores_who_was_asked_and_asks_nothing_more_for_it() -> None:
    async with bench() as it:
        await it.driver.probe()
        arming = await it.driver.arm("draw_card", {})
        assert dict(arming.readings) == {"st0": 0, "st1": 2, "st2": 0, "bin": 7, "serial_number": "SN-0042"}
        assert it.far.count(SERIAL_NUMBER) == 1


@virtual_time
async def test_another_machine_cannot_say_what_an_attempt_came_to() -> None:
    async with bench() as it:
        arming = await in_doubt(it)
        await restarted(it, OTHER.encode())
        it.far.st0 = 0  # read alone, this would be a card that the customer took
        verdict = await it.driver.reconcile("present_card", {}, arming)
        assert is_other(verdict)
        assert verdict.facts == {"serial_number": OTHER, "armed_serial_number": "SN-0042"}


@virtual_time
async def test_a_swap_without_a_new_connection_is_seen_as_well() -> None:
    async with bench() as it:
        arming = await in_doubt(it)
        b.DATA[SERIAL_NUMBER] = OTHER.encode()
        assert is_other(await it.driver.reconcile("present_card", {}, arming))


@pytest.mark.parametrize("name", [b"SN-0042", b""])
@virtual_time
async def test_the_same_machine_or_one_that_does_not_tell_is_asked_as_ever(name: bytes) -> None:
    async with bench() as it:
        arming = await in_doubt(it)
        await restarted(it, name)
        assert (await it.driver.reconcile("present_card", {}, arming)).outcome is Outcome.DONE


@virtual_time
async def test_a_machine_that_refuses_to_tell_is_asked_as_ever() -> None:
    async with bench() as it:
        arming = await in_doubt(it)
        it.far.say(SERIAL_NUMBER, b.fails("03"))
        assert (await it.driver.reconcile("present_card", {}, arming)).outcome is Outcome.DONE


@virtual_time
async def test_an_arming_without_a_serial_number_asks_for_none() -> None:
    async with bench() as it:
        arming = await it.driver.arm("draw_card", {})
        await restarted(it, OTHER.encode())
        assert (await it.driver.reconcile("draw_card", {}, arming)).outcome is Outcome.NO_EFFECT
        assert it.far.count(SERIAL_NUMBER) == 0


@virtual_time
async def test_a_wait_is_not_resumed_at_another_machine() -> None:
    async with bench() as it:
        await it.driver.probe()
        it.far.st0 = 1
        arming = await it.driver.arm("await_taken", {})
        await restarted(it, OTHER.encode())
        it.far.st0 = 0
        assert is_other(await it.driver.watch("await_taken", {}, arming, limit_s=30, fresh=False))


@pytest.mark.parametrize("act", ["present_card", "capture_card", "await_taken"])
@virtual_time
async def test_the_card_of_another_machine_is_not_looked_for_in_this_one(act: str) -> None:
    async with bench() as it:
        await it.driver.probe()
        it.far.st0 = 2  # a card, but not the one of this order
        with pytest.raises(NothingToDo) as needless:
            await it.driver.arm(act, {"earlier": {"st0": 0, "bin": 7, "serial_number": OTHER}})
        assert is_other(needless.value.verdict)
        assert it.far.motions == []


@virtual_time
async def test_a_new_card_may_be_drawn_from_another_machine() -> None:
    async with bench() as it:
        await it.driver.probe()
        arming = await it.driver.arm("draw_card", {"earlier": {"serial_number": OTHER}})
        assert (await it.driver.act("draw_card", {}, arming)).outcome is Outcome.DONE
        assert it.far.motions == [DRAW]
