"""The people counter against bytes written out: the vectors of devices.md 5.6, wraps, clearings and restarts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from device_drivers.device import Driver, Observation, Observer
from device_drivers.errors import DeviceUnavailable
from device_drivers.links.line import SharedLine
from device_drivers.modbus.framing import crc
from device_drivers.people.driver import PeopleCounter
from device_drivers.people.profile import PeopleProfile
from tests.device_drivers.modbus.far_end import FarEnd, far_end
from tests.device_drivers.notebook import Notes
from tests.virtual_time import virtual_time

M7084: dict[str, Any] = {"model": "m7084", "counts": {"in": 0, "out": 1}, "modbus": {"echo": False}}


class Module:
    """A module's registers behind its line; `frames` are the questions as they came."""

    def __init__(self, line: SharedLine, far: FarEnd, function: int) -> None:
        self._line, self._far, self._function = line, far, function
        self.notes = Notes()
        self.registers = [0] * 64
        self._far.otherwise = lambda frame: [(0.01, self._answer(frame))]

    def _answer(self, frame: bytes) -> bytes:
        first, count = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
        if frame[1] != self._function:
            return with_crc(bytes([1, frame[1] | 0x80, 1]))
        data = b"".join(word.to_bytes(2, "big") for word in self.registers[first : first + count])
        return with_crc(bytes([1, frame[1], len(data)]) + data)

    @property
    def frames(self) -> list[str]:
        return [frame.hex(" ").upper() for frame in self._far.frames]

    def shows(self, *counters: int) -> None:
        """The low word first."""
        self.registers[: 2 * len(counters)] = [word for value in counters for word in (value & 0xFFFF, value >> 16)]

    async def driver(self, **profile: Any) -> PeopleCounter:
        """A new process's driver."""
        made = PeopleProfile.model_validate({**M7084, **profile})
        driver = PeopleCounter("people-1", self._line, made, self.notes)
        await driver.connect()
        return driver

    async def look(self, driver: PeopleCounter) -> list[tuple[str, int | None, str]]:
        """What one look came to, kept as a lane keeps it."""
        seen = await driver.observe()
        await self.notes.remember(seen.memory)
        return told(seen)


def told(seen: Observation) -> list[tuple[str, int | None, str]]:
    found = []
    for one in seen.readings:
        assert one.delta is None or isinstance(one.delta, int)
        found.append((one.name, one.delta, one.flag))
    return found


def with_crc(body: bytes) -> bytes:
    return body + crc(body)


@asynccontextmanager
async def module(function: int = 4) -> AsyncIterator[Module]:
    async with far_end() as (line, far):
        yield Module(line, far, function)


@virtual_time
async def test_the_frames_are_those_of_the_reference() -> None:
    async with module() as m:
        driver = await m.driver()
        m._far.say.append([(0.01, bytes.fromhex("01 04 08 00 28 00 5A 00 53 00 55 E4 2C"))])
        seen = await driver.observe()
        assert [(one.name, one.raw, one.unit) for one in seen.readings] == [
            ("in", 0x005A0028, "people"),
            ("out", 0x00550053, "people"),
        ]
        wide = {f"door{n}_in": 2 * n for n in range(4)} | {f"door{n}_out": 2 * n + 1 for n in range(4)}
        await (await m.driver(counts=wide)).observe()
        await (await m.driver(counts={"passages": 0})).observe()
        assert m.frames == [
            "01 04 00 00 00 04 F1 C9",
            "01 04 00 00 00 10 F1 C6",
            "01 04 00 00 00 02 71 CB",
        ]
        await driver.disconnect()


@virtual_time
async def test_the_order_of_words_is_a_setting_and_a_wrong_one_is_told() -> None:
    async with module() as m:
        m.registers[:4] = [0, 7, 0, 7]  # high word first
        right, wrong = await m.driver(word_order="high_first"), await m.driver()
        assert [one.raw for one in (await right.observe()).readings] == [7, 7]
        assert told(await wrong.observe()) == [("in", None, ""), ("out", None, "")]
        m.registers[1] = 8
        assert told(await right.observe()) == [("in", 1, ""), ("out", 0, "")]
        assert told(await wrong.observe()) == [("in", None, "jumped"), ("out", 0, "")]
        assert ((await wrong.probe()).reason, (await right.probe()).reason) == ("counter_jumps", "")


@virtual_time
async def test_another_module_has_its_own_map() -> None:
    async with module(3) as m:
        m.shows(70_000)
        adam = await m.driver(model="adam605x")
        assert [one.raw for one in (await adam.observe()).readings] == [70_000, 0]
        narrow = await m.driver(model="other", registers={"table": "holding", "first": 8, "words": 1})
        m.registers[8:10] = [65_535, 3]
        await m.look(narrow)
        m.registers[8:10] = [4, 5]
        assert await m.look(narrow) == [("in", 5, "wrapped"), ("out", 2, "")]
        assert m.frames == ["01 03 00 00 00 04 44 09", *["01 03 00 08 00 02 45 C9"] * 3]  # a wrap is read twice
        m7084 = await m.driver()
        with pytest.raises(DeviceUnavailable, match="unit_refused"):
            await m7084.observe()


@virtual_time
async def test_totals_survive_restarts_wraps_and_clearings() -> None:
    async with module() as m:
        m.shows(0xFFFFFFF0, 10)
        driver = await m.driver()
        assert await m.look(driver) == [("in", None, ""), ("out", None, "")]
        m.shows(0xFFFFFFF5, 12)
        assert await m.look(driver) == [("in", 5, ""), ("out", 2, "")]
        m.shows(3, 20)  # it wrapped while the agent was down
        driver = await m.driver()
        assert await m.look(driver) == [("in", 14, "wrapped"), ("out", 8, "")]
        m.shows(9, 2)  # and it was cleared while the agent was down
        driver = await m.driver()
        assert await m.look(driver) == [("in", 6, ""), ("out", 2, "went_back")]
        counters = (await driver.probe()).counters
        assert (counters["in"], counters["out"]) == (5 + 14 + 6, 2 + 8 + 2)


@virtual_time
async def test_what_was_not_kept_before_a_crash_is_counted_after_it_and_only_once() -> None:
    async with module() as m:
        driver = await m.driver()
        await m.look(driver)
        m.shows(4, 1)
        assert told(await driver.observe()) == [("in", 4, ""), ("out", 1, "")]  # seen, and then the agent died
        m.shows(6, 1)
        driver = await m.driver()
        assert await m.look(driver) == [("in", 6, ""), ("out", 1, "")]
        assert (await driver.probe()).counters["in"] == 6


@virtual_time
async def test_silence_is_told_and_an_input_that_moved_is_another_counter() -> None:
    async with module() as m:
        m.shows(500, 500, 900)
        driver = await m.driver()
        await m.look(driver)
        m._far.otherwise = lambda _: []
        with pytest.raises(DeviceUnavailable, match="unit_"):
            await driver.observe()
        await driver.disconnect()
        m._far.otherwise = lambda frame: [(0.01, m._answer(frame))]
        moved = await m.driver(counts={"in": 2, "out": 1}, modbus={"echo": False, "deadline_s": 60.0})
        assert await m.look(moved) == [("in", None, ""), ("out", 0, "")]


@virtual_time
async def test_it_is_a_driver_that_observes_and_never_writes() -> None:
    async with module() as m:
        driver: Driver = await m.driver()
        assert isinstance(driver, Observer)
        assert driver.acts == {}
        await driver.probe()
        await driver.recover()
        assert {frame[3:5] for frame in m.frames} == {"04"}


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        ({"counts": {"in": 0}}, "one beam without 'out'"),
        ({"counts": {"main_out": 0, "out": 1, "in": 2}}, "one beam without 'main_in'"),
        ({"counts": {"people": 0}}, "'people'"),
        ({"counts": {"in": 3, "out": 3}}, "two names on one input"),
        ({"counts": {"in": 0, "out": 8}}, "last one is 7"),
        ({"counts": {}}, "at least 1"),
        ({"model": "other"}, "registers"),
        ({"registers": {"table": "input", "first": 0}}, "registers"),
        ({"unit": 0}, "greater than or equal to 1"),
        ({"unit": 248}, "less than or equal to 247"),
    ],
)
def test_settings_that_cannot_be_meant(profile: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        PeopleProfile.model_validate({**M7084, **profile})
