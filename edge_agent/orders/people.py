"""What people are asked and what their decision makes of an order (ORD-6).

Knows choices and their consequences; who may decide is checked at the door (`requests`).
"""

from __future__ import annotations

from typing import Any

from device_drivers.device import Outcome, Verdict, Whereabouts
from edge_agent.journal.journal import Tx
from edge_agent.orders import shelving
from edge_agent.orders.causes import named
from edge_agent.orders.holding import free_untouched
from edge_agent.orders.reading import get_order, lane_of, steps_of
from edge_agent.orders.record import (
    add_facts,
    allow_attempts,
    change_order,
    change_step,
    move_step,
    set_goal,
    set_lane,
)
from edge_agent.orders.rows import RELEASED_BY, By, LaneRow, OrderRow, StepRow, attempt_id
from edge_agent.orders.states import Goal, Order, Step
from edge_agent.orders.turns import advance, handed_over
from edge_agent.orders.undoing import compensated, force_undo, taken_late

DEADLINE_PASSED = "deadline_passed"
_INSTEAD = ("by_hand", "skip")
_INSIDE = (Whereabouts.TRANSPORT, Whereabouts.MOUTH)


# -- what they are asked -----------------------------------------------------------------------------------------------


def may_turn_round(tx: Tx, step: StepRow) -> bool:
    """Whether the order can still be undone when this step fails: nothing was handed over, or it can be taken back."""
    steps = steps_of(tx, step.order_id)
    over = handed_over(steps)
    if taken_late(steps):
        return False
    handing = (step.watch or step.no_return) and _takes_back(steps, step.device)
    held = shelving.holds(tx, step.device, step.order_id)
    return not over or (handing and held and all(s.device == step.device for s in over))


def _takes_back(steps: list[StepRow], device: str) -> bool:
    """Whether the machine itself can take the order's item into its bin."""
    return any(s.undo and not s.undo_always and s.device == device for s in steps)


def _is_loose(tx: Tx, step: StepRow) -> bool:
    """Whether the order goes on without this step just as well: its end does not hang on it any more."""
    return step.undo_always if step.undoes else not may_turn_round(tx, step)


def choices_for(tx: Tx, step: StepRow, reason: str) -> list[str]:
    """What a person may decide on a step that needs attention for this reason (ORD-6)."""
    if step.needs_release:
        return ["release", "failed"]
    in_doubt = ["done", "no_effect"] if step.state is Step.IN_DOUBT else []
    if _is_loose(tx, step):
        again = ["again"] if reason != DEADLINE_PASSED else []  # nothing may be armed after it (ORD-1)
        return [*in_doubt, *again, *_INSTEAD]
    can_capture = step.undoes is None and _takes_back(steps_of(tx, step.order_id), step.device)
    once_more = ["no_effect"] if step.state is Step.NO_EFFECT and step.undoes else []
    return [*in_doubt, *once_more, "failed", *(["capture"] if can_capture else [])]


def ask_in_doubt(tx: Tx, step: StepRow, verdict: Verdict) -> OrderRow:
    """The device cannot say what became of it."""
    if step.state is not Step.IN_DOUBT:
        step = change_step(tx, step, Step.IN_DOUBT, verdict=verdict)
    return ask(tx, step, verdict)


def ask(tx: Tx, step: StepRow, verdict: Verdict) -> OrderRow:
    """The order asks for a person. The lane is shut while something may be in the machine (PHY-7), else left free."""
    order = get_order(tx, step.order_id)
    attempt = attempt_id(step, step.armings)
    verdict = named(order, step, verdict)
    own = str(verdict.facts.get("verdict", verdict.reason))  # a cause may be mended while the lane is still shut
    if shelving.shut(tx, step, verdict, attempt):
        if lane_of(tx, step.device).holder == order.id:
            set_lane(tx, LaneRow(step.device))
    elif verdict.lane_shut or step.state is Step.IN_DOUBT or not _is_loose(tx, step):
        set_lane(tx, LaneRow(step.device, holder=order.id, shut=True, reason=own, attempt=attempt))
    elif verdict.item not in _INSIDE:
        free_untouched(tx, step)
    facts: dict[str, Any] = {"attempt": attempt, "step": step.name, "item": verdict.item.value, "device": step.device}
    facts |= {"choices": choices_for(tx, step, verdict.reason), "evidence": dict(verdict.facts)}
    return change_order(tx, order, Order.NEEDS_ATTENTION, reason=verdict.reason, waiting_for="staff", facts=facts)


def asks(tx: Tx, order: OrderRow, step: StepRow, attempt: str) -> bool:
    """Whether this attempt may be decided now: people were asked, or its device is waited for and no item hangs on it.

    Past the point of no return nothing else would end the waiting for a machine that is broken for good.
    """
    if order.step != step.name or attempt_id(step, step.armings) != attempt:
        return False
    if step.needs_release and order.state is Order.WAITING and order.waiting_for == "staff":
        return True
    lacking = order.state is Order.WAITING and order.waiting_for in ("device", "stock") and not step.watch
    return order.state is Order.NEEDS_ATTENTION or (lacking and _is_loose(tx, step))


# -- what they decide --------------------------------------------------------------------------------------------------


def decide(tx: Tx, order: OrderRow, step: StepRow, choice: str, by: By, *, device: str | None = None) -> OrderRow:
    """A person's decision on the step that needs attention; `choice` is one of `choices_for`.

    `device` of `again`: the one that shall do it, of the same role.
    """
    facts = {"decided": choice, "step": step.name, **({"device": device} if device else {})}
    reason = f"decided_{choice}"
    _open_lane(tx, order, step, secured=choice == "failed")
    shelving.decided(tx, step, choice, by)
    if choice == "release":
        step = add_facts(tx, step, {RELEASED_BY: list(by.people)})
        return advance(tx, change_order(tx, order, Order.RUNNING, reason=reason, by=by, facts=facts))
    step = _change(tx, step, choice, Verdict(Outcome.UNKNOWN, reason, Whereabouts.UNKNOWN, {"decided": choice}), by)
    step = allow_attempts(tx, step, 1 if choice in ("no_effect", "again") else 0)
    if choice == "done" and step.undoes:
        compensated(tx, step)
    elif choice in ("failed", "capture"):
        set_goal(tx, order, Goal.FAIL, reason)
    elif choice in _INSTEAD:
        _leave_out(tx, order, step, choice)
    if choice == "capture":
        force_undo(tx, order, step.device)
    if choice in ("again", *_INSTEAD):
        free_untouched(tx, step)
    if device is not None and device != step.device:
        move_step(tx, step, device)
    order = get_order(tx, order.id)
    onward = Order.CANCELLING if order.goal is Goal.CANCEL else Order.RUNNING
    return advance(tx, change_order(tx, order, onward, reason=reason, by=by, facts=facts))


def _open_lane(tx: Tx, order: OrderRow, step: StepRow, *, secured: bool) -> None:
    """Somebody looked at the machine: what the order asked about shuts it no longer."""
    if lane_of(tx, step.device).holder == order.id:
        set_lane(tx, LaneRow(step.device, holder=None if secured else order.id))


def _change(tx: Tx, step: StepRow, choice: str, verdict: Verdict, by: By) -> StepRow:
    if step.state is Step.IN_DOUBT:
        to = {"done": Step.DONE, "no_effect": Step.NO_EFFECT}.get(choice, Step.FAILED)
        return change_step(tx, step, to, verdict=verdict, by=by)
    if step.state in (Step.PENDING, Step.NO_EFFECT) and choice not in ("no_effect", "again"):
        return change_step(tx, step, Step.SKIPPED, verdict=verdict, by=by)
    return step


def _leave_out(tx: Tx, order: OrderRow, step: StepRow, choice: str) -> None:
    add_facts(tx, step, {"instead": choice})
    if step.undoes is None:
        set_goal(tx, order, Goal.PARTLY, f"decided_{choice}")
