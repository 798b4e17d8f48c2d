"""Watching a cell until it was taken or put back, and what a cabinet tells unasked, each thing once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from device_drivers.cells.driver import CellCabinet
from device_drivers.device import Outcome, Whereabouts
from tests.device_drivers.cells.bench import ACT_MAX_S, Bench, on_bench, profile_of


async def opened(b: Bench, driver: CellCabinet) -> None:
    _, verdict = await b.opened(driver)
    assert verdict.outcome is Outcome.DONE


def watching(policy: str, expected: tuple[Any, ...], told: list[tuple[str, str]], **person: Any) -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        await opened(b, driver)
        verdict = await b.watch(driver)
        assert (verdict.outcome, verdict.reason, verdict.item, verdict.facts.get("taken")) == expected
        assert verdict.facts["cell"] == "02"
        assert verdict.facts["serial"] == "cells-1-02"
        assert b.notebook.told == told
        assert len(b.acts) == 1

    on_bench(test, customer={"policy": policy, "after_s": 1.0, **person})


TAKEN = (Outcome.DONE, "taken", Whereabouts.CUSTOMER, "witnessed")
NOT_TAKEN = (Outcome.FAILED, "not_taken", Whereabouts.MOUTH, None)


@pytest.mark.rule("ORD-11")
def test_taken_and_closed() -> None:
    watching("take", TAKEN, [])


def test_taken_and_left_open_is_taken_and_told() -> None:
    watching("leave_open", TAKEN, [("door_left_open", "02")])


def test_closed_on_the_item_is_not_taken() -> None:
    watching("leave", NOT_TAKEN, [])


def test_left_open_with_the_item_is_not_taken_at_the_limit() -> None:
    watching("forget", NOT_TAKEN, [("door_left_open", "02")])


def test_put_back_and_closed_is_not_taken_and_told() -> None:
    watching("put_back", NOT_TAKEN, [("item_put_back", "02")], each_s=1.0)


@pytest.mark.rule("PHY-1")
def test_a_door_closed_on_the_item_is_believed_after_act_max_s() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        await opened(b, driver)
        loop = asyncio.get_running_loop()
        b.control("close", cell="02")
        began = loop.time()
        verdict = await b.watch(driver)
        assert verdict.reason == "not_taken"
        assert verdict.facts["door"] == "closed"
        assert loop.time() - began >= ACT_MAX_S

    on_bench(test)


def test_a_bouncing_contact_takes_nothing_from_nobody() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        await opened(b, driver)
        b.fault("bouncing", for_s=3.0)
        verdict = await b.watch(driver, limit_s=10.0)
        assert verdict.reason == "not_taken"
        assert verdict.facts["item"] == "present"

    on_bench(test)


def test_without_an_item_sensor_a_closed_door_is_for_a_person() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        await opened(b, driver)
        verdict = await b.watch(driver)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, "cell_blind")
        assert verdict.cell == "02"

    on_bench(test, profile=profile_of(items=False), item_board=None, customer={"policy": "take"})


@pytest.mark.parametrize(
    ("deeds", "outcome", "item"),
    [
        (["close"], Outcome.DONE, Whereabouts.STOCK),
        (["take", "close"], Outcome.DONE, Whereabouts.CUSTOMER),
        (["take"], Outcome.DONE, Whereabouts.CUSTOMER),
        ([], Outcome.UNKNOWN, Whereabouts.MOUTH),
    ],
)
def test_what_was_left_is_secured_by_whoever_closes_the_door(
    deeds: list[str], outcome: Outcome, item: Whereabouts
) -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        await opened(b, driver)
        for number, deed in enumerate(deeds):
            asyncio.get_running_loop().call_later(
                1.0 + number / 10,
                lambda deed=deed: b.control(deed, cell="02"),  # type: ignore[misc]
            )
        verdict = await b.watch(driver, "secure_cell", limit_s=0.0)
        assert (verdict.outcome, verdict.item) == (outcome, item)
        assert verdict.lane_shut == (outcome is Outcome.UNKNOWN)

    on_bench(test)


def test_a_forced_door_is_told_once_also_after_a_restart() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        await driver.probe()
        b.control("force", cell="03", takes=True)
        twin = await driver.probe()
        await driver.probe()
        assert b.notebook.told == [("door_forced", "03"), ("item_gone", "03")]
        assert (twin.reason, twin.storage["03"]["door"], twin.storage["03"]["count"]) == ("door_open", "open", 0)
        again = await b.driver()
        await again.probe()
        assert len(b.notebook.notes) == 2
        b.control("close", cell="03")
        await again.probe()
        b.control("force", cell="03")
        await again.probe()
        assert b.notebook.told[2:] == [("door_forced", "03")]
        await again.disconnect()

    on_bench(test)


def test_a_wrong_door_is_told_with_the_one_that_was_meant() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        await opened(b, driver)
        asyncio.get_running_loop().call_later(0.5, lambda: b.control("force", cell="01"))
        await b.watch(driver, limit_s=2.0)
        assert ("wrong_door", "01") in b.notebook.told
        assert b.notebook.notes[0][1]["expected"] == "02"

    on_bench(test)


def test_a_door_that_the_customer_left_open_is_not_told_as_forced_by_the_next_process() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        await opened(b, driver)
        again = await b.driver()
        await again.probe()
        await again.probe()
        assert b.notebook.told == [("door_left_open", "02")]
        await again.disconnect()

    on_bench(test)


def test_an_item_in_an_empty_cell_is_told() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        b.control("load", cell="01", serial=None)
        await driver.probe()
        b.control("load", cell="01", serial="found")
        await driver.probe()
        assert b.notebook.told == [("item_put_back", "01")]

    on_bench(test)


def test_one_bounce_is_no_news() -> None:
    async def test(b: Bench, driver: CellCabinet) -> None:
        await driver.probe()
        b.fault("bouncing", for_s=0.05)
        await driver.probe()
        await driver.probe()
        assert b.notebook.notes == []

    on_bench(test)


@pytest.mark.rule("PHY-5")
@pytest.mark.parametrize("failing", [1, 2])
def test_what_a_full_disk_did_not_take_is_told_when_it_does_and_once(failing: int) -> None:
    """An item that was stolen meanwhile was seen to go, and nobody ever told of it."""

    async def test(b: Bench, driver: CellCabinet) -> None:
        await driver.probe()
        note, asked = b.notebook.note, 0

        async def on_a_full_disk(kind: str, facts: Any, memory: Any = None) -> None:
            nonlocal asked
            asked += 1
            if asked == failing:
                raise OSError("no space left on device")
            await note(kind, facts, memory)

        b.notebook.note = on_a_full_disk  # type: ignore[method-assign]
        b.control("force", cell="02", takes=True)
        with pytest.raises(OSError, match="no space"):
            await driver.probe()
        await driver.disconnect()
        await driver.connect()
        await driver.probe()
        await driver.probe()
        kinds = [kind for kind, _ in b.notebook.told]
        assert kinds.count("item_gone") == 1
        assert kinds.count("door_forced") == (1 if failing == 1 else 2)  # what stands told was not written down

    on_bench(test)
