"""A printer whose power blinks while the agent stands still: what it prints afterwards proves nothing of before."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from device_drivers.device import Outcome
from device_drivers.errors import OutcomeUnknown
from device_drivers.links.address import bytes_per_s
from device_drivers.links.memory import MemoryEnd
from tests.device_drivers.escpos.bench import Bench, bench, job
from tests.device_drivers.escpos.test_against_simulator import FIRST, SECOND, Branch, branch
from tests.virtual_time import run, virtual_time

XON, XOFF = b"\x11", b"\x13"
LONG = job(text="行\n" * 110)


class StandsStill(MemoryEnd):
    """The driver's end; before the n-th write of an act the whole agent is not let run, and the power blinks.

    Not while it is held up: an XON that is owed may be either, and which of the two nobody can tell (decision 40).
    """

    it: Branch
    at = -1
    writes = 0

    async def write(self, data: bytes) -> None:
        self.writes += 1
        if self.writes == self.at and not self.it.driver._talk.held_up:
            self.it.fault("power_loss", off_s=1.0)
            await asyncio.sleep(2.0)
        await super().write(data)


async def stood_still(at: int, params: Any, **options: Any) -> tuple[bool, int]:
    """Whether it was said to be printed, and how often the act wrote; what is said so is so."""
    async with branch(**options) as it:
        arming = await it.arm(**params)
        near = it.near
        near.__class__ = StandsStill
        assert isinstance(near, StandsStill)
        near.it, near.at = it, at
        verdict = await it.tried(arming, **params)
        near.at = -1
        out = it.originals(params["attempt"])
        if verdict.outcome is Outcome.DONE:
            assert len(out) == 1
            assert out[0]["lines"][0] == params["sheet"]["values"]["text"], "proved, and its beginning is missing"
        assert len(out) <= 1
        return verdict.outcome is Outcome.DONE, near.writes


def at_every_write(params: Any, **options: Any) -> None:
    printed, writes = run(stood_still(-1, params, **options))
    assert printed
    for at in range(1, writes + 1):
        run(stood_still(at, params, **options))


@pytest.mark.rule("ORD-10")
def test_a_printer_with_xon_says_that_its_power_came_back() -> None:
    at_every_write(FIRST)


@pytest.mark.rule("ORD-10")
def test_what_leaves_at_once_needs_no_sign() -> None:
    """A ticket and its ID are one piece: whoever lost the one has lost the other."""
    at_every_write(SECOND, flow="none")


@virtual_time
async def test_an_id_after_the_power_came_back_is_none_of_what_was_sent_before() -> None:
    async with bench() as it:
        arming = await it.arm(**job())
        obey = it.far._obey

        async def blinks_before_the_id(command: bytes) -> None:
            if command.startswith(b"\x1d\x28\x48"):
                it.far._say(XON)
            await obey(command)

        it.far._obey = blinks_before_the_id  # type: ignore[method-assign]
        with pytest.raises(OutcomeUnknown, match="printer_restarted"):
            await it.act(arming, **job())
        await asyncio.sleep(it.driver.settle_s)
        assert (await it.reconcile(arming, **job())).outcome is Outcome.UNKNOWN


@virtual_time
async def test_neither_is_a_fence() -> None:
    async with bench(process_id="no") as it:
        arming = await it.arm(**job())
        obey = it.far._obey

        async def blinks_before_the_fence(command: bytes) -> None:
            if command == b"\x1d\x72\x01":
                it.far._say(XON + b"\x00")
            else:
                await obey(command)

        it.far._obey = blinks_before_the_fence  # type: ignore[method-assign]
        with pytest.raises(OutcomeUnknown, match="printer_restarted"):
            await it.act(arming, **job())


@virtual_time
async def test_a_printer_that_lost_the_beginning_is_not_sent_the_rest() -> None:
    """The rest would stand on a sheet without its beginning."""
    async with bench(max_chunk_bytes=256) as it:
        params = job(text="行\n" * 110)
        arming = await it.arm(**params)
        it.far.after(1, lambda: it.far._say(XON))
        with pytest.raises(OutcomeUnknown, match="printer_restarted"):
            await it.act(arming, **params)
        assert it.far.asked("行".encode("gbk")) < 30
        assert it.far.asked(b"\x1d\x28\x48") == 1  # the probe's


@virtual_time
async def test_an_id_before_the_power_went_proves_the_sheet() -> None:
    async with bench() as it:
        arming = await it.arm(**job())
        obey = it.far._obey

        async def blinks_behind_the_id(command: bytes) -> None:
            if command.startswith(b"\x1d\x28\x48"):
                it.far._say(b"\x37\x22" + command[7:] + b"\x00" + XON)
            else:
                await obey(command)

        it.far._obey = blinks_behind_the_id  # type: ignore[method-assign]
        assert (await it.act(arming, **job())).reason == "printed"


@pytest.mark.parametrize("told", [XOFF + XON, XOFF + XOFF + XON])
@virtual_time
async def test_an_xon_that_follows_its_xoff_says_no_more_than_that(told: bytes) -> None:
    async with bench() as it:
        arming = await it.arm(**job())
        it.far.after(1, lambda: it.far._say(told))
        assert (await it.act(arming, **job())).reason == "printed"


@virtual_time
async def test_an_xon_whose_xoff_was_before_this_connection_costs_no_late_proof() -> None:
    """Paper ran out, the agent began anew, and only then somebody refilled it."""
    async with bench() as it:
        arming = await it.arm(**job())
        it.far.after(1, lambda: it.far.becomes(paper_out=True))
        with pytest.raises(OutcomeUnknown):
            await it.act(arming, **job())
        await it.restart()
        it.far._say(XON)
        it.far.becomes(paper_out=False)
        await asyncio.sleep(2.0)
        assert (await it.reconcile(arming, **job())).reason == "printed"


@virtual_time
async def test_a_printer_that_repeats_its_xon_is_not_taken_at_that_word() -> None:
    async with bench(xon_tells_power=False) as it:
        arming = await it.arm(**job())
        it.far.after(1, lambda: it.far._say(XON))
        assert (await it.act(arming, **job())).reason == "printed"


class Slow:
    """The wire between: bytes leave one after the other, and those that come while the printer is off are lost."""

    def __init__(self, it: Bench, baud: int) -> None:
        self.wire = bytearray()
        self._it, self._baud, self._write = it, baud, it.near.write
        it.near.write = self.take  # type: ignore[method-assign]
        it.near.describe = lambda: f"serial:///dev/ttyS0?baud={baud}"  # type: ignore[method-assign]
        it.driver = it.make()

    async def take(self, data: bytes) -> None:
        """The operating system has room for four KiB: it takes them at once."""
        self.wire += data
        assert len(self.wire) <= 4096

    async def run(self) -> None:
        while True:
            await asyncio.sleep(10 * 10 / self._baud)
            if self.wire:
                await self._write(bytes(self.wire[:10]))
                del self.wire[:10]


async def blinked(at_s: float) -> str:
    """What is said of a receipt on a line of 9600 baud whose printer has no power for 0.8 s."""
    async with bench() as it:
        await it.driver.disconnect()
        wire = asyncio.create_task((slow := Slow(it, 9600)).run())
        try:
            await it.driver.connect()
            arming = await it.arm(**LONG)
            loop = asyncio.get_running_loop()

            def dark() -> None:
                it.far.off = True
                it.far.loses_power()
                it.far.left.clear()

            loop.call_later(at_s, dark)
            loop.call_later(at_s + 0.8, setattr, it.far, "off", False)
            try:
                return (await it.act(arming, **LONG)).reason
            except OutcomeUnknown as doubt:
                return doubt.reason
            finally:
                await asyncio.sleep(5)
                assert not slow.wire
        finally:
            wire.cancel()
            await asyncio.wait([wire])


@pytest.mark.rule("ORD-10")
def test_on_a_slow_line_a_blink_between_two_questions_is_as_long_as_none_can_be() -> None:
    """2 KiB take two seconds at 9600 baud: a printer was off and back again before the question behind them came."""
    told = {at_s / 10: run(blinked(at_s / 10)) for at_s in range(1, 28, 2)}
    assert "printed" not in told.values(), told


def test_elsewhere_a_profile_says_how_much_is_sent_between_two_questions() -> None:
    assert bytes_per_s("serial:///dev/ttyUSB0?baud=115200") == 11520
    assert bytes_per_s("tcp://192.0.2.1:9100") == bytes_per_s("no address") == math.inf
