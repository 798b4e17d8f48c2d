"""What a bad line may cost: bounded time, no starved neighbour, no frame cut in half."""

from __future__ import annotations

import asyncio

import pytest

from device_drivers.crt591.driver import CardDispenser
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.crt591.protocol import Control, Packet
from device_drivers.device import Outcome
from device_drivers.errors import DeviceUnavailable, OutcomeUnknown
from device_drivers.links.line import SharedLine
from device_drivers.links.link import Link
from device_drivers.links.memory import joined_ends
from tests.device_drivers.crt591 import bench as b
from tests.device_drivers.crt591.bench import DRAW, STATUS, FarSide, Notes, bench
from tests.virtual_time import virtual_time


async def drips_acks(far: FarSide, frame: Packet) -> None:
    """An ACK now and then, and never an answer."""
    for _ in range(1000):
        await far.send(Control.ACK.wire)
        await asyncio.sleep(0.25)


@virtual_time
async def test_only_the_first_ack_of_an_exchange_buys_time() -> None:
    async with bench() as it:
        it.far.say(STATUS, drips_acks)
        began = asyncio.get_running_loop().time()
        with pytest.raises(DeviceUnavailable):
            await it.driver.probe()
        assert asyncio.get_running_loop().time() - began < 15


class NoisyLink:
    """A line with bytes to read at any moment: reading it never waits."""

    def describe(self) -> str:
        return "noisy"

    async def open(self) -> None:
        return

    async def close(self) -> None:
        return

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        return b"\x00"

    async def write(self, data: bytes) -> None:
        return


@virtual_time
async def test_a_line_that_is_always_readable_lets_the_other_lanes_run() -> None:
    far = FarSide(joined_ends()[1])
    driver = CardDispenser("card-1", SharedLine(NoisyLink()), Crt591Profile(), Notes(far), is_tcp=False)
    await driver.connect()
    turns = 0

    async def neighbour() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(neighbour())
    with pytest.raises(DeviceUnavailable, match="line_floods"):
        await driver.probe()
    assert turns > 1000
    other.cancel()
    await asyncio.wait([other])
    await driver.disconnect()


class SlowLink:
    """A line that takes one byte at a time."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def describe(self) -> str:
        return self._link.describe()

    async def open(self) -> None:
        await self._link.open()

    async def close(self) -> None:
        await self._link.close()

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        return await self._link.read(max_bytes, timeout_s)

    async def write(self, data: bytes) -> None:
        for byte in data:
            await self._link.write(bytes([byte]))
            await asyncio.sleep(0.01)


@virtual_time
async def test_a_frame_that_is_being_written_is_finished_before_the_cancellation_passes() -> None:
    async with bench() as it:
        await it.driver.disconnect()
        line = SharedLine(SlowLink(it.near))
        driver = CardDispenser("card-1", line, it.profile, it.notes, is_tcp=False)
        await driver.connect()
        arming = await driver.arm("draw_card", {})
        acting = asyncio.create_task(driver.act("draw_card", {}, arming))
        await asyncio.sleep(it.profile.quiet_s + 0.045)  # some bytes are on the wire, others not
        acting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await acting
        assert it.far.motions == [DRAW]
        assert it.far.bad == []
        await asyncio.sleep(driver.settle_s)
        assert (await driver.reconcile("draw_card", {}, arming)).outcome is Outcome.DONE
        assert it.far.motions == [DRAW]
        await driver.disconnect()


@virtual_time
async def test_a_unit_that_fell_silent_breaks_the_witness() -> None:
    async with bench() as it:
        it.far.st0 = 1
        arming = await it.driver.arm("await_taken", {})
        it.far.say(STATUS, *[b.silent] * 4)
        with pytest.raises(DeviceUnavailable):
            await it.driver.watch("await_taken", {}, arming, limit_s=30, fresh=True)
        it.far.st0 = 0
        verdict = await it.driver.watch("await_taken", {}, arming, limit_s=30, fresh=True)
        assert verdict.facts["taken"] == "inferred"


@virtual_time
async def test_an_act_on_a_line_that_only_acknowledges_ends_in_time() -> None:
    async with bench() as it:
        arming = await it.driver.arm("draw_card", {})
        it.far.say(DRAW, drips_acks)
        began = asyncio.get_running_loop().time()
        with pytest.raises(OutcomeUnknown, match="no_answer"):
            await it.driver.act("draw_card", {}, arming)
        assert asyncio.get_running_loop().time() - began <= 2 * it.profile.act_max_s
        assert it.far.motions == [DRAW]
