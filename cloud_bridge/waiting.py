"""Waiting for the first of several things. Knows asyncio only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

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
