"""Orders from the console: submitted, cancelled, held, released, listed.

Knows what a person asks and how the branch's answer is shown; each function returns the exit code.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from central_scheduler.console import lines, values
from central_scheduler.console.desk import Desk, answered, branch_line
from central_scheduler.console.documents import documents
from central_scheduler.console.follow import follow
from central_scheduler.console.problem import Exit
from central_scheduler.console.screen import painted
from cloud_bridge.client import Scheduler
from cloud_bridge.messages.reports import Reply

PAGE = 100
STATES = (
    *("accepted", "scheduled", "running", "waiting", "held", "cancelling", "needs_attention"),
    *("completed", "partly_completed", "failed", "cancelled", "expired"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order as typed."""

    scene: str
    parameters: Sequence[str] = ()
    customer: str = ""
    priority: int = 0
    deadline: str | None = None
    not_before: str | None = None
    order: str | None = None
    documents: Sequence[str] = ()
    copies: Sequence[str] = ()
    code: str | None = None


async def submit(desk: Desk, wanted: Wanted, *, wait: bool) -> int:
    """One new order; with `wait` its whole way to the end."""
    words, now = desk.words, datetime.now(UTC)
    order = (
        values.order_id(wanted.order, words("label.order")) if wanted.order else f"{now:%m%d}-{secrets.token_hex(4)}"
    )
    members: dict[str, Any] = {
        "scene": values.name(wanted.scene, words("label.scene")),
        "parameters": values.parameters(wanted.parameters),
        "customer": wanted.customer,
        "priority": wanted.priority,
        "not_before": values.moment(wanted.not_before, now, ahead=False),
        "order_deadline": values.moment(wanted.deadline, now, ahead=True),
        "documents": documents(wanted.documents, wanted.copies, words),
        "code": wanted.code,
    }
    async with branch_line(desk, {"events"} if wait else ()) as scheduler:
        # The order's id is the instruction's too: typed again after a silence it cannot become a second order (INS-3).
        asking = scheduler.submit(order=order, instruction_id=order, **members, **desk.how())
        reply = await answered(desk, scheduler, asking, order, values.no_texts(wanted.parameters))
        desk.screen.say(words("console.accepted_repeat" if reply.repeat else "console.accepted", order=order))
        if wait:
            return await follow(desk, scheduler, order, reply)
    if desk.screen.as_json:
        desk.screen.json(reply_json(reply))
    return Exit.OK


async def cancel(desk: Desk, order: str, reason: str) -> int:
    return await _change(desk, order, "done_cancel", lambda s: s.cancel(order, reason, **desk.how()))


async def hold(desk: Desk, order: str, reason: str) -> int:
    return await _change(desk, order, "done_hold", lambda s: s.hold(order, reason, **desk.how()))


async def release(desk: Desk, order: str, reason: str) -> int:
    return await _change(desk, order, "done_release", lambda s: s.release(order, reason, **desk.how()))


async def by_code(desk: Desk, scan: str, order: str | None) -> int:
    """Whose code was scanned; without an order: nobody's."""
    if order is not None:
        values.order_id(order, desk.words("label.order"))
    async with branch_line(desk) as scheduler:
        reply = await answered(desk, scheduler, scheduler.resolve_code(scan, order, **desk.how()))
    desk.screen.say(desk.words("console.done_by_code" if order else "console.done_nobodys", order=order or ""))
    if desk.screen.as_json:
        desk.screen.json(reply_json(reply))
    return Exit.OK


async def _change(desk: Desk, order: str, done: str, ask: Callable[[Scheduler], Awaitable[Reply]]) -> int:
    values.order_id(order, desk.words("label.order"))
    async with branch_line(desk) as scheduler:
        reply = await answered(desk, scheduler, ask(scheduler))
    desk.screen.say(desk.words(f"console.{done}", order=order))
    if desk.screen.as_json:
        desk.screen.json(reply_json(reply))
    return Exit.OK


async def show_list(desk: Desk, *, ended_too: bool) -> int:
    """All open orders, page by page; with `ended_too` those of all time."""
    states = STATES if ended_too else ()
    found: list[dict[str, Any]] = []
    async with AsyncExitStack() as stack:
        scheduler = await stack.enter_async_context(branch_line(desk))
        after: str | None = None
        while True:
            reply = await answered(desk, scheduler, scheduler.orders(states, after=after, limit=PAGE, **desk.how()))
            found += (reply.result or {}).get("orders", [])
            after = (reply.result or {}).get("next")
            if after is None:
                break
    if desk.screen.as_json:
        desk.screen.json({"branch": scheduler.branch, "orders": found})
    elif not found:
        desk.screen.say(desk.words("console.no_orders_at_all" if ended_too else "console.no_orders"))
    else:
        desk.screen.table(_heads(desk), (_row(desk, order) for order in found))
    return Exit.OK


def _heads(desk: Desk) -> list[str]:
    return [desk.words(f"label.{name}") for name in ("order", "scene", "state", "step", "device", "reason")]


def _row(desk: Desk, order: dict[str, Any]) -> list[str | Text]:
    reason = desk.words.word("reason", str(order.get("reason") or ""))
    cells = [str(order.get("step") or ""), str(order.get("device") or ""), reason]
    return [str(order["order"]), lines.scene(order, desk.words), state_of(desk, order), *cells]


def state_of(desk: Desk, order: dict[str, Any]) -> Text:
    """An order's state in words, with what it waits for."""
    word = desk.words.word("order_state", str(order["state"]))
    if order.get("waiting_for"):
        word += f" ({desk.words.word('waiting', str(order['waiting_for']))})"
    return painted(word, str(order["state"]))


def reply_json(reply: Reply) -> dict[str, Any]:
    return reply.model_dump(mode="json", by_alias=True, exclude_none=True)
