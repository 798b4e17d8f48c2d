"""Which order a device serves next: whoever holds it, else the queue; each question inside a transaction.

Knows rows and the clock; must not know the device nor its driver.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.clock import Clock
from edge_agent.custody.stock import Shelf, lots_at
from edge_agent.journal.journal import Tx
from edge_agent.orders import course, times
from edge_agent.orders.reading import find_order, get_step, lane_of, next_on_device, orders_at, queue_is_stale
from edge_agent.orders.rows import LaneRow, OrderRow, StepRow
from edge_agent.orders.states import Order, Step

_NOT_BEGUN = frozenset({Step.PENDING, Step.NO_EFFECT, Step.FAILED, Step.IN_DOUBT})  # or not known


@dataclass(frozen=True, slots=True)
class Job:
    """What the lane does next: one step of one order."""

    order: OrderRow
    step: StepRow


@dataclass(frozen=True, slots=True)
class Turn:
    """What one look at the journal says: is the lane shut, what is to be done, do waiting orders say something old.

    `declared`: people said what lies in a cell, and it was not looked at since.
    """

    shut: bool
    job: Job | None
    stale: bool
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """The orders whose turn is at one device."""

    device: str
    clock: Clock
    has_cells: bool = False

    def look(self, tx: Tx) -> Turn:
        lane = lane_of(tx, self.device)
        job = self._next_job(tx, lane)
        declared = self.has_cells and any(lot.state is Shelf.DECLARED for lot in lots_at(tx, self.device))
        return Turn(lane.shut, job, job is None and queue_is_stale(tx, self.device, times.now(self.clock)), declared)

    def _next_job(self, tx: Tx, lane: LaneRow) -> Job | None:
        """The step to do now; None: nothing can be done until something changes."""
        order = None if lane.shut else self._next_order(tx, lane)
        if order is None or order.step is None or order.device != self.device or order.state is Order.NEEDS_ATTENTION:
            return None
        step = get_step(tx, order.id, order.step)
        if step.awaits_code or (order.held and step.undoes is None and not step.watch):
            return None
        return Job(order, step) if self._is_timely(order, step) else None

    def say_away(self, tx: Tx, reason: str) -> None:
        """Orders that can do without the device go on at once; the others wait for it."""
        for order in orders_at(tx, self.device):
            step = get_step(tx, order.id, order.step) if order.step else None
            if step is None or order.held or times.too_early(order, self.clock):
                continue
            if self._is_timely(order, step) and course.can_lack(tx, order, step):
                course.go_without(tx, order, step, reason)
        self.say_waiting(tx, reason)

    def say_waiting(self, tx: Tx, reason: str) -> None:
        """The order whose turn it is says that it waits for the device; so does each that was begun elsewhere."""
        first = self._next_order(tx, lane_of(tx, self.device))
        for order in orders_at(tx, self.device):
            if order.step is None or (order.state is not Order.RUNNING and (first is None or order.id != first.id)):
                continue
            step = get_step(tx, order.id, order.step)
            if step.state in _NOT_BEGUN and not step.awaits_code and self._is_timely(order, step):
                course.wait(tx, order, "device", reason)

    def _next_order(self, tx: Tx, lane: LaneRow) -> OrderRow | None:
        if lane.holder is not None:
            return find_order(tx, lane.holder)
        return next_on_device(tx, self.device, times.now(self.clock))

    def _is_timely(self, order: OrderRow, step: StepRow) -> bool:
        """Without a clock no act of an order with times is begun; what it began is always brought to an end."""
        brings_to_an_end = step.undoes is not None or step.watch or step.state is Step.IN_DOUBT
        return brings_to_an_end or not times.unknown(order, self.clock)
