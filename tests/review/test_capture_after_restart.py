"""The take timer starts anew after a restart, also when the capture was due before it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.device_drivers.crt591.bench import CAPTURE
from tests.review.wired import wired
from tests.virtual_time import virtual_time


@virtual_time
async def test_a_capture_that_was_due_before_the_restart_spares_the_customers_hand(tmp_path: Path) -> None:
    async with wired(tmp_path) as it:
        await it.submit(parameters={"take_s": 5})
        await it.until("waiting")
        it.far.st2 = 1  # the bin is full: the capture has to wait
        await it.when(lambda: it.order().reason == "error_bin_full")
        await it.restart()
        restarted_s = asyncio.get_running_loop().time()
        it.far.st2 = 0
        await it.when(lambda: CAPTURE in it.far.motions)
        assert asyncio.get_running_loop().time() - restarted_s >= it.profile.take_min_s


@virtual_time
async def test_who_takes_the_card_meanwhile_has_it(tmp_path: Path) -> None:
    async with wired(tmp_path) as it:
        await it.submit(parameters={"take_s": 5})
        await it.until("waiting")
        it.far.st2 = 1
        await it.when(lambda: it.order().reason == "error_bin_full")
        await it.restart()
        it.far.st2 = 0
        await asyncio.sleep(10)
        it.far.st0 = 0
        row = await it.until("completed", "failed")
        assert (row.state, row.reason) == ("completed", "taken_late")
        assert CAPTURE not in it.far.motions
