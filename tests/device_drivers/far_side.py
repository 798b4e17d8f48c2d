"""A simulated machine at the far end of a memory line, which goes on while nobody is at the near end.

Knows the two ends of a line; hands may come at any time, so the machine is looked at often.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, suppress

from device_drivers.links.link import LinkError
from device_drivers.links.memory import MemoryEnd
from simulators.machine import Effect, Machine
from tests.simulators.plugged import plugged

LOOK_S = 0.05


def at_far_end(machine: Machine, far: MemoryEnd) -> AbstractAsyncContextManager[list[Effect]]:
    """Runs the machine until the block ends; gives what it shows."""

    async def read(timeout_s: float) -> bytes:
        wait_s = min(timeout_s, LOOK_S)
        try:
            return await far.read(4096, wait_s)
        except LinkError:  # nobody is there: a machine does not mind
            await asyncio.sleep(wait_s)
            return b""

    async def write(data: bytes) -> None:
        with suppress(LinkError):
            await far.write(data)

    return plugged(machine, read, write)
