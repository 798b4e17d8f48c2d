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
from edge_agent.orders.attesting import attested, keep_trusted
from edge_agent.orders.desk import JOURNAL_CHANGED
from edge_agent.orders.reading import find_order, get_step, timed_orders
from edge_agent.orders.rows import OrderRow, StepRow
from edge_agent.orders.states import UNSETTLED, Order
from edge_agent.orders.times import too_early, too_late, unknown

log = logging.getLogger(__name__)
TICK_S = 0.5
KEEP_S = 600.0  # how far behind the journal's word on the newest trusted time may be
_QUEUED = frozenset({Order.ACCEPTED, Order.SCHEDULED, Order.RUNNING, Order.WAITING, Order.HELD})


class Timekeeper:
    """Run as one task."""

    def __init__(self, journal: Journal, clock: Clock, wake: Callable[[set[str]], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._wake = wake
        self._begun: set[str] = set()  # orders whose not_before has passed and whose lane was told
        self._told = clock.grade()  # the start has told it
        self._kept_s = clock.steady()

    async def run(self) -> None:
        while True:
            try:
                await self.tick()
            except StoreFailed as error:
                log.error("timekeeper rests: %s", error)
            await asyncio.sleep(TICK_S)

    async def tick(self) -> None:
        """One look at the clock and at all orders with times."""
        self._clock.believe(await self._journal.read(attested))
        await self._watch_clock()
        orders, due = await self._journal.read(self._look)
        if due:
            await self._journal.write(lambda tx: self._act_on(tx, due))
        begun = {o.id: o.device for o in orders if o.device and o.not_before and not too_early(o, self._clock)}
        self._wake({begun[order] for order in begun if order not in self._begun})
        self._begun = set(begun)

    async def _watch_clock(self) -> None:
        """Tells each change of the grade once, and keeps the newest time that was trusted."""
        grade, now_s = self._clock.grade(), self._clock.steady()
        if grade is self._told and (grade is Grade.UNKNOWN or now_s - self._kept_s < KEEP_S):
            return
        await self._journal.write(lambda tx: self._tell(tx, grade))
        if grade is not self._told:
            log.warning("clock: %s, was %s %s", grade, self._told, self._clock.doubt)
        self._told, self._kept_s = grade, now_s

    def _tell(self, tx: Tx, grade: Grade) -> None:
        keep_trusted(tx, self._clock)
        if grade is not self._told:
            reason = self._clock.doubt or ("clock_unknown" if grade is Grade.UNKNOWN else "")
            facts = {"from": self._told.value, "to": grade.value}
            tx.emit(JOURNAL_CHANGED, None, {"what": "clock_changed", "reason": reason, "facts": facts})

    def _look(self, tx: Tx) -> tuple[list[OrderRow], list[str]]:
        orders = timed_orders(tx)
        return orders, [order.id for order in orders if self._is_due(tx, order)]

    def _is_due(self, tx: Tx, order: OrderRow) -> bool:
        if order.state not in _QUEUED or not order.goal.forward or order.step is None:
            return False
        if unknown(order, self._clock):
            due = order.waiting_for != "clock" and order.state is not Order.HELD
        else:
            due = order.waiting_for == "clock" or too_late(order, self._clock)
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
        if unknown(order, self._clock):
            course.wait(tx, order, "clock", "clock_unknown")
        elif too_late(order, self._clock):
            course.expire(tx, order)
        elif order.waiting_for == "clock":
            course.go_on(tx, order)
