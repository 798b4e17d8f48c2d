"""What the pages read of the journal: each question a function inside a caller's transaction.

Knows SQL and rows; changes nothing, and knows nothing of how anything is shown.
"""

# ruff: noqa: S608  # only our own conditions are joined into SQL; values are always bound

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_agent.clock import Clock
from edge_agent.custody.stock import STOCK_CHANGED
from edge_agent.journal.tx import Tx
from edge_agent.orders.approving import HOLDS_S
from edge_agent.orders.desk import JOURNAL_CHANGED
from edge_agent.orders.people import asks, choices_for
from edge_agent.orders.reading import DEVICE_CHANGED, find_order, find_step, get_order
from edge_agent.orders.record import ORDER_CHANGED, ORDER_CORRECTED, STEP_CHANGED
from edge_agent.orders.rows import OF_ORDER, OrderRow, StepRow, attempt_id
from edge_agent.orders.states import Order

MOST = 200  # questions or waits shown at once: more than a hall of people could settle
PAGE = 50
TOLD = (ORDER_CHANGED, STEP_CHANGED, ORDER_CORRECTED, DEVICE_CHANGED, STOCK_CHANGED, JOURNAL_CHANGED)


@dataclass(frozen=True, slots=True)
class Approval:
    """One of two has decided; a second is waited for."""

    person: str
    choice: str
    left_s: float


@dataclass(frozen=True, slots=True)
class Question:
    """What people are asked of one step (ORD-6)."""

    order: OrderRow
    step: StepRow
    attempt: str
    choices: tuple[str, ...]
    since: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()

    @property
    def urgent(self) -> bool:
        """Nothing goes on by itself here; else it may, and people may also decide."""
        return self.order.state is Order.NEEDS_ATTENTION or self.step.needs_release


@dataclass(frozen=True, slots=True)
class Wait:
    """An order that waits, since when."""

    order: OrderRow
    since: str


def questions(tx: Tx, clock: Clock) -> list[Question]:
    """Everything that people may decide now: what cannot go on without them first."""
    sql = (
        "SELECT id FROM orders WHERE step IS NOT NULL AND (state = ? OR (state = ? AND waiting_for IN "
        "('staff', 'device', 'stock'))) ORDER BY n LIMIT ?"
    )
    ids = [row["id"] for row in tx.all(sql, Order.NEEDS_ATTENTION, Order.WAITING, MOST)]
    found = [question for one in ids if (question := question_of(tx, clock, get_order(tx, one)))]
    return sorted(found, key=lambda question: not question.urgent)


def question_of(tx: Tx, clock: Clock, order: OrderRow) -> Question | None:
    """What is asked of this order now; None: nothing."""
    step = find_step(tx, order.id, order.step) if order.step else None
    if step is None:
        return None
    attempt = attempt_id(step, step.armings)
    if not asks(tx, order, step, attempt):
        return None
    since, data = _asked(tx, order.id)
    evidence = dict(data.get("facts", {}).get("evidence") or {})
    choices = tuple(choices_for(tx, step, order.reason))
    return Question(order, step, attempt, choices, since, evidence, _approvals(tx, clock, attempt))


def _asked(tx: Tx, order: str) -> tuple[str, dict[str, Any]]:
    """When the order came to stand as it does, and what was told then."""
    sql = f"SELECT time, data FROM outbox WHERE {OF_ORDER} AND type = ? ORDER BY seq DESC LIMIT 1"
    row = tx.one(sql, order, ORDER_CHANGED)
    return (row["time"], json.loads(row["data"])) if row else ("", {})


def _approvals(tx: Tx, clock: Clock, attempt: str) -> tuple[Approval, ...]:
    rows = tx.all(
        "SELECT person, choice, steady_s FROM approvals WHERE attempt = ? AND boot = ?", attempt, clock.boot()
    )
    left = [(row, HOLDS_S - (clock.steady() - row["steady_s"])) for row in rows]
    return tuple(Approval(row["person"], row["choice"], left_s) for row, left_s in left if 0 < left_s <= HOLDS_S)


def waits(tx: Tx) -> list[Wait]:
    """Open orders that wait for somebody or something, by acceptance."""
    sql = "SELECT id FROM orders WHERE step IS NOT NULL AND state IN (?, ?, ?, ?) ORDER BY n LIMIT ?"
    states = (Order.ACCEPTED, Order.SCHEDULED, Order.WAITING, Order.HELD)
    orders = [get_order(tx, row["id"]) for row in tx.all(sql, *states, MOST)]
    return [Wait(order, _asked(tx, order.id)[0]) for order in orders]


def running(tx: Tx) -> list[OrderRow]:
    """Open orders that something is done for at this moment."""
    sql = "SELECT id FROM orders WHERE step IS NOT NULL AND state IN (?, ?) ORDER BY n LIMIT ?"
    return [get_order(tx, row["id"]) for row in tx.all(sql, Order.RUNNING, Order.CANCELLING, MOST)]


def latest(tx: Tx, count: int) -> list[dict[str, Any]]:
    """The newest events of those that people read, newest first."""
    marks = ", ".join("?" * len(TOLD))
    sql = f"SELECT seq, type, time, data FROM outbox WHERE type IN ({marks}) ORDER BY seq DESC LIMIT ?"
    return [_event(row) for row in tx.all(sql, *TOLD, count)]


def _event(row: Any) -> dict[str, Any]:
    noun = row["type"].removeprefix("branchgate.").removesuffix(".v1")
    members = dict.fromkeys(("order", "device", "cell", "step", "act", "to", "truth", "state", "what", "reason"), "")
    return {**members, **json.loads(row["data"]), "seq": row["seq"], "noun": noun, "time": row["time"]}


def counts_of(tx: Tx, device: str) -> list[dict[str, Any]]:
    """What the device counted in this hour, as far as it is kept."""
    sql = "SELECT hour, name, unit, sum FROM tallies WHERE device = ? ORDER BY hour DESC, name LIMIT 20"
    return [dict(row) for row in tx.all(sql, device)]


def inputs_of(tx: Tx, device: str) -> dict[str, str]:
    return {row["name"]: row["word"] for row in tx.all("SELECT name, word FROM inputs WHERE device = ?", device)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders somebody looks for."""

    words: str = ""
    states: Sequence[str] = ()
    before: int | None = None  # their number: the page behind
    customers: bool = False  # whether a customer's reference may be looked for as well


@dataclass(frozen=True, slots=True)
class Line:
    """An order in the list, with its customer's reference, and since when it stands as it does."""

    order: OrderRow
    customer: str
    since: str


def find(tx: Tx, wanted: Wanted) -> list[Line]:
    """Newest first, one more than PAGE where there are more."""
    asked: list[str] = ["n < ?"]
    values: list[Any] = [wanted.before if wanted.before is not None else 2**62]
    if wanted.words:
        like = "%" + wanted.words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        names = ["id LIKE ? ESCAPE '\\'", "scene LIKE ? ESCAPE '\\'"]
        names += ["customer = ?"] if wanted.customers else []
        asked.append(f"({' OR '.join(names)})")
        values += [like, like, *([wanted.words] if wanted.customers else [])]
    if wanted.states:
        asked.append(f"state IN ({', '.join('?' * len(wanted.states))})")
        values += wanted.states
    sql = f"SELECT id, customer FROM orders WHERE {' AND '.join(asked)} ORDER BY n DESC LIMIT ?"
    return [
        Line(get_order(tx, row["id"]), row["customer"], _asked(tx, row["id"])[0])
        for row in tx.all(sql, *values, PAGE + 1)
    ]


def customer_of(tx: Tx, order: str) -> str:
    row = tx.one("SELECT customer FROM orders WHERE id = ?", order)
    return str(row["customer"]) if row else ""


def documents_of(tx: Tx, order: str) -> list[dict[str, Any]]:
    """Name, state and reason of each document; never its address."""
    return [dict(row) for row in tx.all("SELECT name, state, reason FROM documents WHERE order_id = ?", order)]


def known(tx: Tx, order: str) -> OrderRow | None:
    return find_order(tx, order)


def latest_of(tx: Tx, device: str) -> list[dict[str, Any]]:
    """What happened last at one machine, newest first."""
    about = "order_n IS NULL AND subject = ? AND type IN (?, ?)"
    sql = f"SELECT seq, type, time, data FROM outbox WHERE {about} ORDER BY seq DESC LIMIT 20"
    return [_event(row) for row in tx.all(sql, device, DEVICE_CHANGED, STOCK_CHANGED)]
