"""Site inputs against the simulated module: a bouncing door is one change, a short press is seen."""

from __future__ import annotations

import asyncio
from typing import Any

from device_drivers.links.line import SharedLine
from device_drivers.links.memory import joined_ends
from device_drivers.site.driver import SiteInputs
from device_drivers.site.profile import SiteProfile
from simulators.modbus.kind import build
from tests.device_drivers.far_side import at_far_end
from tests.virtual_time import virtual_time

PROFILE: dict[str, Any] = {
    "inputs": {
        "branchDoor": {"channel": 0, "on": "open", "off": "closed"},
        "panicButton": {"channel": 7, "on": "on", "off": "off"},
    },
    "modbus": {"echo": False},
}


@virtual_time
async def test_a_day_at_the_door() -> None:
    near, far = joined_ends()
    machine: Any = build({"site-1": 1}, {"units": {"site-1": {"kind": "digital_inputs"}}}, None).machine

    def do(**keys: Any) -> None:
        machine.control({"do": "input", **keys}, asyncio.get_running_loop().time())

    async def listened(for_s: float) -> list[dict[str, str]]:
        said: list[dict[str, str]] = []
        try:
            async with asyncio.timeout(for_s):
                while True:
                    twin = (await driver.listen()).twin
                    assert twin is not None
                    said.append(dict(twin.auxiliaries))
        except TimeoutError:
            return said

    async with at_far_end(machine, far):
        driver = SiteInputs("site-1", SharedLine(near), SiteProfile.model_validate(PROFILE))
        await driver.connect()
        assert await listened(5) == [{"branchDoor": "closed", "panicButton": "off"}]
        do(channel=0, bounces=8, bounce_s=0.03)
        assert [said["branchDoor"] for said in await listened(5)] == ["open"]
        do(channel=7, for_s=1.0)
        assert [said["panicButton"] for said in await listened(5)] == ["on", "off"]
        do(channel=0, on=False, bounces=3, bounce_s=0.4)  # slower than a contact bounces: each is a change
        assert [said["branchDoor"] for said in await listened(10)][-1] == "closed"
        await driver.disconnect()
