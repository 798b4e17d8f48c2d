"""The model in memory, without a process: what driver tests stand on."""

from __future__ import annotations

import asyncio

from device_drivers.links.memory import joined_ends
from simulators.crt591 import Crt591Line, Options
from simulators.machine import Effect
from tests.simulators.bench import PRESENT, RESET_KEEP
from tests.simulators.plugged import plugged
from tests.simulators.virtual_time import run_in_virtual_time


async def _one_card() -> tuple[list[Effect], float]:
    near, far = joined_ends()
    line = Crt591Line({0: ("card-1", Options(act_s=600.0))})
    async with plugged(line, lambda timeout_s: far.read(4096, timeout_s), far.write) as effects:
        for command in (RESET_KEEP, PRESENT):
            await near.write(bytes.fromhex(command))
            assert await near.read(1, 1.0) == b"\x06"
            assert (await near.read(100, 4000.0)).startswith(b"\xf2\x00\x00")
    return effects, asyncio.get_running_loop().time()


def test_a_card_in_virtual_time_over_a_memory_link() -> None:
    effects, passed_s = run_in_virtual_time(_one_card())
    assert [effect.act for effect in effects] == ["reset", "card_drawn", "card_presented", "card_taken"]
    assert 1800 < passed_s < 1810
