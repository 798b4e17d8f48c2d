"""A frame that had to wait for the line, or for its commit, leaves only if the transport is still as it was armed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from device_drivers.crt591 import driver
from device_drivers.errors import DeviceRefused
from tests.device_drivers.crt591.bench import DRAW, ENTRY_OFF, PRESENT, STATUS, bench
from tests.review.wired import wired
from tests.virtual_time import virtual_time

OTHERS_ACT_S = 10.0


@pytest.mark.rule("PHY-6")
@virtual_time
async def test_a_card_removed_while_another_unit_held_the_line_is_not_replaced_by_the_next() -> None:
    async with bench() as it:
        it.far.st0 = 2
        arming = await it.driver.arm("present_card", {})
        other = await it.line.hold()
        async with other.exchange():  # another unit's act
            acting = asyncio.create_task(it.driver.act("present_card", {}, arming))
            await asyncio.sleep(OTHERS_ACT_S)
            it.far.st0 = 0
        with pytest.raises(DeviceRefused, match="unexpected_readings"):
            await acting
        assert it.far.motions == []  # with an empty transport it would have drawn the next card, and put it out
        await other.let_go()


@virtual_time
async def test_a_card_that_is_still_there_is_presented_after_the_wait() -> None:
    async with bench() as it:
        it.far.st0 = 2
        arming = await it.driver.arm("present_card", {})
        await asyncio.sleep(OTHERS_ACT_S)
        asked = it.far.count(STATUS)
        await it.driver.act("present_card", {}, arming)
        assert it.far.motions == [PRESENT]
        assert it.far.count(STATUS) == asked + 2


@virtual_time
async def test_evidence_told_in_that_look_is_noted() -> None:
    async with bench() as it:
        it.far.st0 = 2
        arming = await it.driver.arm("present_card", {})
        await asyncio.sleep(OTHERS_ACT_S)
        it.far.not_reset = True
        with pytest.raises(DeviceRefused):
            await it.driver.act("present_card", {}, arming)
        assert it.notes.kinds == ["power_lost"]
        assert it.far.motions == []


@virtual_time
async def test_the_order_says_that_the_card_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "FRESH_S", -1.0)  # as if each commit took long
    async with wired(tmp_path) as it:

        def removed_during_the_commit() -> None:
            if it.far.count(ENTRY_OFF) == 2:  # presenting is being armed
                it.far.st0 = 0

        it.disk.hook = removed_during_the_commit
        await it.submit()
        await it.when(lambda: it.order().reason == "no_card", lambda: repr(it.order()))
        assert it.far.motions == [DRAW]
