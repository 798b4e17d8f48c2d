"""The shared line: one lock per exchange, open while anyone holds it, and a loss that nobody oversleeps."""

from __future__ import annotations

import asyncio

import pytest

from device_drivers.crt591.driver import CardDispenser
from device_drivers.device import Outcome
from device_drivers.errors import DeviceUnavailable, OutcomeUnknown
from device_drivers.links.address import AddressError
from device_drivers.links.finish import finish_first
from device_drivers.links.line import Lines, SharedLine
from device_drivers.links.link import Link, LinkError
from device_drivers.links.memory import joined_ends
from tests.device_drivers.crt591 import bench as b
from tests.device_drivers.crt591.bench import DRAW, STATUS, bench
from tests.virtual_time import virtual_time


class CountingLink:
    """A link that counts its openings and may refuse one."""

    def __init__(self) -> None:
        self.near, self.far = joined_ends()
        self.opened = self.closed = 0
        self.refuse = False

    def describe(self) -> str:
        return "counting"

    async def open(self) -> None:
        self.opened += 1
        if self.refuse:
            raise LinkError("counting", "refused")
        await self.near.open()

    async def close(self) -> None:
        self.closed += 1
        await self.near.close()

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        return await self.near.read(max_bytes, timeout_s)

    async def write(self, data: bytes) -> None:
        await self.near.write(data)


@virtual_time
async def test_the_first_holder_opens_and_the_last_closes() -> None:
    link = CountingLink()
    line = SharedLine(link)
    first, second = await line.hold(), await line.hold()
    assert (link.opened, link.closed) == (1, 0)
    await first.let_go()
    assert second.unbroken
    assert link.closed == 0
    await second.let_go()
    await second.let_go()
    assert (link.opened, link.closed) == (1, 1)


@virtual_time
async def test_who_is_cancelled_while_letting_go_holds_nothing_any_more() -> None:
    """The port stayed open for as long as the process: no other program could have it, and no new settings."""
    link = CountingLink()
    line = SharedLine(link)
    first, second = await line.hold(), await line.hold()
    async with first.exchange():
        leaving = asyncio.create_task(second.let_go())
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
    assert link.closed == 0
    await first.let_go()
    assert link.closed == 1


@virtual_time
async def test_the_last_exchange_closes_what_nobody_holds() -> None:
    link = CountingLink()
    line = SharedLine(link)
    only = await line.hold()
    async with only.exchange():
        leaving = asyncio.create_task(only.let_go())
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
        assert link.closed == 0
    assert link.closed == 1


@virtual_time
async def test_a_refused_opening_leaves_nothing_open() -> None:
    link = CountingLink()
    link.refuse = True
    line = SharedLine(link)
    with pytest.raises(LinkError, match="refused"):
        await line.hold()
    assert (link.opened, link.closed) == (1, 1)
    link.refuse = False
    assert (await line.hold()).unbroken


@virtual_time
async def test_exchanges_never_overlap() -> None:
    line = SharedLine(CountingLink())
    holds = [await line.hold() for _ in range(3)]
    inside: list[int] = []
    most = 0

    async def exchange(number: int) -> None:
        nonlocal most
        async with holds[number].exchange():
            inside.append(number)
            most = max(most, len(inside))
            await asyncio.sleep(1)
            inside.remove(number)

    async with asyncio.TaskGroup() as group:
        for number in (0, 1, 2, 0, 1):
            group.create_task(exchange(number))
    assert most == 1


@virtual_time
async def test_a_loss_breaks_every_hold_even_when_the_line_is_back() -> None:
    link = CountingLink()
    line = SharedLine(link)
    mine, theirs = await line.hold(), await line.hold()

    async def lose() -> None:
        async with mine.exchange():
            raise LinkError("counting", "unplugged")

    with pytest.raises(LinkError, match="unplugged"):
        await lose()
    assert link.closed == 1
    again = await line.hold()
    assert again.unbroken
    assert not theirs.unbroken
    with pytest.raises(LinkError, match="was lost"):
        async with theirs.exchange():
            pytest.fail("a broken hold got the line")
    with pytest.raises(LinkError, match="was lost"):
        theirs.aside()
    await theirs.let_go()
    assert again.unbroken


@virtual_time
async def test_a_cancelled_waiter_does_not_keep_the_lock() -> None:
    line = SharedLine(CountingLink())
    hold = await line.hold()

    async def exchange() -> None:
        async with hold.exchange():
            await asyncio.sleep(1)

    busy, waiter = asyncio.create_task(exchange()), asyncio.create_task(exchange())
    await asyncio.sleep(0.5)
    waiter.cancel()
    busy.cancel()
    await asyncio.wait([busy, waiter])
    async with asyncio.timeout(0.1), hold.exchange() as link:
        assert isinstance(link, CountingLink)


@virtual_time
async def test_work_that_must_be_finished_is_finished_and_then_the_cancellation_passes() -> None:
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(1)
        done.append("whole")

    task = asyncio.create_task(finish_first(work()))
    for _ in range(3):
        await asyncio.sleep(0.1)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["whole"]


@virtual_time
async def test_work_that_fails_tells_its_error_unless_cancelled() -> None:
    async def work() -> None:
        await asyncio.sleep(1)
        raise LinkError("line", "broke")

    with pytest.raises(LinkError, match="broke"):
        await finish_first(work())
    task = asyncio.create_task(finish_first(work()))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_units_of_one_port_meet_on_one_line_and_must_agree_on_its_settings() -> None:
    def make(_text: str) -> Link:
        return CountingLink()

    lines = Lines(make)
    one = lines.line("serial:///dev/ttyUSB0")
    assert lines.line("serial:///dev/ttyUSB0?baud=9600") is one
    assert lines.line("serial:///dev/ttyUSB1") is not one
    assert lines.line("tcp://127.0.0.1:4001") is lines.line("tcp://127.0.0.1:4001")
    with pytest.raises(AddressError, match="give all its units the same address"):
        lines.line("serial:///dev/ttyUSB0?baud=19200")


def test_one_port_of_a_serial_server_has_one_owner_however_it_is_spoken_to() -> None:
    """Two connections would be two masters on one pair of wires."""
    lines = Lines(lambda _text: CountingLink())
    lines.line("tcp://192.0.2.5:502")
    with pytest.raises(AddressError, match="give all its units the same address"):
        lines.line("modbus://192.0.2.5")
    assert lines.line("modbus://192.0.2.6") is lines.line("modbus://192.0.2.6:502")


# --- two units on one line -----------------------------------------------------------------------------------------


@virtual_time
async def test_two_units_share_a_line_and_a_slow_one_only_makes_the_other_wait() -> None:
    async with bench() as it:
        profile = it.profile.model_copy(update={"unit": 3})
        other = CardDispenser("card-2", it.line, profile, it.notes, is_tcp=False)
        await other.connect()
        arming = await it.driver.arm("draw_card", {})
        it.far.act_s = 4.0
        verdict, twin = await asyncio.gather(it.driver.act("draw_card", {}, arming), other.probe())
        assert verdict.outcome is Outcome.DONE
        assert twin.device == "online"
        assert {frame.unit for frame in it.far.frames} == {0, 3}
        assert it.far.bad == []
        assert it.far.motions == [DRAW]
        await other.disconnect()
        assert (await it.driver.probe()).device == "online"


@virtual_time
async def test_a_line_lost_by_one_unit_is_lost_for_the_other_before_it_sends() -> None:
    async with bench() as it:
        profile = it.profile.model_copy(update={"unit": 3})
        other = CardDispenser("card-2", it.line, profile, it.notes, is_tcp=False)
        await other.connect()
        theirs = await other.arm("draw_card", {})
        mine = await it.driver.arm("draw_card", {})
        it.far.say(DRAW, b.cuts)
        with pytest.raises(OutcomeUnknown, match="line_lost"):
            await it.driver.act("draw_card", {}, mine)
        await it.driver.connect()
        with pytest.raises(DeviceUnavailable, match="line_lost"):
            await other.act("draw_card", {}, theirs)
        assert it.far.motions == [DRAW]
        await other.connect()
        before = it.far.count(STATUS)
        await other.probe()
        assert it.far.count(STATUS) > before
        await other.disconnect()
