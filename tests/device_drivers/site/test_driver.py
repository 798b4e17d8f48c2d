"""Site inputs against a scripted module: settled changes are said once, bouncing ones not, and nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from device_drivers.device import Listener
from device_drivers.errors import DeviceUnavailable
from device_drivers.modbus.framing import crc
from device_drivers.site.driver import SiteInputs
from device_drivers.site.profile import SiteProfile
from tests.device_drivers.modbus.far_end import FarEnd, far_end
from tests.virtual_time import virtual_time

INPUTS: dict[str, Any] = {
    "branchDoor": {"channel": 0, "on": "open", "off": "closed"},
    "panicButton": {"channel": 3, "on": "on", "off": "off"},
    "ups": {"channel": 9, "on": "engaged", "off": "recovered"},
}
PROFILE: dict[str, Any] = {"inputs": INPUTS, "modbus": {"echo": False}}


class Module:
    """Ten inputs; `on` are those whose bit is 1."""

    def __init__(self, far: FarEnd) -> None:
        self.far = far
        self.on: set[int] = set()
        far.otherwise = lambda frame: [(0.01, self._answer(frame))]

    def _answer(self, frame: bytes) -> bytes:
        if frame[1] != 2:
            return _with_crc(bytes([1, frame[1] | 0x80, 1]))
        bits = sum(1 << channel for channel in self.on)
        return _with_crc(bytes([1, 2, 2]) + bits.to_bytes(2, "little"))


def _with_crc(body: bytes) -> bytes:
    return body + crc(body)


@asynccontextmanager
async def module(**profile: Any) -> AsyncIterator[tuple[SiteInputs, Module]]:
    async with far_end() as (line, far):
        driver = SiteInputs("site-1", line, SiteProfile.model_validate({**PROFILE, **profile}))
        await driver.connect()
        yield driver, Module(far)
        await driver.disconnect()


async def heard(driver: SiteInputs, limit_s: float = 5.0) -> dict[str, str] | None:
    """What it says within the time, as a lane hears it; None: nothing."""
    try:
        async with asyncio.timeout(limit_s):
            twin = (await driver.listen()).twin
            assert twin is not None
            return dict(twin.auxiliaries)
    except TimeoutError:
        return None


@virtual_time
async def test_each_change_is_said_once() -> None:
    async with module() as (driver, m):
        assert isinstance(driver, Listener)
        quiet = {"branchDoor": "closed", "panicButton": "off", "ups": "recovered"}
        assert await heard(driver) == quiet
        assert await heard(driver) is None
        m.on = {3}
        assert await heard(driver) == quiet | {"panicButton": "on"}
        assert await heard(driver) is None
        m.on = {0, 9}
        assert await heard(driver) == {"branchDoor": "open", "panicButton": "off", "ups": "engaged"}
        assert {frame.hex(" ").upper() for frame in m.far.frames} == {"01 02 00 00 00 0A F8 0D"}


@virtual_time
async def test_what_bounces_is_not_said() -> None:
    async with module(poll_s=0.1, settle_s=0.5) as (driver, m):
        await heard(driver)

        async def bounce() -> None:
            for _ in range(40):
                m.on ^= {0}
                await asyncio.sleep(0.15)

        async with asyncio.TaskGroup() as group:
            group.create_task(bounce())
            assert await heard(driver, 6.0) is None
        assert (await driver.probe()).counters["bounces"] >= 10
        m.on = {0}
        assert (await heard(driver) or {})["branchDoor"] == "open"


@virtual_time
async def test_being_interrupted_at_any_moment_loses_nothing() -> None:
    for interrupted_s in (0.001, 0.01, 0.012, 0.1, 0.255, 0.262, 0.3, 0.5):
        async with module() as (driver, m):
            await heard(driver)
            m.on = {3}
            for _ in range(2000):
                if await heard(driver, interrupted_s):
                    break
                await driver.probe()  # what a lane does at its times
                if (await driver.probe()).auxiliaries["panicButton"] == "on":
                    break
            else:
                raise AssertionError(f"never said when interrupted every {interrupted_s} s")


@virtual_time
async def test_a_probe_tells_what_settled_and_listening_does_not_say_it_again() -> None:
    async with module() as (driver, m):
        await heard(driver)
        m.on = {0}
        await driver.probe()
        await asyncio.sleep(1)
        assert (await driver.probe()).auxiliaries["branchDoor"] == "open"
        assert await heard(driver) is None


@virtual_time
async def test_a_lost_answer_is_no_loss_and_silence_is() -> None:
    async with module() as (driver, m):
        await heard(driver)
        m.far.say = [[]]
        m.on = {0}
        assert (await heard(driver) or {})["branchDoor"] == "open"
        m.far.otherwise = lambda _: []
        with pytest.raises(DeviceUnavailable, match="unit_silent"):
            await heard(driver, 60)


@virtual_time
async def test_a_module_without_such_inputs_is_another_one() -> None:
    async with module(table="coils") as (driver, _):
        with pytest.raises(DeviceUnavailable, match="unit_refused"):
            await driver.probe()


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"door": {"channel": 0, "on": "open", "off": "closed"}}, "unknown name; known are audibleAlarm"),
        ({"branchDoor": {"channel": 0, "on": "open", "off": "shut"}}, "two of bolted, closed, locked"),
        ({"branchDoor": {"channel": 0, "on": "open", "off": "open"}}, "two of bolted"),
        ({**INPUTS, "safeDoor": {"channel": 3, "on": "open", "off": "closed"}}, "two names on one input"),
        ({}, "at least 1"),
    ],
)
def test_settings_that_cannot_be_meant(inputs: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SiteProfile.model_validate({**PROFILE, "inputs": inputs})
