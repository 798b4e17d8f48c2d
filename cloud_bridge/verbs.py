"""The instructions that a scheduler can give, each as one call.

Knows the models of the instructions; how one is sent and answered is `instruct`, which whoever inherits brings.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from cloud_bridge.messages.instructions import (
    CodeResolve,
    Document,
    EventsRequest,
    JournalAdopt,
    OrderCancel,
    OrderHold,
    OrderRelease,
    OrderResolve,
    OrdersRequest,
    OrderSubmit,
)
from cloud_bridge.messages.reports import Reply
from cloud_bridge.messages.words import Choice, Message


class Verbs(ABC):
    """`how` in each call: branch, deadline, instruction_id (see `instruct`)."""

    @abstractmethod
    async def instruct(
        self,
        verb: str,
        data: Message | Mapping[str, Any],
        *,
        subject: str | None = None,
        branch: str | None = None,
        deadline: datetime | None = None,
        instruction_id: str | None = None,
    ) -> Reply:
        """Send `verb` ("order.submit") until the reply is there."""

    async def submit(
        self,
        scene: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        order: str | None = None,
        customer: str = "",
        priority: int = 0,
        not_before: datetime | None = None,
        order_deadline: datetime | None = None,
        retry_of: str | None = None,
        documents: Sequence[Document] = (),
        code: str | None = None,
        **how: Any,
    ) -> Reply:
        """A new order; its id stands in the reply. `documents`: what its scene prints and does not lay out itself.

        `code`: what its customer will scan (ORD-14); only its hash is sent.
        """
        data = OrderSubmit(
            scene=scene,
            parameters=dict(parameters or {}),
            customer=customer,
            priority=priority,
            not_before=not_before,
            deadline=order_deadline,
            retry_of=retry_of,
            documents=list(documents),
            code_sha256=None if code is None else hashlib.sha256(code.encode()).hexdigest(),
        )
        return await self.instruct("order.submit", data, subject=order, **how)

    async def cancel(self, order: str, reason: str = "", **how: Any) -> Reply:
        """Decided where the next step would be armed (ORD-7)."""
        return await self.instruct("order.cancel", OrderCancel(reason=reason), subject=order, **how)

    async def hold(self, order: str, reason: str = "", **how: Any) -> Reply:
        """Arm no further step until `release`."""
        return await self.instruct("order.hold", OrderHold(reason=reason), subject=order, **how)

    async def release(self, order: str, reason: str = "", **how: Any) -> Reply:
        """Let a held order go on."""
        return await self.instruct("order.release", OrderRelease(reason=reason), subject=order, **how)

    async def resolve(
        self,
        order: str,
        step: str,
        attempt: str,
        choice: Choice,
        people: list[str],
        note: str = "",
        *,
        device: str | None = None,
        **how: Any,
    ) -> Reply:
        """A person's decision on a step that asks for one (ORD-6). `device`: the one that shall do it `again`."""
        data = OrderResolve(step=step, attempt=attempt, choice=choice, people=people, note=note, device=device)
        return await self.instruct("order.resolve", data, subject=order, **how)

    async def resolve_code(self, scan: str, order: str | None, **how: Any) -> Reply:
        """Whose code an `unknown` scan was (ORD-14): the order that goes on by it, or None: nobody's."""
        data = CodeResolve(scan=scan, order=order, unknown=order is None)
        return await self.instruct("code.resolve", data, **how)

    async def orders(
        self,
        states: Collection[str] = (),
        *,
        order: str | None = None,
        after: str | None = None,
        limit: int = 50,
        **how: Any,
    ) -> Reply:
        """One page of orders, or one order whole, in the reply's `result` (SES-2)."""
        data = OrdersRequest(states=list(states), order=order, after=after, limit=limit)
        return await self.instruct("orders.request", data, **how)

    async def request_events(self, journal: str, first: int, last: int, **how: Any) -> Reply:
        """Have events sent again: seq `first` to `last`, both included (SES-6)."""
        data = EventsRequest.model_validate({"journal": journal, "from": first, "to": last})
        return await self.instruct("events.request", data, **how)

    async def adopt(self, journal: str, orders: list[str], **how: Any) -> Reply:
        """Adopt a journal without predecessor; `orders` are those that the centre holds for the branch (ORD-12)."""
        return await self.instruct("journal.adopt", JournalAdopt(journal=journal, orders=orders), **how)
