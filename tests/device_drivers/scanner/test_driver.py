"""The scanner's driver: each code once, what is old or repeated never, nothing lost by being interrupted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from device_drivers.catalog import kind_of
from device_drivers.device import Driver, Listener, Scan
from device_drivers.errors import DeviceUnavailable
from device_drivers.links.line import SharedLine
from device_drivers.links.memory import MemoryEnd, joined_ends
from device_drivers.scanner.driver import FLOOD_CODES, Scanner
from device_drivers.scanner.profile import ScannerProfile
from tests.virtual_time import virtual_time


@dataclass
class Bench:
    driver: Scanner
    far: MemoryEnd

    async def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            await self.far.write(piece)

    async def hear(self) -> Scan:
        async with asyncio.timeout(60):
            happening = await self.driver.listen()
        assert happening.kind == "code_scanned"
        assert happening.code is not None
        return happening.code

    async def silent(self, seconds: float = 5.0) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.driver.listen()

    async def counters(self) -> dict[str, int]:
        return dict((await self.driver.probe()).counters)


async def bench(**profile: Any) -> Bench:
    near, far = joined_ends("scanner")
    made = Bench(Scanner("scanner-1", SharedLine(near), ScannerProfile(**profile)), far)
    await made.driver.connect()
    return made


def test_it_is_of_the_catalogue_and_acts_on_nothing() -> None:
    kind = kind_of("scanner")
    assert kind.acts == frozenset()
    driver: Driver = Scanner("s", SharedLine(joined_ends("x")[0]), ScannerProfile())
    assert isinstance(driver, Listener)


@virtual_time
async def test_a_code_is_said_with_what_may_be_seen_of_it() -> None:
    it = await bench(serves=["card-1"])
    await it.say(b"PICKUP-", b"4417\r\n")
    assert await it.hear() == Scan("PICKUP-4417", "4417", ("card-1",))
    await it.say(b"1234567\r")
    assert (await it.hear()).shown == ""  # four of seven letters would be most of it
    assert "PICKUP-4417" not in repr(Scan("PICKUP-4417", "4417"))
    for shown, seen in (("whole", "PICKUP-4417"), ("nothing", "")):
        other = await bench(shown=shown)
        await other.say(b"PICKUP-4417\r")
        assert (await other.hear()).shown == seen
        await other.driver.disconnect()
    await it.driver.disconnect()


@virtual_time
async def test_a_scanner_that_repeats_what_it_sees_says_it_once() -> None:
    it = await bench()
    await it.say(b"PICKUP-4417\r" * 3)
    assert (await it.hear()).value == "PICKUP-4417"
    for _ in range(5):  # the phone stays before it for longer than repeat_s
        await it.say(b"PICKUP-4417\r")
        await it.silent(1.0)
    assert (await it.counters())["repeats"] == 7
    await it.silent(3.0)
    await it.say(b"PICKUP-4417\r")  # held there again: another scan
    assert (await it.hear()).value == "PICKUP-4417"
    await it.say(b"A-1\r", b"B-1\r", b"A-1\r")  # two customers in turn
    assert [(await it.hear()).value for _ in range(3)] == ["A-1", "B-1", "A-1"]
    await it.driver.disconnect()


@virtual_time
async def test_what_was_scanned_while_nobody_listened_is_dropped() -> None:
    near, far = joined_ends("scanner")
    await far.write(b"PICKUP-OLD\r")
    driver = Scanner("scanner-1", SharedLine(near), ScannerProfile())
    await driver.connect()
    it = Bench(driver, far)
    await it.silent()
    await it.say(b"PICKUP-NEW\r")
    assert (await it.hear()).value == "PICKUP-NEW"
    assert (await it.counters())["staleBytes"] == len(b"PICKUP-OLD\r")
    await driver.disconnect()


@virtual_time
async def test_whoever_is_interrupted_at_any_moment_hears_every_code() -> None:
    it = await bench(gap_s=1.0)
    said = [b"CODE-%04d" % n for n in range(30)]
    heard: list[str] = []

    async def talk() -> None:
        for code in said:
            for n in range(len(code)):
                await it.say(code[n : n + 1])
                await asyncio.sleep(0.003)
            await it.say(b"\r\n")
            await asyncio.sleep(1.1)  # 55 in a minute: no flood

    talking = asyncio.create_task(talk())
    for n in range(3000):
        try:
            async with asyncio.timeout(0.001 * (n % 40)):
                heard.append((await it.hear()).value)
        except TimeoutError:
            continue
    await talking
    assert heard == [code.decode() for code in said]
    await it.driver.disconnect()


@virtual_time
async def test_a_flood_is_cut_off_counted_and_shown_until_it_is_over() -> None:
    it = await bench()
    for n in range(FLOOD_CODES + 40):
        await it.say(b"RUBBISH-%d\r" % n)
    heard = [await it.hear() for _ in range(FLOOD_CODES)]
    assert len(heard) == FLOOD_CODES
    await it.silent(1.0)
    assert (await it.counters())["floods"] == 40
    assert (await it.driver.probe()).reason == "scanner_floods"
    await it.silent(61.0)
    assert (await it.driver.probe()).reason == ""
    await it.say(b"PICKUP-4417\r")
    assert (await it.hear()).value == "PICKUP-4417"
    await it.driver.disconnect()


@virtual_time
async def test_letters_that_are_none_and_half_a_code_are_counted_and_not_said() -> None:
    it = await bench()
    await it.say(b"\xff\xfe\xfd-4417\r", b"PICKUP-")
    await it.silent(2.0)
    await it.say(b"4417\r")  # what follows a pause is another line
    assert (await it.hear()).value == "4417"
    assert (await it.counters())["badFrames"] == 2
    gbk = await bench(encoding="gbk")
    await gbk.say("取件4417".encode("gbk") + b"\r")
    assert (await gbk.hear()).value == "取件4417"
    await gbk.driver.disconnect()
    await it.driver.disconnect()


@virtual_time
async def test_a_scanner_that_sends_no_end_is_understood_by_its_pauses() -> None:
    it = await bench(by_silence=True)
    await it.say(b"PICKUP", b"-4417")
    assert (await it.hear()).value == "PICKUP-4417"
    await it.driver.disconnect()


@virtual_time
async def test_a_line_that_is_lost_is_unavailable_at_once_and_begins_anew() -> None:
    it = await bench()
    listening = asyncio.create_task(it.driver.listen())
    await asyncio.sleep(1)
    it.far.cut()
    with pytest.raises(DeviceUnavailable):
        await listening
    with pytest.raises(DeviceUnavailable):
        await it.driver.probe()
    await it.driver.disconnect()
    await it.driver.connect()
    await it.say(b"PICKUP-4417\r")
    assert (await it.hear()).value == "PICKUP-4417"
    await it.driver.disconnect()
