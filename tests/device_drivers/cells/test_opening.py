"""Opening a cell: what must be so before, one pulse and no second, and what doors and items say of it afterwards."""

from __future__ import annotations

import asyncio

import pytest

from device_drivers.cells.driver import CellCabinet
from device_drivers.cells.kind import KIND
from device_drivers.cells.profile import CellsProfile
from device_drivers.device import Outcome, Whereabouts
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.kinds import Wiring
from device_drivers.links.line import Lines
from device_drivers.links.memory import joined_ends
from tests.device_drivers.cells.bench import ACT_MAX_S, Bench, Notebook, on_bench, profile_of

ONE_PULSE = ["8A 01 02 11 98"]  # devices.md 2.3, vector 2
OPENED = [("cell_opened", "02", "cells-1-02")]


def test_a_cell_is_opened_by_one_pulse_and_stands_open_with_its_item() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        arming, verdict = await b.opened(driver)
        assert (verdict.outcome, verdict.reason, verdict.item) == (Outcome.DONE, "opened", Whereabouts.MOUTH)
        assert verdict.cell == "02"
        known = {"cell": "02", "article": "u_shield", "serial": "cells-1-02", "door": "open", "item": "present"}
        assert known.items() <= verdict.facts.items()
        assert {"door": "closed", "item": "present"}.items() <= arming.readings.items()
        assert b.opening_frames == ONE_PULSE
        assert b.acts == OPENED

    on_bench(test)


@pytest.mark.rule("PHY-6")
@pytest.mark.parametrize(
    ("request_", "reason", "waits_for"),
    [
        ({"do": "force", "cell": "02"}, "door_open", "device"),
        ({"do": "force", "cell": "01"}, "door_open", "device"),
        ({"do": "load", "cell": "02", "serial": None}, "item_missing", "never"),
    ],
)
def test_nothing_is_pulsed_unless_the_item_is_there_and_every_door_is_closed(
    request_: dict[str, str], reason: str, waits_for: str
) -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        b.machine.control(request_, asyncio.get_running_loop().time())
        with pytest.raises(DeviceRefused) as refused:
            await b.arm(driver)
        assert (refused.value.reason, refused.value.waits_for) == (reason, waits_for)
        assert b.opening_frames == []

    on_bench(test)


def test_a_cell_that_is_not_configured_is_refused() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        for cell in ("00", "99", ""):
            with pytest.raises(DeviceRefused, match="cell_unknown"):
                await b.arm(driver, cell=cell)

    on_bench(test)


@pytest.mark.rule("PHY-2")
@pytest.mark.parametrize(
    "fault",
    [
        ("silence", {}),
        ("wrong_bcc", {}),
        ("wrong_lock", {}),
        ("half_frame", {}),
        ("garbage", {"where": "inside"}),
        ("late_answer", {"delay_s": 5.0}),
    ],
)
def test_whatever_becomes_of_the_answer_the_lock_is_pulsed_once_and_the_item_tells(fault: tuple[str, dict]) -> None:  # type: ignore[type-arg]
    async def test(b: Bench, driver: CellCabinet) -> None:
        arming = await b.arm(driver)
        b.fault(fault[0], **fault[1])
        with pytest.raises(OutcomeUnknown):
            await driver.act("open_cell", {}, arming)
        verdict = await b.settled(driver, arming)
        assert (verdict.outcome, verdict.item) == (Outcome.DONE, Whereabouts.MOUTH)
        assert b.opening_frames == ONE_PULSE
        assert b.acts == OPENED

    on_bench(test)


@pytest.mark.rule("PHY-1")
@pytest.mark.parametrize("fault", [("stuck_lock", {}), ("silence", {"executes": False})])
def test_a_door_that_stayed_shut_is_believed_after_two_equal_readings(fault: tuple[str, dict]) -> None:  # type: ignore[type-arg]
    async def test(b: Bench, driver: CellCabinet) -> None:
        loop = asyncio.get_running_loop()
        arming = await b.arm(driver)
        b.fault(fault[0], **fault[1])
        with pytest.raises(OutcomeUnknown):
            await driver.act("open_cell", {}, arming)
        began = loop.time()
        verdict = await b.settled(driver, arming)
        assert (verdict.outcome, verdict.reason, verdict.item) == (
            Outcome.NO_EFFECT,
            "not_opened",
            Whereabouts.STOCK,
        )
        assert loop.time() - began >= 2 * ACT_MAX_S
        assert b.acts == []

    on_bench(test)


@pytest.mark.rule("PHY-1")
def test_a_door_that_opens_between_the_two_readings_was_opened() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        arming = await b.arm(driver)
        b.fault("silence", executes=False)
        with pytest.raises(OutcomeUnknown):
            await driver.act("open_cell", {}, arming)
        asyncio.get_running_loop().call_later(1.6 * ACT_MAX_S, lambda: b.control("force", cell="02"))
        verdict = await b.settled(driver, arming)
        assert (verdict.outcome, verdict.item) == (Outcome.DONE, Whereabouts.MOUTH)

    on_bench(test)


def test_a_line_lost_after_the_pulse_is_settled_by_the_item() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        arming = await b.arm(driver)
        asyncio.get_running_loop().call_later(0.1, lambda: b.fault("unplug", for_s=1.0))
        with pytest.raises(OutcomeUnknown, match="line_lost"):
            await driver.act("open_cell", {}, arming)
        verdict = await b.settled(driver, arming)
        assert verdict.outcome is Outcome.DONE
        assert b.opening_frames == ONE_PULSE

    on_bench(test, customer={"policy": "take", "after_s": 0.2})


def test_a_customer_who_was_quick_is_not_doubted() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        arming = await b.arm(driver)
        b.fault("silence")
        with pytest.raises(OutcomeUnknown):
            await driver.act("open_cell", {}, arming)
        verdict = await b.settled(driver, arming)
        assert (verdict.outcome, verdict.item) == (Outcome.DONE, Whereabouts.CUSTOMER)
        assert verdict.facts["item"] == "absent"

    on_bench(test, customer={"policy": "take", "after_s": 0.1})


def test_contacts_that_bounce_open_nothing_and_prove_nothing() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        arming = await b.arm(driver)
        b.fault("bouncing", for_s=60.0)
        with pytest.raises(DeviceRefused, match="unsteady_readings"):
            await b.arm(driver, cell="03")
        verdict = await driver.reconcile("open_cell", {}, arming)
        assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "unsteady_readings", True)
        assert b.opening_frames == []

    on_bench(test)


def test_without_an_item_sensor_nobody_but_a_person_can_tell() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        arming = await b.arm(driver)
        b.fault("silence")
        with pytest.raises(OutcomeUnknown):
            await driver.act("open_cell", {}, arming)
        verdict = await b.settled(driver, arming)
        assert (verdict.outcome, verdict.reason, verdict.lane_shut) == (Outcome.UNKNOWN, "cell_blind", True)
        assert driver.acts["open_cell"].kind == "blind"

    on_bench(test, profile=profile_of(items=False), item_board=None)


@pytest.mark.rule("PHY-7")
def test_a_dead_board_of_items_takes_only_its_own_cells_out() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        b.fault("dead_board", board=3, for_s=3600.0)
        with pytest.raises(DeviceRefused, match="cell_unreadable"):
            await b.arm(driver, cell="02")
        twin = await driver.probe()
        assert twin.reason == "cell_unreadable"
        assert {unit["status"] for unit in twin.storage.values()} == {"ok", "inoperative"}
        arming = await b.arm(driver, cell="01")
        assert (await driver.act("open_cell", {}, arming)).outcome is Outcome.DONE

    on_bench(test, profile=profile_of(apart=True), items_per_board=1)


def test_a_cabinet_that_is_not_there_is_unavailable() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        b.control("power", on=False)
        with pytest.raises(DeviceUnavailable, match="no_answer"):
            await driver.probe()
        with pytest.raises(DeviceRefused, match="cell_unreadable"):
            await b.arm(driver)

    on_bench(test)


def test_an_arming_that_lay_for_a_while_is_looked_at_again() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        arming = await b.arm(driver)
        b.control("load", cell="02", serial=None)
        await asyncio.sleep(1.0)
        with pytest.raises(DeviceRefused, match="unexpected_readings"):
            await driver.act("open_cell", {}, arming)
        assert b.opening_frames == []

    on_bench(test)


def test_the_other_type_of_switch_is_read_the_other_way_round() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        _, verdict = await b.opened(driver)
        assert verdict.outcome is Outcome.DONE

    on_bench(test, profile=profile_of(locked_feedback="11"), locked_feedback="11")


def test_a_flooded_line_ends_in_a_refusal_not_in_waiting() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        b.fault("flood", for_s=30.0, bytes_per_s=20_000)
        with pytest.raises(DeviceRefused, match="cell_unreadable"):
            await b.arm(driver)

    on_bench(test, profile=profile_of(quiet_s=0.05))


def test_a_dead_board_costs_its_line_one_time_out_for_each_time_that_it_is_left_in_peace() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        b.fault("dead_board", board=2, for_s=60.0)
        b.tap.frames.clear()
        began = asyncio.get_running_loop().time()
        while asyncio.get_running_loop().time() < began + 59.0:
            await driver.probe()
            await asyncio.sleep(0.2)
        asked = sum(frame[1] == 2 for frame in b.tap.frames)
        told = (await driver.probe()).counters
        assert 8 <= told["backOffs"] <= 11  # 0.5, 1, 2, 4, 8, then each 10 s
        assert asked == told["backOffs"], "one time-out for each time that it is left in peace"
        assert told["turnedAway"] > 50
        await asyncio.sleep(12.0)
        assert (await driver.probe()).reason == ""

    mixed = profile_of()
    mixed["cell"][0]["item"] = {"board": 1, "lock": 40, "inverted": True}  # one cell can still be read
    on_bench(test, profile=mixed)


def test_a_board_that_says_open_of_a_lock_that_sticks_is_not_believed() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        arming = await b.arm(driver)
        b.fault("stuck_lock")
        b.fault("bouncing", for_s=0.35)  # its answer is one look, while the contact bounces
        with pytest.raises(OutcomeUnknown, match="door_not_seen"):
            await driver.act("open_cell", {}, arming)
        assert (await b.settled(driver, arming)).outcome is Outcome.NO_EFFECT
        assert b.acts == []

    on_bench(test)


@pytest.mark.rule("PHY-2")
def test_a_line_that_hears_itself_does_not_answer_for_a_board_that_is_silent() -> None:
    """Our own frame looks as the board's answer 11; taken for it, questions would go out while the lock moves."""

    async def test(b: Bench, driver: CellCabinet) -> None:
        b.fault("echo", for_s=60.0)
        arming = await b.arm(driver)
        b.fault("silence", executes=False)
        with pytest.raises(OutcomeUnknown, match="no_answer"):
            await driver.act("open_cell", {}, arming)
        verdict = await b.settled(driver, arming)
        assert (verdict.outcome, verdict.reason) == (Outcome.NO_EFFECT, "not_opened")
        assert (b.opening_frames, b.acts) == (ONE_PULSE, [])

    on_bench(test)


@pytest.mark.parametrize("feedback", ["00", "11"])
def test_on_a_line_that_hears_itself_a_cell_is_opened_as_on_any_other(feedback: str) -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        b.fault("echo", for_s=60.0)
        _, verdict = await b.opened(driver)
        assert (verdict.outcome, verdict.item) == (Outcome.DONE, Whereabouts.MOUTH)
        assert verdict.facts["feedback"] == {"00": "11", "11": "00"}[feedback]
        assert (b.opening_frames, b.acts) == (ONE_PULSE, OPENED)
        assert (await driver.probe()).counters["garbageBytes"] == 0

    on_bench(test, profile=profile_of(locked_feedback=feedback), locked_feedback=feedback)


@pytest.mark.rule("PHY-6")
def test_an_arming_that_lay_for_a_while_is_not_acted_on_while_another_door_stands_open() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        arming = await b.arm(driver)
        b.control("force", cell="01")
        await asyncio.sleep(1.0)
        with pytest.raises(DeviceRefused, match="door_open"):
            await driver.act("open_cell", {}, arming)
        assert b.opening_frames == []

    on_bench(test)


def test_a_look_shows_nothing_that_was_read_once_only() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        for is_first in (True, False, False):
            b.fault("bouncing", for_s=1.5)
            units = (await driver.probe()).storage.values()
            assert {unit["door"] for unit in units} <= {"closed", "unknown"}
            assert {unit["item"] for unit in units} <= {"present", "unknown"}
            assert not is_first or {unit["status"] for unit in units} == {"inoperative"}
            await asyncio.sleep(2.0)
        assert {unit["door"] for unit in (await driver.probe()).storage.values()} == {"closed"}
        assert b.notebook.notes == []

    on_bench(test)


@pytest.mark.rule("PHY-1")
@pytest.mark.parametrize(
    ("modules", "owed_s"),
    [(None, 3.0), ("serial:///dev/bus", 3.0), ("tcp://192.0.2.5:4001", 6.0), ("modbus://192.0.2.5", 6.0)],
)
def test_the_silence_owed_to_a_gateway_holds_for_its_modules_too(modules: str | None, owed_s: float) -> None:
    cell = {"id": "01", "lock": {"unit": 1, "channel": 0}, "door": {"unit": 2, "channel": 0}}
    profile = {"cell": [cell], **({"modules": modules} if modules else {})}
    lines = Lines(lambda _address: joined_ends("bus")[0])
    wiring = Wiring("c", "serial:///dev/ttyS0", CellsProfile.model_validate(profile), Notebook(), lines.line)
    assert KIND.make(wiring).settle_s == owed_s
    far = Wiring("c", "modbus://192.0.2.6", CellsProfile.model_validate(profile), Notebook(), lines.line)
    assert KIND.make(far).settle_s == 6.0


@pytest.mark.rule("PHY-6")
def test_a_lock_board_that_shows_no_door_is_asked_whether_it_is_there() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        b.fault("dead_board", board=1, for_s=20.0)
        with pytest.raises(DeviceRefused, match="lock_silent"):
            await b.arm(driver)
        await asyncio.sleep(30)
        await b.arm(driver)
        assert b.opening_frames == []

    elsewhere = profile_of()
    elsewhere["cell"] = [
        {"id": f"{n:02d}", "lock": {"board": 1, "lock": n}, "door": {"board": 2, "lock": n}} for n in (1, 2, 3)
    ]
    on_bench(test, profile=elsewhere)
