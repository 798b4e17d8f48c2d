"""What is asked of an order from outside while it lives: to stop, to hold, to go on; and its deadline (ORD-7).

Knows goals and states; who asks, and whether they may, is `requests`.
"""

from __future__ import annotations

from device_drivers.device import Outcome, Verdict
from edge_agent.journal.journal import Tx
from edge_agent.orders.people import DEADLINE_PASSED, ask, may_turn_round
from edge_agent.orders.reading import find_step, get_order, steps_of
from edge_agent.orders.record import change_order, set_goal, set_held
from edge_agent.orders.rows import MACHINE, By, OrderRow
from edge_agent.orders.states import UNSETTLED, Goal, Order
from edge_agent.orders.turns import advance


def stop(tx: Tx, order: OrderRow, goal: Goal, reason: str, by: By = MACHINE) -> OrderRow:
    """Turns an order round: what is running is settled first, what was done is undone (ORD-7)."""
    order = set_goal(tx, order, goal, reason)
    busy = any(s.state in UNSETTLED for s in steps_of(tx, order.id))
    if order.state is Order.NEEDS_ATTENTION:
        return order
    if not busy:
        return advance(tx, order)
    if order.state in (Order.RUNNING, Order.WAITING, Order.HELD) and goal is Goal.CANCEL:
        return change_order(tx, order, Order.CANCELLING, reason=reason, by=by)
    return order


def expire(tx: Tx, order: OrderRow) -> OrderRow:
    """Its deadline passed before the next act was armed (ORD-1): undone, or where it cannot be people are asked."""
    if order.state is Order.NEEDS_ATTENTION:
        return order  # people are asked already: the lane and a scan may find the deadline passed after the timekeeper
    step = find_step(tx, order.id, order.step) if order.step else None
    if step is None or step.undoes or may_turn_round(tx, step):
        return stop(tx, order, Goal.EXPIRE, DEADLINE_PASSED)
    return ask(tx, step, Verdict(Outcome.NO_EFFECT, DEADLINE_PASSED, facts={"deadline": order.deadline}))


def hold(tx: Tx, order: OrderRow, reason: str) -> OrderRow:
    """No further act is armed; what is running goes on to its end."""
    set_held(tx, order, held=True)
    busy = any(s.state in UNSETTLED for s in steps_of(tx, order.id))
    if (
        not busy
        and order.state in (Order.ACCEPTED, Order.SCHEDULED, Order.RUNNING, Order.WAITING)
        and order.goal.forward
    ):
        return change_order(tx, order, Order.HELD, reason=reason or "held")
    return get_order(tx, order.id)


def release(tx: Tx, order: OrderRow, reason: str) -> OrderRow:
    """A held order goes on."""
    set_held(tx, order, held=False)
    if order.state is not Order.HELD:
        return get_order(tx, order.id)
    begun = any(s.armings for s in steps_of(tx, order.id))
    return change_order(tx, order, Order.RUNNING if begun else Order.SCHEDULED, reason=reason or "released")
