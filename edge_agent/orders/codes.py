"""What a scanned code is good for: it opens the one step of the one order that waits for it, at most once.

Knows hashes, orders and the steps that wait for a code; must not know scanners, nor keep the code itself.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Any

from cloud_bridge.envelope import Envelope
from cloud_bridge.messages.instructions import CodeResolve
from cloud_bridge.messages.words import Code
from device_drivers.device import Scan
from edge_agent.clock import Clock
from edge_agent.journal.tx import Tx
from edge_agent.orders import course, times
from edge_agent.orders.desk import Desk, Rejected
from edge_agent.orders.reading import find_order, get_order, steps_of
from edge_agent.orders.record import change_order, open_to_code
from edge_agent.orders.rows import OrderRow, StepRow
from edge_agent.orders.states import Order
from edge_agent.orders.turns import AWAITS_CODE

CODE_SCANNED = "branchgate.code.scanned.v1"
KEPT_SCANS = 100  # that the centre may still answer


class Came(StrEnum):
    """What a scan came to."""

    RELEASED = "released"  # the order goes on
    ALREADY = "already"  # it went on before, by the same code
    ENDED = "ended"  # the order is over
    STOPPED = "stopped"  # it is being undone, or waits for people
    HELD = "held"
    TOO_EARLY = "too_early"
    ELSEWHERE = "elsewhere"  # it is for another machine than this scanner's
    UNKNOWN = "unknown"  # no order here has this code: the centre is asked


def hash_of(code: str) -> str:
    """As `order.submit` names it: SHA-256 of the code's UTF-8 bytes."""
    return hashlib.sha256(code.encode()).hexdigest()


def add_code(tx: Tx, order_id: str, sha256: str) -> None:
    """An order names its customer's code. Raises Rejected where another open one waits for the same."""
    other = _order_of(tx, sha256)
    if other is not None and not other.ended and _closed(tx, other) is not None:
        raise Rejected(Code.CONFLICT, "same_code", order=other.id)
    tx.do("INSERT INTO codes VALUES (?, ?)", order_id, sha256)


def scanned(tx: Tx, clock: Clock, device: str, scan: Scan) -> Came:
    """A code was scanned: what it opens goes on, and one event tells what it came to."""
    sha256 = hash_of(scan.value)
    order = _order_of(tx, sha256)
    came = Came.UNKNOWN if order is None else _judge(tx, clock, order, scan.serves)
    n = _number(tx, device, scan) if came is Came.UNKNOWN else 0
    told: dict[str, Any] = {"device": device, "sha256": sha256, "shown": scan.shown, "result": came.value}
    told |= {"scan": f"{tx.meta('journal')}-c{n}"} if n else {}
    if order is not None:
        told |= {"order": order.id, "state": get_order(tx, order.id).state.value}
    tx.emit(CODE_SCANNED, order.id if order else device, told, order.n if order else None)
    if order is not None and came is Came.RELEASED:
        _open(tx, order, {"scanned_at": device})
    return came


def _order_of(tx: Tx, sha256: str) -> OrderRow | None:
    """The order with that code: the one that is open, else the one that was accepted last."""
    sql = (
        "SELECT o.id FROM codes c JOIN orders o ON o.id = c.order_id WHERE c.sha256 = ? "
        "ORDER BY o.step IS NULL, o.n DESC LIMIT 1"
    )
    row = tx.one(sql, sha256)
    return find_order(tx, row["id"]) if row else None


def _closed(tx: Tx, order: OrderRow) -> StepRow | None:
    """The step that waits for the code still."""
    return next((step for step in steps_of(tx, order.id) if step.awaits_code), None)


def _judge(tx: Tx, clock: Clock, order: OrderRow, serves: tuple[str, ...]) -> Came:
    """Whether the order may go on by this scan now. One whose deadline has passed ends here."""
    if not order.ended and times.too_late(order, clock):
        order = course.expire(tx, order) if _queued(tx, order) else order
    if order.ended:
        return Came.ENDED
    step = _closed(tx, order)
    if step is None:
        return Came.ALREADY
    if not order.goal.forward or order.state is Order.NEEDS_ATTENTION:
        return Came.STOPPED
    if order.held:
        return Came.HELD
    if times.too_early(order, clock) and not times.unknown(order, clock):
        return Came.TOO_EARLY
    return Came.ELSEWHERE if serves and step.device not in serves else Came.RELEASED


def _queued(tx: Tx, order: OrderRow) -> bool:
    """Whether it stands before the very step that waits for the code: nothing of it is under way."""
    step = _closed(tx, order)
    return step is not None and order.step == step.name and order.goal.forward and not order.held


def _open(tx: Tx, order: OrderRow, facts: dict[str, Any]) -> None:
    step = _closed(tx, order)
    assert step is not None
    open_to_code(tx, step)
    order = get_order(tx, order.id)
    if order.step == step.name and order.state is Order.WAITING and order.reason == AWAITS_CODE:
        begun = any(s.armings for s in steps_of(tx, order.id))
        change_order(tx, order, Order.RUNNING if begun else Order.SCHEDULED, reason="code_scanned", facts=facts)


def _number(tx: Tx, device: str, scan: Scan) -> int:
    """A scan that the centre is asked about; the oldest of many are forgotten."""
    n = tx.do("INSERT INTO scans (device, serves) VALUES (?, ?)", device, json.dumps(scan.serves))
    tx.do("DELETE FROM scans WHERE n <= ?", n - KEPT_SCANS)
    return n


# -- the centre's answer -----------------------------------------------------------------------------------------------

_WHY_NOT = {
    Came.ALREADY: (Code.CONFLICT, "code_not_awaited"),
    Came.ENDED: (Code.TERMINAL, "code_of_ended"),
    Came.STOPPED: (Code.CONFLICT, "code_of_stopped"),
    Came.HELD: (Code.CONFLICT, "code_of_held"),
    Came.TOO_EARLY: (Code.CONFLICT, "code_too_early"),
    Came.ELSEWHERE: (Code.CONFLICT, "code_elsewhere"),
}


def resolve(desk: Desk, tx: Tx, envelope: Envelope, data: CodeResolve) -> dict[str, Any]:
    """`code.resolve`: the centre says which order an unknown code is of, or that it is nobody's. Once for each scan."""
    head, _, tail = data.scan.rpartition("-c")
    n = int(tail) if head == desk.journal and tail.isascii() and tail.isdigit() and len(tail) < 19 else 0
    row = tx.one("SELECT serves FROM scans WHERE n = ?", n)
    if row is None:
        raise Rejected(Code.CONFLICT, "scan_closed", scan=data.scan[:80])
    if data.order is not None:
        order = find_order(tx, data.order)
        if order is None:
            raise Rejected(Code.UNKNOWN_ORDER, "no_order_of_code", order=data.order)
        came = _judge(tx, desk.clock, order, tuple(json.loads(row["serves"])))
        if came is not Came.RELEASED:
            code, reason = _WHY_NOT[came]
            raise Rejected(code, reason, order=order.id)
        _open(tx, order, {"scan": data.scan})
    tx.do("DELETE FROM scans WHERE n = ?", n)
    return {"order": data.order} if data.order is not None else {}
