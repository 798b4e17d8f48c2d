"""Waiting for the first of several things, and for an answer that may never come.

Knows asyncio and that a broker without an answer is a lost link; must not know what was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from cloud_bridge.link import LinkLost

Sleep = Callable[[float], Coroutine[Any, Any, None]]


async def first(*several: Coroutine[Any, Any, Any]) -> None:
    """Returns when one of them ends, after the others were cancelled; an error of any is raised."""
    tasks = [asyncio.ensure_future(one) for one in several]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


@asynccontextmanager
async def answered(what: str, limit_s: float) -> AsyncIterator[None]:
    """Around what the broker must answer. Raises LinkLost when the block lasts longer than `limit_s`."""
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError:
        raise LinkLost(f"no {what} within {limit_s:g} s") from None
