"""The course of an order: what each thing that happens to it makes of it, and whose turn is next.

Each function is one decision inside a caller's transaction. Knows orders, steps, lanes as rows; no device, no message.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from device_drivers.device import Arming, Outcome, Verdict, Whereabouts
from edge_agent.clock import Clock, Grade
from edge_agent.journal.journal import Tx
from edge_agent.orders.record import (
    MACHINE,
    AttemptRow,
    By,
    LaneRow,
    OrderRow,
    StepRow,
    add_step,
    attempt_id,
    change_order,
    change_step,
    get_order,
    get_step,
    lane_of,
    last_attempt,
    open_attempt,
    orders_at,
    set_goal,
    set_lane,
    set_turn,
    steps_of,
)
from edge_agent.orders.states import ORDER_CHANGES, UNSETTLED, Goal, Order, Step

LEFT = frozenset(
    {Whereabouts.BIN, Whereabouts.CUSTOMER, Whereabouts.STOCK}
)  # places where an item does not occupy the device
_ENDS = {
    Goal.FINISH: Order.COMPLETED,
    Goal.CANCEL: Order.CANCELLED,
    Goal.FAIL: Order.FAILED,
    Goal.EXPIRE: Order.EXPIRED,
}
_BEFORE_TURN = frozenset({Order.ACCEPTED, Order.SCHEDULED, Order.WAITING, Order.HELD, Order.NEEDS_ATTENTION})


@dataclass(frozen=True, slots=True)
class NotNow:
    """Why a step was not armed; nothing happened."""

    reason: str


# -- whose turn is next ------------------------------------------------------------------------------------------------


def next_step(goal: Goal, steps: list[StepRow]) -> StepRow | None:
    """The step whose turn it is: forward while finishing, else the compensations, last done first."""
    ready = [s for s in steps if s.state in (Step.PENDING, Step.NO_EFFECT) and s.armings < s.allowed]
    if goal is Goal.FINISH:
        return next((s for s in ready if s.undoes is None), None)
    return next((s for s in ready if s.undoes is not None), None)


def advance(tx: Tx, order: OrderRow) -> OrderRow:
    """Gives the turn to the next step, or ends the order."""
    order = get_order(tx, order.id)
    if order.goal is not Goal.FINISH:
        _plan_undo(tx, order)
    step = next_step(order.goal, steps_of(tx, order.id))
    if step is None:
        return _end(tx, order)
    set_turn(tx, order, step)
    order = get_order(tx, order.id)
    if order.goal is Goal.CANCEL and order.state is not Order.CANCELLING:
        return change_order(tx, order, Order.CANCELLING, reason=order.goal_reason)
    if order.held and order.goal is Goal.FINISH and not step.watch:
        return order if order.state is Order.HELD else change_order(tx, order, Order.HELD, reason="held")
    if order.state in (Order.WAITING, Order.NEEDS_ATTENTION, Order.HELD) and order.goal is not Goal.CANCEL:
        return change_order(tx, order, Order.RUNNING, reason=order.goal_reason)
    return order


def _plan_undo(tx: Tx, order: OrderRow) -> None:
    """Adds a compensation for each step that was done and whose item is still in its device, last done first."""
    steps = steps_of(tx, order.id)
    undone = {s.undoes for s in steps}
    for step in reversed([s for s in steps if s.undo and s.state is Step.DONE and s.name not in undone]):
        if lane_of(tx, step.device).holder == order.id:
            _add_undo(tx, step, len(steps_of(tx, order.id)))


def _add_undo(tx: Tx, step: StepRow, position: int) -> None:
    assert step.undo is not None
    undo = StepRow(
        order_id=step.order_id,
        name=f"{step.name}.undo",
        position=position,
        act=step.undo,
        device=step.device,
        undo=None,
        undoes=step.name,
        no_return=False,
        limit_s=None,
        watch=False,
        waits_for=None,
    )
    add_step(tx, undo)


def _end(tx: Tx, order: OrderRow) -> OrderRow:
    steps = steps_of(tx, order.id)  # as they were before those not needed are skipped
    for step in steps:
        if step.state is Step.PENDING:
            change_step(tx, step, Step.SKIPPED)
    for device in {s.device for s in steps}:
        lane = lane_of(tx, device)
        if lane.holder == order.id:
            set_lane(tx, replace(lane, holder=None))
    late = any(s.undoes and s.item == Whereabouts.CUSTOMER for s in steps)
    handed_over = any(s.no_return and s.state in (Step.DONE, Step.SKIPPED) for s in steps)
    if late and handed_over:  # gone at the last moment: the order was fulfilled
        return change_order(tx, order, Order.COMPLETED, reason="taken_late", facts={"taken": "inferred"})
    facts: dict[str, Any] = {key: s.facts[key] for s in steps for key in ("taken", "retained") if key in s.facts}
    return change_order(tx, order, _ENDS[order.goal], reason=order.goal_reason, facts=facts)


# -- arming ------------------------------------------------------------------------------------------------------------


def arm(tx: Tx, order_id: str, step_name: str, arming: Arming, clock: Clock) -> AttemptRow | NotNow:
    """Arms an attempt if nothing speaks against it at this very moment (ORD-4); a watch goes on to waiting at once."""
    order = get_order(tx, order_id)
    step = get_step(tx, order_id, step_name)
    if order.step != step_name:
        return NotNow("moved_on")
    lane = lane_of(tx, step.device)
    if lane.shut or lane.holder not in (None, order.id):
        return NotNow("lane_shut" if lane.shut else "device_busy")
    if step.undoes is None and not step.watch and (why := _objection(tx, order, clock)):
        return NotNow(why)
    step = open_attempt(tx, step, arming)
    set_lane(tx, replace(lane, device=step.device, holder=order.id))
    if order.state in _BEFORE_TURN:
        order = change_order(tx, order, Order.CANCELLING if order.goal is Goal.CANCEL else Order.RUNNING)
    if step.watch:
        step = change_step(tx, change_step(tx, step, Step.ACTING), Step.WAITING)
        change_order(tx, order, Order.WAITING, waiting_for=step.waits_for or "device")
    attempt = last_attempt(tx, step)
    assert attempt is not None
    return attempt


def _objection(tx: Tx, order: OrderRow, clock: Clock) -> str:
    """Why an act of this order must not begin now; its state tells it already when this returns. Empty: none."""
    if order.goal is not Goal.FINISH:
        advance(tx, order)
        return "moved_on"
    if order.held:
        if order.state is not Order.HELD:
            change_order(tx, order, Order.HELD, reason="held")
        return "held"
    if tx.meta("adopted") != "1":
        return wait(tx, order, "device", "journal_new")
    if (order.deadline or order.not_before) and clock.grade() is Grade.UNKNOWN:
        return wait(tx, order, "clock", "clock_unknown")
    if clock.passed(order.deadline):
        expire(tx, order)
        return "expired"
    if order.not_before and not clock.passed(order.not_before):
        return "too_early"
    return ""


def wait(tx: Tx, order: OrderRow, waiting_for: str, reason: str) -> str:
    """The order says what it waits for, once. Returns the reason."""
    order = get_order(tx, order.id)
    new = (order.state, order.waiting_for, order.reason) != (Order.WAITING, waiting_for, reason)
    if new and Order.WAITING in ORDER_CHANGES[order.state]:
        change_order(tx, order, Order.WAITING, waiting_for=waiting_for, reason=reason)
    return reason


# -- outcomes ----------------------------------------------------------------------------------------------------------


def acting(tx: Tx, attempt: AttemptRow) -> None:
    """The driver has the attempt: told beside the act, never waited for."""
    step = get_step(tx, attempt.order_id, attempt.step)
    if step.state is Step.ARMED and attempt_id(step, step.armings) == attempt.id:
        change_step(tx, step, Step.ACTING)


def doubt(tx: Tx, order_id: str, step_name: str, reason: str) -> None:
    """An act was begun and its outcome is not known (ORD-5)."""
    step = get_step(tx, order_id, step_name)
    if step.state in (Step.ARMED, Step.ACTING):
        change_step(tx, step, Step.IN_DOUBT, verdict=Verdict(Outcome.UNKNOWN, reason))


def settle(tx: Tx, order_id: str, step_name: str, verdict: Verdict) -> OrderRow:
    """What an attempt came to, by evidence: the step's new state, the lane's, and the order's course."""
    step = get_step(tx, order_id, step_name)
    if step.state not in UNSETTLED:
        return get_order(tx, order_id)
    if step.state is Step.ARMED and verdict.outcome is not Outcome.UNKNOWN:
        step = change_step(tx, step, Step.ACTING)
    if verdict.outcome is Outcome.UNKNOWN:
        return _ask_people(tx, step, verdict)
    step = change_step(tx, step, Step(verdict.outcome.value), verdict=verdict)
    _note_whereabouts(tx, step, verdict)
    if verdict.outcome is Outcome.DONE:
        return _done(tx, step, verdict)
    if verdict.outcome is Outcome.NO_EFFECT:
        return _no_effect(tx, step, verdict)
    if verdict.lane_shut or step.undoes:
        return _need_hands(tx, step, verdict)
    set_goal(tx, get_order(tx, order_id), Goal.FAIL, verdict.reason)
    return advance(tx, get_order(tx, order_id))


def _note_whereabouts(tx: Tx, step: StepRow, verdict: Verdict) -> None:
    """An item that left frees the machine for others, unless a watch of this order must still look for it."""
    lane = lane_of(tx, step.device)
    if verdict.item not in LEFT or lane.holder != step.order_id or verdict.lane_shut:
        return
    pending = [s for s in steps_of(tx, step.order_id) if s.state is Step.PENDING and s.device == step.device]
    if verdict.item is Whereabouts.CUSTOMER and any(s.watch for s in pending):
        return  # another one's card would be taken for this one's
    set_lane(tx, replace(lane, holder=None))


def _done(tx: Tx, step: StepRow, verdict: Verdict) -> OrderRow:
    order = get_order(tx, step.order_id)
    if step.undoes:
        _compensated(tx, step)
    elif verdict.item is Whereabouts.BIN:  # the machine took it back by itself
        set_goal(tx, order, Goal.FAIL, verdict.reason)
    return advance(tx, get_order(tx, order.id))


def _compensated(tx: Tx, undo: StepRow) -> None:
    assert undo.undoes is not None
    step = get_step(tx, undo.order_id, undo.undoes)
    if step.state is Step.DONE and undo.item != Whereabouts.CUSTOMER:
        change_step(tx, step, Step.COMPENSATED)


def _free_untouched(tx: Tx, step: StepRow) -> None:
    """An order of which nothing ever was in the machine does not keep it."""
    lane = lane_of(tx, step.device)
    others = [s for s in steps_of(tx, step.order_id) if s.name != step.name and s.device == step.device]
    untouched = all(s.state in (Step.PENDING, Step.NO_EFFECT, Step.SKIPPED) for s in others)
    if untouched and lane.holder == step.order_id:
        set_lane(tx, replace(lane, holder=None))


def _no_effect(tx: Tx, step: StepRow, verdict: Verdict) -> OrderRow:
    order = get_order(tx, step.order_id)
    _free_untouched(tx, step)
    if step.armings < step.allowed and order.goal is Goal.FINISH:
        return advance(tx, order)  # it keeps its turn and is armed once more
    if step.undoes:
        return order if step.armings < step.allowed else _need_hands(tx, step, verdict)
    set_goal(tx, order, Goal.FAIL, verdict.reason)
    return advance(tx, get_order(tx, order.id))


def unneeded(tx: Tx, order_id: str, step_name: str, verdict: Verdict) -> OrderRow:
    """Arming found that the act is needless: nothing is sent, the reading stands for it."""
    order, step = get_order(tx, order_id), get_step(tx, order_id, step_name)
    if order.step != step_name or step.state not in (Step.PENDING, Step.NO_EFFECT):
        return order
    if verdict.outcome is Outcome.UNKNOWN:
        return _need_hands(tx, step, verdict)
    step = change_step(tx, step, Step.SKIPPED, verdict=verdict)
    _note_whereabouts(tx, step, verdict)
    if step.undoes:
        _compensated(tx, step)
    return advance(tx, order)


# -- people ------------------------------------------------------------------------------------------------------------


def choices_for(step: StepRow, steps: list[StepRow]) -> list[str]:
    """What a person may decide on a step that needs attention (ORD-6)."""
    can_capture = step.undoes is None and any(s.undo and s.device == step.device for s in steps)
    capture = ["capture"] if can_capture else []
    if step.state is Step.IN_DOUBT:
        return ["done", "no_effect", "failed", *capture]
    return ["no_effect", "failed"] if step.state is Step.NO_EFFECT else ["failed", *capture]


def _ask_people(tx: Tx, step: StepRow, verdict: Verdict) -> OrderRow:
    if step.state is not Step.IN_DOUBT:
        step = change_step(tx, step, Step.IN_DOUBT, verdict=verdict)
    return _need_hands(tx, step, verdict)


def _need_hands(tx: Tx, step: StepRow, verdict: Verdict) -> OrderRow:
    """The lane is shut and the order asks for a person (PHY-7)."""
    order = get_order(tx, step.order_id)
    attempt = attempt_id(step, step.armings)
    set_lane(tx, LaneRow(step.device, holder=order.id, shut=True, reason=verdict.reason, attempt=attempt))
    facts: dict[str, Any] = {"attempt": attempt, "step": step.name, "item": verdict.item.value, "device": step.device}
    facts |= {"choices": choices_for(step, steps_of(tx, order.id)), "evidence": dict(verdict.facts)}
    return change_order(tx, order, Order.NEEDS_ATTENTION, reason=verdict.reason, waiting_for="staff", facts=facts)


def decide(tx: Tx, order: OrderRow, step: StepRow, choice: str, by: By) -> OrderRow:
    """A person's decision on the step that needs attention; `choice` is one of `choices_for`."""
    lane = lane_of(tx, step.device)
    secured = choice == "failed"
    set_lane(tx, LaneRow(step.device, holder=None if secured else lane.holder))
    verdict = Verdict(Outcome.UNKNOWN, f"decided_{choice}", Whereabouts.UNKNOWN, {"decided": choice})
    if step.state is Step.IN_DOUBT:
        to = {"done": Step.DONE, "no_effect": Step.NO_EFFECT}.get(choice, Step.FAILED)
        step = change_step(tx, step, to, verdict=verdict, by=by)
    elif step.state is Step.PENDING or (step.state is Step.NO_EFFECT and choice != "no_effect"):
        step = change_step(tx, step, Step.SKIPPED, verdict=verdict, by=by)
    if choice == "no_effect":
        tx.do("UPDATE steps SET allowed = armings + 1 WHERE order_id = ? AND name = ?", order.id, step.name)
    elif choice == "done" and step.undoes:
        _compensated(tx, step)
    elif choice in ("failed", "capture"):
        set_goal(tx, order, Goal.FAIL, verdict.reason)
    if choice == "capture":
        _force_undo(tx, order, step.device)
    order = get_order(tx, order.id)
    onward = Order.CANCELLING if order.goal is Goal.CANCEL else Order.RUNNING
    return advance(tx, change_order(tx, order, onward, reason=verdict.reason, by=by))


def _force_undo(tx: Tx, order: OrderRow, device: str) -> None:
    steps = steps_of(tx, order.id)
    undone = {s.undoes for s in steps}
    step = next((s for s in steps if s.undo and s.device == device and s.name not in undone), None)
    if step is not None:
        _add_undo(tx, step, len(steps))


# -- from outside ------------------------------------------------------------------------------------------------------


def past_return(steps: list[StepRow]) -> bool:
    """Whether a step marked no_return was armed and may have had its effect."""
    return any(s.no_return and s.state not in (Step.PENDING, Step.NO_EFFECT) for s in steps)


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
    """Its deadline passed before the next act was armed (ORD-1)."""
    return stop(tx, order, Goal.EXPIRE, "deadline_passed")


def hold(tx: Tx, order: OrderRow, reason: str) -> OrderRow:
    """No further act is armed; what is running goes on to its end."""
    tx.do("UPDATE orders SET held = 1 WHERE id = ?", order.id)
    busy = any(s.state in UNSETTLED for s in steps_of(tx, order.id))
    if (
        not busy
        and order.state in (Order.ACCEPTED, Order.SCHEDULED, Order.RUNNING, Order.WAITING)
        and order.goal is Goal.FINISH
    ):
        return change_order(tx, order, Order.HELD, reason=reason or "held")
    return get_order(tx, order.id)


def release(tx: Tx, order: OrderRow, reason: str) -> OrderRow:
    """A held order goes on."""
    tx.do("UPDATE orders SET held = 0 WHERE id = ?", order.id)
    if order.state is not Order.HELD:
        return get_order(tx, order.id)
    begun = any(s.armings for s in steps_of(tx, order.id))
    return change_order(tx, order, Order.RUNNING if begun else Order.SCHEDULED, reason=reason or "released")


def tell_queue(tx: Tx, device: str) -> None:
    """Orders behind a shut lane say what they wait for; when it is open again they are back in the queue."""
    shut = lane_of(tx, device).shut
    for order in orders_at(tx, device):
        if shut and order.state in (Order.ACCEPTED, Order.SCHEDULED, Order.RUNNING):
            wait(tx, order, "device", "lane_shut")
        elif not shut and order.state is Order.WAITING and order.reason == "lane_shut":
            go_on(tx, order)


def go_on(tx: Tx, order: OrderRow) -> OrderRow:
    """What it waited for is there: back into its lane's queue."""
    begun = any(s.armings for s in steps_of(tx, order.id))
    return change_order(tx, order, Order.RUNNING if begun else Order.SCHEDULED)
