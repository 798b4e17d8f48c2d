"""A box that lets processes stand still: each child of a nursery is stopped now and then, for a second or so.

Knows pids and signals; must not know what a child is doing just then. With `BRANCHGATE_STALLS=7` scenarios run so, by
the seed 7: a test that waits for seconds instead of facts is found out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator

from tests.harness.nursery import Child, Nursery

SEED = os.environ.get("BRANCHGATE_STALLS")
EVERY_S = 6.0  # between two standstills of one child, on average
FOR_S = (0.3, 1.4)  # less than act_max_s, less an act, of any machine in the scenarios: no machine is that slow
TICK_S = 0.05


@contextlib.asynccontextmanager
async def stalling(nursery: Nursery, seed: str | None = SEED) -> AsyncIterator[None]:
    """Its children stand still at random while this is entered; never when there is no seed."""
    task = asyncio.create_task(_stall(nursery, random.Random(seed)), name="stalls") if seed else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


async def _stall(nursery: Nursery, dice: random.Random) -> None:
    loop = asyncio.get_running_loop()
    stopped: set[int] = set()

    def go_on(child: Child) -> None:
        stopped.discard(child.pid)
        _signal(child, signal.SIGCONT)

    try:
        while True:
            await asyncio.sleep(TICK_S)
            for child in nursery.children:
                if child.running and child.pid not in stopped and dice.random() < TICK_S / EVERY_S:
                    stopped.add(child.pid)
                    _signal(child, signal.SIGSTOP)
                    loop.call_later(dice.uniform(*FOR_S), go_on, child)
    finally:
        for child in nursery.children:
            _signal(child, signal.SIGCONT)


def _signal(child: Child, what: signal.Signals) -> None:
    if child.running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, what)
