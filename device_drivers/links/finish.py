"""Finishing a thing that must not be cut in half: a frame on the wire, a close.

Knows tasks, cancellation and links; must not know what it finishes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

from device_drivers.links.link import Link, PromptLink

T = TypeVar("T")


async def finish_first(work: Coroutine[Any, Any, T]) -> T:
    """Runs `work` to its end even when the caller is cancelled, and only then lets the cancellation pass.

    `work` must be bounded in time by itself. Locks are taken outside, or a cancelled waiter would keep them.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at, so that the loop does not report it as never retrieved
        raise cancelled
    return task.result()


async def write_whole(link: Link, data: bytes) -> None:
    """All of a frame, whatever becomes of the caller; what the link takes at once needs no task. Raises LinkError."""
    if not hasattr(link, "write_at_once"):
        await finish_first(link.write(data))
    elif not (prompt := cast("PromptLink", link)).write_at_once(data):
        await finish_first(prompt.written())
