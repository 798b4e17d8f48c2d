"""Listening to a line without saying anything: what comes, with its time.

Knows links; must not know frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from device_drivers.links.link import Link

PIECE_BYTES = 4096
SLICE_S = 1.0


async def listen(link: Link, for_s: float) -> AsyncIterator[tuple[float, bytes]]:
    """Seconds since the line was open, and bytes. Raises LinkError."""
    clock = asyncio.get_running_loop().time
    await link.open()
    try:
        began_s = clock()
        while (left_s := began_s + for_s - clock()) > 0:
            if data := await link.read(PIECE_BYTES, min(left_s, SLICE_S)):
                yield clock() - began_s, data
    finally:
        await link.close()
