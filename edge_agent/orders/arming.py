"""The last word before a machine moves: whether this step may be armed at this very moment (ORD-4).

Knows what speaks against it; must not know how it is done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from device_drivers.device import Arming, Outcome, Verdict
from edge_agent.clock import Clock
from edge_agent.journal.journal import Tx
from edge_agent.orders import shelving, times
from edge_agent.orders.commands import expire
from edge_agent.orders.lost_end import is_doubtful
from edge_agent.orders.outcomes import give_up
from edge_agent.orders.people import ask
from edge_agent.orders.reading import get_order, get_step, lane_of, last_attempt
from edge_agent.orders.record import change_order, change_step, open_attempt, set_lane
from edge_agent.orders.rows import AttemptRow, OrderRow, StepRow
from edge_agent.orders.states import Goal, Order, Step
from edge_agent.orders.turns import AWAITS_CODE, advance, ask_release, wait

_BEFORE_TURN = frozenset({Order.ACCEPTED, Order.SCHEDULED, Order.WAITING, Order.HELD})


@dataclass(frozen=True, slots=True)
class NotNow:
    """Why a step was not armed; nothing happened."""

    reason: str


def arm(
    tx: Tx, order_id: str, step_name: str, arming: Arming, clock: Clock, *, device: str | None = None
) -> AttemptRow | NotNow:
    """Arms an attempt if nothing speaks against it at this very moment (ORD-4); a watch goes on to waiting at once.

    `device`: the one whose readings `arming` holds; people may have given the step to another meanwhile.
    """
    order = get_order(tx, order_id)
    step = get_step(tx, order_id, step_name)
    if order.step != step_name or device not in (None, step.device):
        return NotNow("moved_on")
    if order.state is Order.NEEDS_ATTENTION:  # asked while the device was: what is to be done now is people's to say
        return NotNow("moved_on")
    lane = lane_of(tx, step.device)
    if lane.shut or lane.holder not in (None, order.id):
        return NotNow("lane_shut" if lane.shut else "device_busy")
    if step.undoes is None and not step.watch and (why := _objection(tx, order, step, clock)):
        return NotNow(why)
    step = open_attempt(tx, step, arming)
    shelving.armed(tx, step)
    set_lane(tx, replace(lane, device=step.device, holder=order.id))
    if order.state in _BEFORE_TURN:
        order = change_order(tx, order, Order.CANCELLING if order.goal is Goal.CANCEL else Order.RUNNING)
    if step.watch:
        step = change_step(tx, change_step(tx, step, Step.ACTING), Step.WAITING)
        change_order(tx, order, Order.WAITING, waiting_for=step.waits_for or "device")
    attempt = last_attempt(tx, step)
    assert attempt is not None
    return attempt


def _objection(tx: Tx, order: OrderRow, step: StepRow, clock: Clock) -> str:
    """Why an act of this order must not begin now; its state tells it already when this returns. Empty: none."""
    if not order.goal.forward:
        advance(tx, order)
        return "moved_on"
    if order.held:
        if order.state is not Order.HELD:
            change_order(tx, order, Order.HELD, reason="held")
        return "held"
    if not tx.adopted:
        return wait(tx, order, "device", "journal_new")
    if times.unknown(order, clock):
        return wait(tx, order, "clock", "clock_unknown")
    if is_doubtful(tx, order.id):
        ask(tx, step, Verdict(Outcome.UNKNOWN, "journal_lost"))
        return "moved_on"
    if times.too_late(order, clock):
        expire(tx, order)
        return "expired"
    if step.awaits_code:
        return wait(tx, order, "customer", AWAITS_CODE)
    if times.too_early(order, clock):
        return "too_early"
    return _robbed(tx, step) or (ask_release(tx, order, step) if step.needs_release else "")


def _robbed(tx: Tx, step: StepRow) -> str:
    """Whatever lies in the cell now that it was promised, nobody vouches for it (STO-4)."""
    if step.article is None or shelving.keeps(tx, step):
        return ""
    give_up(tx, step.order_id, step.name, "item_missing", step.lot)
    return "moved_on"
