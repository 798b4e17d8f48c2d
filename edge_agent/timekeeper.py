"""What happens to orders because time passes: deadlines, the moment before which they must not begin, an unknown clock.

Knows orders' times; the lanes check them once more where they arm (ORD-4), so being late here is harmless.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from cloud_bridge.ports import StoreFailed
from edge_agent.clock import Clock, Grade
from edge_agent.journal.journal import Journal, Tx
from edge_agent.orders import course
from edge_agent.orders.record import OrderRow, find_order, get_step, timed_orders
from edge_agent.orders.states import UNSETTLED, Goal, Order

log = logging.getLogger(__name__)
TICK_S = 0.5
_QUEUED = frozenset({Order.ACCEPTED, Order.SCHEDULED, Order.RUNNING, Order.WAITING, Order.HELD})


class Timekeeper:
    """Run as one task."""

    def __init__(self, journal: Journal, clock: Clock, wake: Callable[[set[str]], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._wake = wake
        self._begun: set[str] = set()  # orders whose not_before has passed and whose lane was told

    async def run(self) -> None:
        while True:
            try:
                await self.tick()
            except StoreFailed as error:
                log.error("timekeeper rests: %s", error)
            await asyncio.sleep(TICK_S)

    async def tick(self) -> None:
        """One look at all orders with times."""
        orders = await self._journal.read(timed_orders)
        due = [o.id for o in orders if self._is_due(o)]
        if due:
            await self._journal.write(lambda tx: self._act_on(tx, due))
        begun = {o.id: o.device for o in orders if o.device and o.not_before and self._clock.passed(o.not_before)}
        self._wake({begun[order] for order in begun if order not in self._begun})
        self._begun = set(begun)

    def _is_due(self, order: OrderRow) -> bool:
        if order.state not in _QUEUED or order.goal is not Goal.FINISH:
            return False
        unknown = self._clock.grade() is Grade.UNKNOWN
        return unknown != (order.waiting_for == "clock") or self._clock.passed(order.deadline)

    def _act_on(self, tx: Tx, due: list[str]) -> None:
        for order_id in due:
            order = find_order(tx, order_id)
            if order is not None and order.step is not None and self._is_due(order):
                self._one(tx, order)

    def _one(self, tx: Tx, order: OrderRow) -> None:
        step = get_step(tx, order.id, order.step or "")
        if step.state in UNSETTLED or step.watch:
            return  # what was armed comes to its end; looking on is always allowed
        if self._clock.grade() is Grade.UNKNOWN:
            course.wait(tx, order, "clock", "clock_unknown")
        elif self._clock.passed(order.deadline):
            course.expire(tx, order)
        elif order.waiting_for == "clock":
            course.go_on(tx, order)
