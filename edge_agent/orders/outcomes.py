"""What an attempt came to: the step's new state, its lane's, and what its order makes of it.

Knows verdicts, early and late; where they come from is the lane's affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from device_drivers.device import Outcome, Verdict, Whereabouts
from edge_agent.journal.journal import Tx
from edge_agent.orders.causes import named
from edge_agent.orders.holding import free_untouched, note_whereabouts
from edge_agent.orders.lacking import can_lack, go_without
from edge_agent.orders.late import correct
from edge_agent.orders.people import ask, ask_in_doubt, may_turn_round
from edge_agent.orders.reading import find_attempt, get_order, get_step, lane_of
from edge_agent.orders.record import allow_attempts, change_order, change_step, set_goal, set_lane
from edge_agent.orders.rows import AttemptRow, LaneRow, OrderRow, StepRow, attempt_id
from edge_agent.orders.states import UNSETTLED, Goal, Order, Step
from edge_agent.orders.turns import advance
from edge_agent.orders.undoing import compensated


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


def settle_attempt(tx: Tx, attempt: str, verdict: Verdict) -> OrderRow:
    """What an attempt came to, by evidence; if people decided it meanwhile, that stays and the truth is told."""
    row = find_attempt(tx, attempt)
    assert row is not None, attempt
    step = get_step(tx, row.order_id, row.step)
    if attempt_id(step, step.armings) == attempt and step.state in UNSETTLED:
        return settle(tx, step.order_id, step.name, verdict)
    if verdict.outcome is not Outcome.UNKNOWN:
        correct(tx, row, verdict)
    return get_order(tx, row.order_id)


def prove(tx: Tx, attempt: str, verdict: Verdict) -> None:
    """Evidence that came late and unasked: it settles the attempt if that is still in doubt, else corrects it (ORD-8).

    An order that asked people about it goes on.
    """
    row = find_attempt(tx, attempt)
    if row is None or verdict.outcome is Outcome.UNKNOWN:
        return
    order, lane = get_order(tx, row.order_id), lane_of(tx, row.device)
    if row.state is Step.IN_DOUBT and order.state is Order.NEEDS_ATTENTION:
        if lane.attempt == attempt:
            set_lane(tx, LaneRow(row.device, holder=order.id))
        onward = Order.CANCELLING if order.goal is Goal.CANCEL else Order.RUNNING
        change_order(tx, order, onward, reason=verdict.reason)
    settle_attempt(tx, attempt, verdict)


def settle(tx: Tx, order_id: str, step_name: str, verdict: Verdict) -> OrderRow:
    """What the step's newest attempt came to, by evidence: its new state, the lane's, and the order's course."""
    step = get_step(tx, order_id, step_name)
    if step.state not in UNSETTLED:
        return get_order(tx, order_id)
    if step.state is Step.ARMED and verdict.outcome is not Outcome.UNKNOWN:
        step = change_step(tx, step, Step.ACTING)
    if verdict.outcome is Outcome.UNKNOWN:
        return ask_in_doubt(tx, step, verdict)
    verdict = named(get_order(tx, order_id), step, verdict)
    step = change_step(tx, step, Step(verdict.outcome.value), verdict=verdict)
    note_whereabouts(tx, step, verdict)
    if verdict.outcome is Outcome.DONE:
        return _done(tx, step, verdict)
    if verdict.outcome is Outcome.NO_EFFECT:
        return _no_effect(tx, step, verdict)
    return _failed(tx, step, verdict)


def _done(tx: Tx, step: StepRow, verdict: Verdict) -> OrderRow:
    order = get_order(tx, step.order_id)
    if step.undoes:
        compensated(tx, step)
    elif verdict.item is Whereabouts.BIN:  # the machine took it back by itself
        set_goal(tx, order, Goal.FAIL, verdict.reason)
    return advance(tx, order)


def _no_effect(tx: Tx, step: StepRow, verdict: Verdict) -> OrderRow:
    order = get_order(tx, step.order_id)
    free_untouched(tx, step)
    if step.armings < step.allowed and order.goal.forward:
        return advance(tx, order)  # it keeps its turn and is armed once more
    if step.undoes:
        return order if step.armings < step.allowed else ask(tx, step, verdict)
    return _given_up(tx, step, verdict)


def _failed(tx: Tx, step: StepRow, verdict: Verdict) -> OrderRow:
    order = get_order(tx, step.order_id)
    wanted = order.goal.forward or step.undoes is not None
    if step.repeatable and step.armings < step.allowed and wanted and not verdict.lane_shut:
        free_untouched(tx, step)
        return advance(tx, order)  # doing it once more is harmless: it is marked as a repeat (ORD-3)
    step = allow_attempts(tx, step, 0)
    if verdict.lane_shut or step.undoes:
        return ask(tx, step, verdict)
    return _given_up(tx, step, verdict)


def _given_up(tx: Tx, step: StepRow, verdict: Verdict) -> OrderRow:
    """The step will not come about by itself: the order turns round, or people choose where it cannot."""
    order = get_order(tx, step.order_id)
    if can_lack(tx, order, step):
        return go_without(tx, order, step, verdict.reason)
    if order.goal.forward and not may_turn_round(tx, step):
        return ask(tx, step, verdict)
    set_goal(tx, order, Goal.FAIL, verdict.reason)
    return advance(tx, order)


def unneeded(tx: Tx, order_id: str, step_name: str, verdict: Verdict, *, device: str | None = None) -> OrderRow:
    """Arming found that the act is needless: nothing is sent, the reading stands for it.

    `device`: the one that was read; people may have given the step to another meanwhile. So with `give_up`.
    """
    order, step = get_order(tx, order_id), get_step(tx, order_id, step_name)
    if not _may_arm(order, step, device):
        return order
    if step.state is Step.FAILED:
        return _failed(tx, allow_attempts(tx, step, 0), verdict)  # it was to be done once more, and cannot be
    if verdict.outcome is Outcome.UNKNOWN:
        return ask(tx, step, verdict)
    if order.state in (Order.ACCEPTED, Order.SCHEDULED):  # its turn came, though nothing had to be armed for it
        change_order(tx, order, Order.RUNNING)
    step = change_step(tx, step, Step.SKIPPED, verdict=verdict)
    note_whereabouts(tx, step, verdict)
    if step.undoes:
        compensated(tx, step)
    return advance(tx, order)


def _may_arm(order: OrderRow, step: StepRow, device: str | None) -> bool:
    """Whether it is still this step's turn, at this device, and nothing of it is under way."""
    not_begun = step.state in (Step.PENDING, Step.NO_EFFECT, Step.FAILED)
    return order.step == step.name and device in (None, step.device) and not_begun


def give_up(
    tx: Tx,
    order_id: str,
    step_name: str,
    reason: str,
    why: Mapping[str, Any] | None = None,
    *,
    device: str | None = None,
) -> OrderRow:
    """It will always be refused, `why` says what is to be mended: the step is not armed (again). Nothing was sent."""
    order, step = get_order(tx, order_id), get_step(tx, order_id, step_name)
    if not _may_arm(order, step, device):
        return order
    # People are told of the newest attempt, if there was one: what that one sent is not what is refused now.
    verdict = Verdict(Outcome.NO_EFFECT, reason, facts={**({} if step.armings else {"sent": False}), **(why or {})})
    if can_lack(tx, order, step):
        return go_without(tx, order, step, reason)
    if step.undoes or (order.goal.forward and not may_turn_round(tx, step)):
        return ask(tx, allow_attempts(tx, step, 0), verdict)
    if step.state is Step.FAILED:
        allow_attempts(tx, step, 0)
    else:
        change_step(tx, step, Step.SKIPPED, verdict=verdict)
    free_untouched(tx, step)
    set_goal(tx, order, Goal.FAIL, reason)
    return advance(tx, order)
