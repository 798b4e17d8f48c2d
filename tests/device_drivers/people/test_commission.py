"""Commissioning a people counter: three people tell which word comes first, and a beam on another input is named."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from device_drivers.commissioning import Commissioning, NotAsMeantError
from device_drivers.device import Json
from device_drivers.links.line import SharedLine
from device_drivers.links.memory import joined_ends
from device_drivers.people.kind import KIND
from simulators.modbus.kind import build
from tests.device_drivers.hands import Hands
from tests.simulators.plugged import plugged
from tests.virtual_time import virtual_time

PROFILE = {"model": "m7084", "unit": 1, "counts": {"in": 0, "out": 1}}


async def commission(order: str, profile: dict[str, Any], raw: list[int], people: int = 3) -> Mapping[str, Json]:
    units = {"u1": {"kind": "pulse_counter", "word_order": order, "raw": raw}}
    machine: Any = build({"u1": 1}, {"units": units}, None).machine
    near, far = joined_ends()

    async def walk(name: str, times: int) -> None:
        request = {"do": "walk", "way": name, "people": people, "door": "main"}
        machine.control(request, asyncio.get_running_loop().time())
        await asyncio.sleep(10)

    line = SharedLine(near)
    async with plugged(machine, lambda timeout_s: far.read(4096, timeout_s), far.write):
        held = await line.hold()  # keeps the memory line from being closed under the machine
        assert KIND.commission is not None
        seen = await KIND.commission(Commissioning("memory://u1", profile, lambda _: line, Hands({"walk": walk})))
        assert held.unbroken
    return seen


@pytest.mark.parametrize("order", ["low_first", "high_first"])
@pytest.mark.parametrize("raw", [[], [70_000, 65_534], [0xFFFFFFFF, 12]])
def test_the_word_order_is_seen_also_over_a_carry_and_a_wrap(order: str, raw: list[int]) -> None:
    @virtual_time
    async def work() -> None:
        assert await commission(order, PROFILE, raw) == {"word_order": order}

    work()


def test_beams_that_count_something_else_are_named() -> None:
    @virtual_time
    async def work() -> None:
        with pytest.raises(NotAsMeantError) as otherwise:
            await commission("low_first", {**PROFILE, "counts": {"in": 1, "out": 0}}, [5, 9], people=2)
        assert otherwise.value.key == "counter_counts_otherwise"

    work()
