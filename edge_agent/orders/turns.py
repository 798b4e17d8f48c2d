"""Whose turn it is: an order's next step, forward or back, or its end; and the queue behind a device.

Knows steps, goals and lanes as rows; what a step came to is `outcomes`, what people decide is `people`.
"""

from __future__ import annotations

from typing import Any

from device_drivers.device import Whereabouts
from edge_agent.journal.journal import Tx
from edge_agent.orders.holding import free_all
from edge_agent.orders.reading import get_order, get_step, lane_of, orders_at, steps_of
from edge_agent.orders.record import change_order, change_step, set_turn, turn_forward
from edge_agent.orders.rows import OrderRow, StepRow, attempt_id
from edge_agent.orders.states import ORDER_CHANGES, Goal, Order, Step
from edge_agent.orders.undoing import plan_undo, taken_late

_ENDS = {
    Goal.FINISH: Order.COMPLETED,
    Goal.PARTLY: Order.PARTLY_COMPLETED,
    Goal.CANCEL: Order.CANCELLED,
    Goal.FAIL: Order.FAILED,
    Goal.EXPIRE: Order.EXPIRED,
}
AWAITS_CODE = "awaits_code"
_READY = frozenset({Step.PENDING, Step.NO_EFFECT, Step.FAILED})  # where a further attempt is allowed


def next_step(goal: Goal, steps: list[StepRow]) -> StepRow | None:
    """The step whose turn it is: forward while finishing, else the compensations in the order of their planning."""
    ready = (s for s in steps if s.state in _READY and s.armings < s.allowed and goal.forward == (s.undoes is None))
    return next(ready, None)


def advance(tx: Tx, order: OrderRow) -> OrderRow:
    """Gives the turn to the next step, or ends the order."""
    order = _turned(tx, get_order(tx, order.id))
    step = next_step(order.goal, steps_of(tx, order.id))
    if step is None:
        return _end(tx, order)
    set_turn(tx, order, step)
    order = get_order(tx, order.id)
    if order.goal is Goal.CANCEL and order.state is not Order.CANCELLING:
        return change_order(tx, order, Order.CANCELLING, reason=order.goal_reason)
    if order.held and order.goal.forward and not step.watch:
        return order if order.state is Order.HELD else change_order(tx, order, Order.HELD, reason="held")
    if step.awaits_code:
        wait(tx, order, "customer", AWAITS_CODE)
        return get_order(tx, order.id)
    if step.needs_release and order.goal.forward:
        ask_release(tx, order, step)
        return get_order(tx, order.id)
    if why := _not_free(tx, order, step):
        wait(tx, order, "device", why)
        return get_order(tx, order.id)
    if order.state in (Order.WAITING, Order.NEEDS_ATTENTION, Order.HELD) and order.goal is not Goal.CANCEL:
        return change_order(tx, order, Order.RUNNING, reason=order.goal_reason)
    return order


def _turned(tx: Tx, order: OrderRow) -> OrderRow:
    """On its way back its compensations are planned; an item found with the customer turns it forward again."""
    if order.goal.forward:
        return order
    steps = steps_of(tx, order.id)
    if taken_late(steps) and any(s.no_return and s.state in (Step.DONE, Step.SKIPPED) for s in steps):
        return turn_forward(tx, order)
    plan_undo(tx, order)
    return order


def _not_free(tx: Tx, order: OrderRow, step: StepRow) -> str:
    """Why the device of a step cannot be had now; empty: it can."""
    lane = lane_of(tx, step.device)
    if lane.holder == order.id:
        return ""
    return "lane_shut" if lane.shut else "device_busy" if lane.holder else ""


def _end(tx: Tx, order: OrderRow) -> OrderRow:
    steps = steps_of(tx, order.id)  # as they were before those not needed are skipped
    for step in steps:
        if step.state is Step.PENDING:
            change_step(tx, step, Step.SKIPPED)
    free_all(tx, order.id)
    facts: dict[str, Any] = {key: s.facts[key] for s in steps for key in ("taken", "retained") if key in s.facts}
    facts |= _left_out(steps)
    reason = order.goal_reason
    if order.goal.forward and taken_late(steps):  # gone at the last moment: the order was fulfilled
        reason, facts = "taken_late", facts | {"taken": "inferred"}
    return change_order(tx, order, _ENDS[order.goal], reason=reason, facts=facts)


def _left_out(steps: list[StepRow]) -> dict[str, Any]:
    """The steps that it ended without, each with what stands for it."""
    left = [{"step": s.name, "instead": s.facts["instead"]} for s in steps if "instead" in s.facts]
    return {"left_out": left} if left else {}


def past_return(steps: list[StepRow]) -> bool:
    """Whether a step marked no_return was armed and may have had its effect."""
    return bool(handed_over(steps))


def handed_over(steps: list[StepRow]) -> list[StepRow]:
    """The steps marked no_return that were armed and may have had their effect, or were found done."""
    given_up = [s for s in steps if s.state is Step.SKIPPED and s.item == Whereabouts.UNKNOWN]
    return [s for s in steps if s.no_return and s.state not in (Step.PENDING, Step.NO_EFFECT) and s not in given_up]


def wait(tx: Tx, order: OrderRow, waiting_for: str, reason: str) -> str:
    """The order says what it waits for, once. Returns the reason."""
    order = get_order(tx, order.id)
    new = (order.state, order.waiting_for, order.reason) != (Order.WAITING, waiting_for, reason)
    if new and Order.WAITING in ORDER_CHANGES[order.state]:
        change_order(tx, order, Order.WAITING, waiting_for=waiting_for, reason=reason)
    return reason


def wait_before(tx: Tx, step: StepRow, waiting_for: str, reason: str) -> str:
    """The order waits before this step, unless its turn went elsewhere meanwhile. Returns the reason."""
    order = get_order(tx, step.order_id)
    if (order.step, order.device) != (step.name, step.device):
        return "moved_on"
    return wait(tx, order, waiting_for, reason)


RELEASE_NEEDED = "release_needed"


def ask_release(tx: Tx, order: OrderRow, step: StepRow) -> str:
    """Two people must release the step before it is armed; the order says so, once. Returns the reason."""
    order = get_order(tx, order.id)
    new = (order.state, order.reason) != (Order.WAITING, RELEASE_NEEDED)
    if new and Order.WAITING in ORDER_CHANGES[order.state]:
        facts: dict[str, Any] = {"step": step.name, "attempt": attempt_id(step, step.armings), "device": step.device}
        facts |= {**step.lot, "choices": ["release", "failed"]}
        change_order(tx, order, Order.WAITING, waiting_for="staff", reason="release_needed", facts=facts)
    return RELEASE_NEEDED


def tell_queue(tx: Tx, device: str) -> None:
    """Orders behind a shut lane say what they wait for; when it is open again they are back in the queue."""
    shut = lane_of(tx, device).shut
    for order in orders_at(tx, device):
        if _awaits_code(tx, order):
            continue
        queued = order.state in (Order.ACCEPTED, Order.SCHEDULED, Order.RUNNING)
        if shut and (queued or (order.state is Order.WAITING and order.reason == "device_busy")):
            wait(tx, order, "device", "lane_shut")
        elif not shut and order.state is Order.WAITING and order.reason == "lane_shut":
            go_on(tx, order)


def _awaits_code(tx: Tx, order: OrderRow) -> bool:
    """Whether it stands before a step that waits for its customer's code; it says so, whatever its lane is like."""
    if order.step is None or not get_step(tx, order.id, order.step).awaits_code:
        return False
    if not order.held and order.state in (Order.ACCEPTED, Order.SCHEDULED, Order.RUNNING):
        wait(tx, order, "customer", AWAITS_CODE)
    return True


def go_on(tx: Tx, order: OrderRow) -> OrderRow:
    """What it waited for is there: back into its lane's queue."""
    begun = any(s.armings for s in steps_of(tx, order.id))
    return change_order(tx, order, Order.RUNNING if begun else Order.SCHEDULED)
