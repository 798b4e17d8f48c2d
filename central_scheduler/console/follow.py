"""Following one order to its end, on the screen or into one JSON value.

Knows an order's events; it changes nothing, and leaving it changes nothing either.
"""

from __future__ import annotations

import asyncio
from typing import Any

from central_scheduler.console import lines
from central_scheduler.console.desk import Desk, answered
from central_scheduler.console.problem import Exit
from central_scheduler.console.screen import painted
from central_scheduler.orderbook import ENDS
from cloud_bridge.client import Scheduler
from cloud_bridge.messages.reports import EventData, OrderChanged, Reply


async def follow(desk: Desk, scheduler: Scheduler, order: str, reply: Reply) -> int:
    """Shows each change until the end; 0 when it was completed. `scheduler` watches events since before the order."""
    desk.screen.say(desk.words("console.waiting"))
    told: list[dict[str, Any]] = []
    try:
        state = await _end(desk, scheduler, order, reply, told)
    except asyncio.CancelledError:
        desk.screen.say(desk.words("console.stopped_watching", order=order))
        raise
    if not told:  # else the last event said it
        ended = desk.words("console.ended", order=order, state=desk.words.word("order_state", state))
        desk.screen.say(painted(ended, state))
    if desk.screen.as_json:
        members = reply.model_dump(mode="json", by_alias=True, exclude_none=True)
        desk.screen.json({"order": order, "state": state, "reply": members, "events": told})
    return Exit.OK if state == "completed" else Exit.FAILED


async def _end(desk: Desk, scheduler: Scheduler, order: str, reply: Reply, told: list[dict[str, Any]]) -> str:
    if reply.repeat:  # it may have ended long ago, and then no event will come
        story = await answered(desk, scheduler, scheduler.orders(order=order, **desk.how()))
        state = str((story.result or {}).get("orders", [{}])[0].get("state", ""))
        if state in ENDS:
            return state
    async for heard in scheduler.messages():
        event = heard.data
        if not isinstance(event, EventData) or heard.envelope.data.get("order") != order:
            continue
        told.append(heard.envelope.model_dump(mode="json", exclude_none=True))
        desk.screen.say(lines.event(event, desk.words))
        if isinstance(event, OrderChanged) and event.to in ENDS:
            return event.to
    raise AssertionError("messages never end by themselves")
