"""The instructions that concern orders which exist, and their events: each a function that answers or refuses.

Knows what may be asked and by whom; what it makes of an order is `course`.
"""

from __future__ import annotations

from typing import Any

from cloud_bridge.envelope import Envelope
from cloud_bridge.messages.instructions import (
    EventsRequest,
    OrderCancel,
    OrderHold,
    OrderRelease,
    OrderResolve,
    OrdersRequest,
)
from cloud_bridge.messages.words import Choice, Code
from edge_agent.journal.journal import Tx
from edge_agent.orders import course, listing, resending
from edge_agent.orders.approving import Waits, authority, keep, settled
from edge_agent.orders.desk import Desk, Rejected
from edge_agent.orders.reading import find_order, find_step, steps_of
from edge_agent.orders.record import ORDER_CORRECTED
from edge_agent.orders.rows import By, OrderRow, StepRow
from edge_agent.orders.states import Goal

MAX_RESEND = 10_000  # events that one events.request may ask for
REMOVED = "outbox_removed"  # in the journal: up to this seq its events are no longer all there (INS-11)


def _open(desk: Desk, tx: Tx, envelope: Envelope) -> OrderRow:
    order = find_order(tx, envelope.subject) if envelope.subject else None
    if order is None:
        raise Rejected(Code.UNKNOWN_ORDER, "no_order", order=envelope.subject or "-")
    if order.ended:
        raise Rejected(Code.TERMINAL, "order_ended", order=order.id, order_state=order.state.value)
    return order


def cancel(desk: Desk, tx: Tx, envelope: Envelope, data: OrderCancel) -> dict[str, Any]:
    order = _open(desk, tx, envelope)
    if course.past_return(steps_of(tx, order.id)):
        raise Rejected(Code.TOO_LATE, "past_return", order=order.id)
    order = course.stop(tx, order, Goal.CANCEL, data.reason or "cancelled_by_centre")
    return {"order": order.id, "result": {"state": order.state.value}}


def hold(desk: Desk, tx: Tx, envelope: Envelope, data: OrderHold) -> dict[str, Any]:
    order = course.hold(tx, _open(desk, tx, envelope), data.reason)
    return {"order": order.id, "result": {"state": order.state.value}}


def release(desk: Desk, tx: Tx, envelope: Envelope, data: OrderRelease) -> dict[str, Any]:
    order = _open(desk, tx, envelope)
    if not order.held:
        raise Rejected(Code.INVALID, "not_held", order=order.id)
    order = course.release(tx, order, data.reason)
    return {"order": order.id, "result": {"state": order.state.value}}


def resolve(desk: Desk, tx: Tx, envelope: Envelope, data: OrderResolve) -> dict[str, Any]:
    order = find_order(tx, envelope.subject) if envelope.subject else None
    step = find_step(tx, order.id, data.step) if order else None
    if order is None or step is None:
        raise Rejected(Code.UNKNOWN_ORDER, "no_step", order=envelope.subject or "-", step=data.step)
    by = authority(desk, tx, envelope, data)
    if order.ended and isinstance(by, By):
        return _correct(desk, tx, order, step, data, by)
    if not course.asks(tx, order, step, data.attempt):
        raise Rejected(Code.CONFLICT, "asks_nothing", attempt=data.attempt, order=order.id)
    allowed = course.choices_for(tx, step, order.reason)
    if data.choice not in allowed:
        facts = {"choice": data.choice.value, "step_state": step.state.value, "choices": list(allowed)}
        raise Rejected(Code.INVALID, "choice_misfit", **facts)
    device = _other_device(desk, step, data)
    if isinstance(by, Waits):
        keep(desk, tx, order, data, by)
        return {"order": order.id, "result": {"state": order.state.value, "approved": list(by.people), "needed": 2}}
    settled(tx, data.attempt)
    order = course.decide(tx, order, step, data.choice.value, by, device=device)
    return {"order": order.id, "result": {"state": order.state.value}}


def _other_device(desk: Desk, step: StepRow, data: OrderResolve) -> str | None:
    """The device that shall do it again; None: the same one."""
    if data.device is None:
        return None
    if data.choice is not Choice.AGAIN:
        raise Rejected(Code.INVALID, "again_only", choice=data.choice.value)
    place = next((p for p in desk.branch.places if p.device == data.device), None)
    if place is None:
        known = [p.device for p in desk.branch.places if p.role == step.role]
        raise Rejected(Code.UNKNOWN_DEVICE, "no_device_of_role", device=data.device, role=step.role, known=known)
    if place.device != step.device and (place.role != step.role or step.act not in place.acts):
        facts = {"device": place.device, "has": place.role, "step": step.name, "role": step.role, "act": step.act}
        raise Rejected(Code.NO_DEVICE_FOR_ROLE, "device_misfit", **facts)
    return place.device


def _correct(desk: Desk, tx: Tx, order: OrderRow, step: StepRow, data: OrderResolve, by: By) -> dict[str, Any]:
    """After an end state the state stays and the truth is told (ORD-8)."""
    sql = "SELECT 1 FROM attempts WHERE order_n = ? AND id = ? AND step = ?"
    if not tx.one(sql, order.n, data.attempt, step.name):
        raise Rejected(Code.CONFLICT, "no_attempt", step=step.name, order=order.id, attempt=data.attempt)
    members = {
        "order": order.id,
        "step": step.name,
        "attempt": data.attempt,
        "state": order.state.value,
        "truth": data.choice.value,
    }
    tx.emit(ORDER_CORRECTED, order.id, {**members, "reason": data.note or "found_later", **by.members()}, order.n)
    return {"order": order.id, "result": {"state": order.state.value, "corrected": True}}


def orders(desk: Desk, tx: Tx, envelope: Envelope, data: OrdersRequest) -> dict[str, Any]:
    try:
        return {"result": listing.page(tx, data)}
    except KeyError as error:
        raise Rejected(Code.UNKNOWN_ORDER, "no_such_order", order=data.order) from error


def events(desk: Desk, tx: Tx, envelope: Envelope, data: EventsRequest) -> dict[str, Any]:
    first, last = int(tx.meta(REMOVED, "0")) + 1, tx.last_seq()
    if data.journal != desk.journal:
        raise Rejected(Code.INVALID, "other_journal", journal=data.journal, here=desk.journal)
    if not first <= data.from_ <= min(data.to, last):
        facts = {"from": data.from_, "to": data.to, "first": first, "last": last}
        raise Rejected(Code.INVALID, "no_events", **facts)
    to = min(data.to, last)
    if to - data.from_ >= MAX_RESEND:
        raise Rejected(Code.INVALID, "many_events", count=to - data.from_ + 1, most=MAX_RESEND)
    resending.send_again(tx, data.from_, to)
    return {"result": {"from": data.from_, "to": to}}
