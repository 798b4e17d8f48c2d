"""A cabinet on a Modbus relay board and input modules: the board ends the pulse, and a lost reply is exactly one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from device_drivers.cells.driver import CellCabinet
from device_drivers.cells.modules import ModbusModules
from device_drivers.cells.profile import CellsProfile
from device_drivers.device import Outcome, Whereabouts
from device_drivers.errors import DeviceError, DeviceRefused, OutcomeUnknown
from simulators.cells.modules import CellInputs, CellRelay
from simulators.modbus.frames import Rtu
from simulators.modbus.line import ModbusLine
from tests.device_drivers.cells.bench import ACT_MAX_S, Bench
from tests.virtual_time import run

PULSE = "01 05 02 00 00 07 8D B0"  # devices.md 2.4, vector 5: relay 0 on for 700 ms
TIMES = {"act_max_s": ACT_MAX_S, "steady_s": 0.05, "poll_s": 0.2, "close_s": 3.0}
PROFILE: dict[str, Any] = {
    **TIMES,
    "pulse_ms": 700,
    "modbus": {"answer_s": 0.2, "back_off_s": 0.1, "deadline_s": 1.0, "echo": False},
    "cell": [
        {
            "id": f"{n:02d}",
            "lock": {"unit": 1, "channel": n - 1},
            "door": {"unit": 2, "channel": n - 1},
            "item": {"unit": 3, "channel": n - 1},
        }
        for n in (1, 2, 3)
    ],
}


class OnModules(Bench):
    """The cabinet is relay board 1; module 2 shows its doors, module 3 its items."""

    def __init__(self, **options: Any) -> None:
        super().__init__({}, PROFILE)
        self.modules = ModbusLine(Rtu(9600, strict=False))
        customer = {"policy": "forget"}
        self.modules.add(CellRelay, "cells-1", 1, {"cells": 3, "act_s": 0.2, "customer": customer, **options})
        self.modules.add(CellInputs, "doors", 2, {"of": "cells-1", "shows": "doors"})
        self.modules.add(CellInputs, "items", 3, {"of": "cells-1", "shows": "items"})
        self.machine = self.modules  # type: ignore[assignment]

    async def driver(self) -> CellCabinet:
        profile = CellsProfile.model_validate(PROFILE)
        modules = ModbusModules(self.line, profile.units, profile.pulse_ms, profile.modbus)
        driver = CellCabinet("cells-1", self.line, profile, self.notebook, modules=modules)
        await driver.connect()
        return driver

    def control(self, do: str, **request: Any) -> dict[str, Any]:
        words = {"do": do, "device": "cells-1", **request}
        return self.modules.control(words, asyncio.get_running_loop().time())

    @property
    def pulses(self) -> list[str]:
        return [frame.hex(" ").upper() for frame in self.tap.frames if frame[1] in {0x05, 0x06, 0x0F, 0x10}]


def on_modules(test: Callable[[OnModules, CellCabinet], Coroutine[Any, Any, None]], **options: Any) -> None:
    async def work() -> None:
        made = OnModules(**options)
        task = asyncio.create_task(made.play(), name="modules")
        driver = await made.driver()
        try:
            await test(made, driver)
        finally:
            await driver.disconnect()
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()

    run(work())


def test_a_cell_is_opened_by_one_pulse_that_the_board_ends() -> None:
    async def test(b: OnModules, driver: CellCabinet) -> None:
        _, verdict = await b.opened(driver, "01")
        assert (verdict.outcome, verdict.item) == (Outcome.DONE, Whereabouts.MOUTH)
        assert b.pulses == [PULSE]
        assert b.acts == [("cell_opened", "01", "cells-1-01")]
        await asyncio.sleep(1.0)
        assert b.control("state")["on"] == [False] * 8

    on_modules(test)


@pytest.mark.rule("PHY-2")
@pytest.mark.parametrize("fault", ["silence", "wrong_crc", "wrong_echo", "half_answer", "late_answer", "collision"])
def test_a_lost_reply_to_a_relay_write_is_exactly_one_pulse(fault: str) -> None:
    async def test(b: OnModules, driver: CellCabinet) -> None:
        arming = await b.arm(driver, cell="01")
        b.fault(fault)
        with pytest.raises(OutcomeUnknown):
            await driver.act("open_cell", {}, arming)
        verdict = await b.settled(driver, arming)
        assert (verdict.outcome, verdict.item) == (Outcome.DONE, Whereabouts.MOUTH)
        assert b.pulses == [PULSE]
        assert b.acts == [("cell_opened", "01", "cells-1-01")]

    on_modules(test)


def test_an_exception_before_anything_moved_is_a_refusal() -> None:
    async def test(b: OnModules, driver: CellCabinet) -> None:
        arming = await b.arm(driver, cell="01")
        b.fault("exception", code=2)
        with pytest.raises(DeviceRefused):
            await driver.act("open_cell", {}, arming)
        assert b.acts == []

    on_modules(test)


def test_a_stuck_lock_is_no_effect_and_the_coil_says_nothing() -> None:
    async def test(b: OnModules, driver: CellCabinet) -> None:
        arming = await b.arm(driver, cell="01")
        b.fault("stuck_lock")
        with pytest.raises(OutcomeUnknown, match="door_not_seen"):
            await driver.act("open_cell", {}, arming)
        verdict = await b.settled(driver, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "not_opened")
        frames = [frame[1] for frame in b.tap.frames]
        assert 0x01 not in frames[frames.index(0x05) :], "a relay coil read back is never evidence"

    on_modules(test)


@pytest.mark.rule("PHY-7")
def test_a_dead_module_of_items_refuses_what_it_would_have_to_show() -> None:
    async def test(b: OnModules, driver: CellCabinet) -> None:
        b.control("fault", device="items", name="dead", args={"for_s": 30})
        with pytest.raises(DeviceError) as refused:
            await b.arm(driver, cell="01")
        assert refused.value.reason == "cell_unreadable"
        await asyncio.sleep(100)
        assert (await b.arm(driver, cell="01")).readings["item"] == "present"
        assert b.pulses == []

    on_modules(test)


@pytest.mark.rule("PHY-6")
def test_a_relay_board_that_is_silent_is_waited_for_before_anything_is_armed() -> None:
    """Else each order would use up its attempts on a cell whose lock nobody moves, and fail."""

    async def test(b: OnModules, driver: CellCabinet) -> None:
        b.fault("dead", for_s=20.0)
        with pytest.raises(DeviceRefused) as refused:
            await b.arm(driver, cell="01")
        assert (refused.value.reason, refused.value.waits_for) == ("lock_silent", "device")
        assert b.pulses == []
        await asyncio.sleep(100)
        _, verdict = await b.opened(driver, "01")
        assert (verdict.outcome, b.pulses) == (Outcome.DONE, [PULSE])

    on_modules(test)


def test_taken_and_put_back_over_modules() -> None:
    async def test(b: OnModules, driver: CellCabinet) -> None:
        await b.opened(driver, "01")
        verdict = await b.watch(driver, cell="01")
        assert (verdict.outcome, verdict.facts["taken"]) == (Outcome.DONE, "witnessed")

    on_modules(test, customer={"policy": "take", "after_s": 1.0})
