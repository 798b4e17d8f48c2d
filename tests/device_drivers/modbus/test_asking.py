"""Modbus units asked by hand: who is there, what they say; and that nothing but questions is ever written."""

from __future__ import annotations

import pytest

from device_drivers.links.line import SharedLine
from device_drivers.links.memory import joined_ends
from device_drivers.links.tap import Passing, TapLink
from device_drivers.modbus.asking import Asking, Heard
from simulators.kinds import kind_of
from tests.device_drivers.far_side import at_far_end
from tests.virtual_time import virtual_time

OPTIONS = {"units": {"relays": {"kind": "relay"}, "doors": {"kind": "relay"}}}


@virtual_time
async def test_a_scan_finds_each_unit_and_writes_questions_only() -> None:
    near, far = joined_ends()
    passed: list[Passing] = []
    line = SharedLine(TapLink(near, passed.append))
    machine = kind_of("modbus").build({"relays": 3, "doors": 7}, OPTIONS, None).machine
    async with at_far_end(machine, far) as effects:
        hold = await line.hold()
        found = [one async for one in Asking("memory://x", line, 0.2).scan(range(1, 9))]
        await hold.let_go()
    assert [one.unit for one in found if one.there] == [3, 7]
    assert [one.unit for one in found] == list(range(1, 9)), "each is told as it is asked"
    assert [one for one in effects if one.kind == "act"] == []
    written = [one.data for one in passed if one.direction == "write"]
    assert {frame[1] for frame in written} <= {1, 2, 3, 4}
    assert len(written) == 8, "each unit is asked once"


@virtual_time
async def test_a_reading_a_refusal_and_silence() -> None:
    near, far = joined_ends()
    line = SharedLine(near)
    machine = kind_of("modbus").build({"relays": 3}, {"units": {"relays": {"kind": "relay"}}}, None).machine
    async with at_far_end(machine, far):
        hold = await line.hold()
        asking = Asking("memory://x", line, 0.2)
        assert await asking.read(3, "coils", 0, 8) == Heard(3, "answers", (0,) * 8)
        assert (await asking.read(3, "coils", 4000, 8)).state == "refuses"
        assert (await asking.read(4, "coils", 0, 8)).state == "silent"
        for unit, count in ((0, 8), (248, 8), (3, 0), (3, 2001)):
            with pytest.raises(ValueError, match=r".+"):
                await asking.read(unit, "coils", 0, count)
        await hold.let_go()


def test_a_gateway_that_says_nobody_is_there_is_no_unit() -> None:
    assert not Heard(1, "silent").there
    assert Heard(1, "refuses").there
