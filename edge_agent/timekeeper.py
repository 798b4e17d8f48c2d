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
from edge_agent.orders.record import OrderRow, StepRow, find_order, get_step, timed_orders
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
        orders, due = await self._journal.read(self._look)
        if due:
            await self._journal.write(lambda tx: self._act_on(tx, due))
        begun = {o.id: o.device for o in orders if o.device and o.not_before and self._clock.passed(o.not_before)}
        self._wake({begun[order] for order in begun if order not in self._begun})
        self._begun = set(begun)

    def _look(self, tx: Tx) -> tuple[list[OrderRow], list[str]]:
        orders = timed_orders(tx)
        return orders, [order.id for order in orders if self._is_due(tx, order)]

    def _is_due(self, tx: Tx, order: OrderRow) -> bool:
        if order.state not in _QUEUED or order.goal is not Goal.FINISH or order.step is None:
            return False
        if self._clock.grade() is Grade.UNKNOWN:
            due = order.waiting_for != "clock" and order.state is not Order.HELD
        else:
            due = order.waiting_for == "clock" or self._clock.passed(order.deadline)
        return due and self._may_stop(get_step(tx, order.id, order.step))

    def _may_stop(self, step: StepRow) -> bool:
        """What was armed comes to its end; looking on is always allowed."""
        return step.state not in UNSETTLED and not step.watch

    def _act_on(self, tx: Tx, due: list[str]) -> None:
        for order_id in due:
            order = find_order(tx, order_id)
            if order is not None and self._is_due(tx, order):
                self._one(tx, order)

    def _one(self, tx: Tx, order: OrderRow) -> None:
        if self._clock.grade() is Grade.UNKNOWN:
            course.wait(tx, order, "clock", "clock_unknown")
        elif self._clock.passed(order.deadline):
            course.expire(tx, order)
        elif order.waiting_for == "clock":
            course.go_on(tx, order)
