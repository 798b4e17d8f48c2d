"""The instructions that concern orders which exist, and the journal: each a function that answers or refuses.

Knows what may be asked and by whom; what it makes of an order is `course`.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from cloud_bridge.envelope import Envelope
from cloud_bridge.messages import (
    Code,
    EventsRequest,
    JournalAdopt,
    OrderCancel,
    OrderHold,
    OrderRelease,
    OrderResolve,
    OrdersRequest,
)
from edge_agent.journal.journal import Tx
from edge_agent.orders import course, listing
from edge_agent.orders.desk import JOURNAL_CHANGED, Desk, Rejected
from edge_agent.orders.record import (
    ORDER_CORRECTED,
    By,
    LaneRow,
    OrderRow,
    StepRow,
    find_order,
    find_step,
    lane_of,
    set_lane,
    steps_of,
)
from edge_agent.orders.states import Goal, Order

MAX_RESEND = 10_000  # events that one events.request may ask for


def _open(desk: Desk, tx: Tx, envelope: Envelope) -> OrderRow:
    order = find_order(tx, envelope.subject) if envelope.subject else None
    if order is None:
        raise Rejected(Code.UNKNOWN_ORDER, f"no order {envelope.subject!r} in this branch: name it in `subject`")
    if order.ended:
        raise Rejected(Code.TERMINAL, f"order {order.id} ended as {order.state}: nothing can change it")
    return order


def cancel(desk: Desk, tx: Tx, envelope: Envelope, data: OrderCancel) -> dict[str, Any]:
    order = _open(desk, tx, envelope)
    if course.past_return(steps_of(tx, order.id)):
        raise Rejected(Code.TOO_LATE, f"order {order.id} is past its point of no return: wait for its end")
    order = course.stop(tx, order, Goal.CANCEL, data.reason or "cancelled_by_centre")
    return {"order": order.id, "result": {"state": order.state.value}}


def hold(desk: Desk, tx: Tx, envelope: Envelope, data: OrderHold) -> dict[str, Any]:
    order = course.hold(tx, _open(desk, tx, envelope), data.reason)
    return {"order": order.id, "result": {"state": order.state.value}}


def release(desk: Desk, tx: Tx, envelope: Envelope, data: OrderRelease) -> dict[str, Any]:
    order = _open(desk, tx, envelope)
    if not order.held:
        raise Rejected(Code.INVALID, f"order {order.id} is not held: there is nothing to release")
    order = course.release(tx, order, data.reason)
    return {"order": order.id, "result": {"state": order.state.value}}


def resolve(desk: Desk, tx: Tx, envelope: Envelope, data: OrderResolve) -> dict[str, Any]:
    order = find_order(tx, envelope.subject) if envelope.subject else None
    step = find_step(tx, order.id, data.step) if order else None
    if order is None or step is None:
        raise Rejected(Code.UNKNOWN_ORDER, f"no order {envelope.subject!r} with a step {data.step!r} in this branch")
    by = _people(envelope, data)
    if order.ended:
        return _correct(desk, tx, order, step, data, by)
    lane = lane_of(tx, step.device)
    if order.state is not Order.NEEDS_ATTENTION or lane.attempt != data.attempt or lane.holder != order.id:
        raise Rejected(
            Code.CONFLICT,
            f"attempt {data.attempt} of order {order.id} does not ask for a decision now: look at it again",
        )
    allowed = course.choices_for(step, steps_of(tx, order.id))
    if data.choice not in allowed:
        raise Rejected(
            Code.INVALID, f"choice {data.choice} does not fit a step {step.state}: choose {', '.join(allowed)}"
        )
    order = course.decide(tx, order, step, data.choice.value, by)
    return {"order": order.id, "result": {"state": order.state.value}}


def _people(envelope: Envelope, data: OrderResolve) -> By:
    """Who decided. ORD-6: what makes safe needs one person, all else two distinct ones, never a scheduler."""
    people = {_spelling(name): name.strip().removeprefix("/people/").strip() for name in data.people}
    scheduler = (
        "" if envelope.source.startswith("/people/") else _spelling(envelope.source.rstrip("/").rsplit("/", 1)[-1])
    )
    if any(not key or "/" in key or key == scheduler for key in people):
        raise Rejected(Code.INVALID, "people: name those who looked at the machine; a scheduler is not one of them")
    if data.choice.value in ("done", "no_effect") and len(people) < 2:
        raise Rejected(
            Code.UNAUTHORIZED, f"choice {data.choice} lets the order go on: two distinct people must decide it"
        )
    return By(tuple(f"/people/{name}" for name in people.values()), authenticated=False)


def _spelling(name: str) -> str:
    """One spelling for each name: full width, case, blanks and invisible characters make no second person."""
    bare = name.strip().removeprefix("/people/")
    return "".join(c for c in unicodedata.normalize("NFKC", bare).casefold() if c.isprintable() and not c.isspace())


def _correct(desk: Desk, tx: Tx, order: OrderRow, step: StepRow, data: OrderResolve, by: By) -> dict[str, Any]:
    """After an end state the state stays and the truth is told (ORD-8)."""
    if not tx.one(
        "SELECT 1 FROM attempts WHERE id = ? AND order_id = ? AND step = ?", data.attempt, order.id, step.name
    ):
        raise Rejected(Code.CONFLICT, f"step {step.name} of order {order.id} has no attempt {data.attempt}: look again")
    members = {
        "order": order.id,
        "step": step.name,
        "attempt": data.attempt,
        "state": order.state.value,
        "truth": data.choice.value,
    }
    tx.emit(ORDER_CORRECTED, order.id, {**members, "reason": data.note or "found_later", **by.members()})
    return {"order": order.id, "result": {"state": order.state.value, "corrected": True}}


def orders(desk: Desk, tx: Tx, envelope: Envelope, data: OrdersRequest) -> dict[str, Any]:
    try:
        return {"result": listing.page(tx, data)}
    except KeyError as error:
        raise Rejected(Code.UNKNOWN_ORDER, f"no order {data.order!r} in this branch") from error
    except ValueError as error:
        raise Rejected(Code.INVALID, str(error)) from error


def events(desk: Desk, tx: Tx, envelope: Envelope, data: EventsRequest) -> dict[str, Any]:
    last = tx.last_seq()
    if data.journal != desk.journal:
        raise Rejected(Code.INVALID, f"journal {data.journal} is not here: this one is {desk.journal}")
    if data.from_ > data.to or data.from_ > last:
        raise Rejected(Code.INVALID, f"no events {data.from_} to {data.to}: this journal has 1 to {last}")
    to = min(data.to, last)
    if to - data.from_ >= MAX_RESEND:
        raise Rejected(Code.INVALID, f"{to - data.from_ + 1} events at once are too many: ask for at most {MAX_RESEND}")
    tx.do("UPDATE outbox SET sent = 0 WHERE seq BETWEEN ? AND ?", data.from_, to)
    tx.set_meta("asked", str(int(tx.meta("asked", "0")) + 1))  # what is under way now must not count as sent (SES-6)
    return {"result": {"from": data.from_, "to": to}}


def adopt_journal(desk: Desk, tx: Tx, envelope: Envelope, data: JournalAdopt) -> dict[str, Any]:
    if data.journal != desk.journal:
        raise Rejected(Code.INVALID, f"journal {data.journal} is not here: this one is {desk.journal}")
    if tx.meta("adopted") == "1":
        raise Rejected(Code.CONFLICT, "this journal is adopted already")
    adopt(tx, data.orders, envelope.source)
    return {"result": {"journal": desk.journal, "orders": len(data.orders)}}


def adopt(tx: Tx, orders: list[str], source: str) -> None:
    """From now on this journal may act; the ids that the centre holds enter the inbox as seen (ORD-12)."""
    reply = json.dumps(
        {
            "instruction": "",
            "status": "rejected",
            "code": "conflict",
            "message": "held by the centre before this journal",
        }
    )
    for order in orders:
        sql = (
            "INSERT OR IGNORE INTO inbox (id, digest, type, subject, source, deadline, time, reply) "
            "VALUES (?, '', 'adopted', ?, ?, NULL, ?, ?)"
        )
        tx.do(sql, order, order, source, tx.now(), reply)
    for row in tx.all("SELECT device FROM lanes WHERE shut = 1 AND reason = 'journal_lost'"):
        set_lane(tx, LaneRow(row["device"]))
    tx.set_meta("adopted", "1")
    tx.emit(JOURNAL_CHANGED, None, {"what": "adopted", "reason": source, "facts": {"orders": len(orders)}})
