"""A simulated machine plugged to a read/write pair in memory, in the running event loop, real or virtual.

Knows `simulators.machine` and two coroutines; for driver tests that want the model without its process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from simulators.machine import Effect, Machine, Send

LONG_S = 3600.0


@asynccontextmanager
async def plugged(
    machine: Machine, read: Callable[[float], Awaitable[bytes]], write: Callable[[bytes], Awaitable[None]]
) -> AsyncIterator[list[Effect]]:
    """Run `machine` until the block ends; gives the list that its effects are added to.

    `read(timeout_s)` gives at least one byte, or b"" after silence; with a memory link's far end:
    `plugged(line, lambda timeout_s: far.read(4096, timeout_s), far.write)`.
    """
    effects: list[Effect] = []
    task = asyncio.create_task(_serve(machine, read, write, effects), name="simulated machine")
    try:
        yield effects
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


async def _serve(
    machine: Machine,
    read: Callable[[float], Awaitable[bytes]],
    write: Callable[[bytes], Awaitable[None]],
    effects: list[Effect],
) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        due_s = machine.next_time()
        data = await read(LONG_S if due_s is None else max(0.0, due_s - clock()))
        if data:
            machine.receive(data, clock())
        for action in machine.advance(clock()):
            if isinstance(action, Effect):
                effects.append(action)
            elif isinstance(action, Send):
                await write(action.data)
