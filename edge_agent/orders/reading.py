"""What the journal holds of orders, steps, attempts and lanes: each question a function inside a caller's transaction.

Knows SQL; changes nothing and decides nothing. Single rows are read once and followed from then on (`tx.row`): whoever
changes one keeps it true there (`record`).
"""

from __future__ import annotations

import json
from typing import Any

from edge_agent.journal.journal import Tx
from edge_agent.orders.rows import (
    ATTEMPT_COLUMNS,
    OF_ORDER,
    ORDER_COLUMNS,
    STEP_COLUMNS,
    AttemptRow,
    LaneRow,
    OrderRow,
    StepRow,
    attempt_id,
    attempt_in,
    order_in,
    step_in,
)
from edge_agent.orders.states import UNSETTLED, Goal
from edge_agent.orders.times import MAY_BEGIN, NEVER, Now

DEVICE_CHANGED = "branchgate.device.changed.v1"


def keep_order(tx: Tx, order: OrderRow) -> OrderRow:
    """As it stands in the journal now."""
    tx.rows["order", order.id] = order
    return order


def find_order(tx: Tx, order_id: str) -> OrderRow | None:
    kept: OrderRow | None = tx.row(("order", order_id))
    if kept is not None:
        return kept
    row = tx.one(f"SELECT {ORDER_COLUMNS} FROM orders WHERE id = ?", order_id)
    return keep_order(tx, order_in(row)) if row else None


def get_order(tx: Tx, order_id: str) -> OrderRow:
    """Raises KeyError when there is no such order."""
    found = find_order(tx, order_id)
    if found is None:
        raise KeyError(order_id)
    return found


_IN_VAIN = (
    "EXISTS (SELECT 1 FROM documents d JOIN steps s ON s.order_n = orders.n AND s.document = d.name "
    "WHERE d.order_id = orders.id AND d.state IN ('wanted', 'fetched') AND d.state = 'wanted' AND d.reason != '' "
    "AND s.name = orders.step)"
)


_AWAITS_CODE = "EXISTS (SELECT 1 FROM steps s WHERE s.order_n = orders.n AND s.name = orders.step AND s.awaits_code)"


_FORWARD = ", ".join(f"'{goal}'" for goal in Goal if goal.forward)


def next_on_device(tx: Tx, device: str, now: Now) -> OrderRow | None:
    """The order to serve next on this device: by priority, then by acceptance; not the held, not those of later.

    One whose document was asked for in vain lets all others pass: an unreachable server must not keep a printer.
    So does one whose customer has not shown the code yet.
    While the clock is unknown, those with times on it are passed over too (INS-5). What an order began is undone
    whatever holds its next act back.
    """
    sql = (
        f"SELECT {ORDER_COLUMNS} FROM orders WHERE device = :device AND step IS NOT NULL "
        f"AND (goal NOT IN ({_FORWARD}) OR (held = 0 AND {MAY_BEGIN})) "
        f"AND state != 'needs_attention' AND NOT (state = 'waiting' AND reason = 'release_needed') "
        f"AND NOT {_AWAITS_CODE} "
        f"ORDER BY {_IN_VAIN}, priority DESC, n LIMIT 1"
    )
    row = tx.db.execute(sql, {"device": device, **now.named()}).fetchone()
    return keep_order(tx, order_in(row)) if row else None


def orders_at(tx: Tx, device: str) -> list[OrderRow]:
    """Open orders whose turn is at this device, by acceptance."""
    sql = f"SELECT {ORDER_COLUMNS} FROM orders WHERE device = ? AND step IS NOT NULL ORDER BY n"
    return [order_in(row) for row in tx.all(sql, device)]


def queue_is_stale(tx: Tx, device: str, now: Now = NEVER) -> bool:
    """Whether orders at this device say something of its lane that is no longer so, or not that they await a code."""
    shut = lane_of(tx, device).shut
    queued = "(state IN ('accepted', 'scheduled', 'running') OR (state = 'waiting' AND reason = 'device_busy'))"
    which = queued if shut else "state = 'waiting' AND reason = 'lane_shut'"
    untold = (
        f"state IN ('accepted', 'scheduled', 'running') AND held = 0 AND {_AWAITS_CODE} "
        f"AND (not_before IS NULL OR {MAY_BEGIN})"
    )
    sql = f"SELECT 1 FROM orders WHERE device = :device AND step IS NOT NULL AND (({which}) OR ({untold})) LIMIT 1"
    return tx.db.execute(sql, {"device": device, **now.named()}).fetchone() is not None


def timed_orders(tx: Tx) -> list[OrderRow]:
    """Open orders that have a deadline or a time before which they must not begin."""
    timed = "(deadline IS NOT NULL OR not_before IS NOT NULL)"
    sql = f"SELECT {ORDER_COLUMNS} FROM orders WHERE step IS NOT NULL AND {timed}"
    return [order_in(row) for row in tx.all(sql)]


def open_orders(tx: Tx, limit: int = -1, after_n: int = 0) -> list[OrderRow]:
    sql = f"SELECT {ORDER_COLUMNS} FROM orders WHERE step IS NOT NULL AND n > ? ORDER BY n LIMIT ?"
    return [order_in(row) for row in tx.all(sql, after_n, limit)]


def count_open(tx: Tx) -> dict[str, int]:
    return {
        row[0]: row[1] for row in tx.all("SELECT state, count(*) FROM orders WHERE step IS NOT NULL GROUP BY state")
    }


def open_by_device(tx: Tx) -> dict[str, int]:
    return {
        row[0]: row[1] for row in tx.all("SELECT device, count(*) FROM orders WHERE step IS NOT NULL GROUP BY device")
    }


def keep_step(tx: Tx, step: StepRow) -> StepRow:
    """As it stands in the journal now."""
    tx.rows["step", step.order_id, step.name] = step
    return step


def steps_of(tx: Tx, order_id: str) -> list[StepRow]:
    names: list[str] | None = tx.row(("steps", order_id))
    if names is None:
        sql = f"SELECT {STEP_COLUMNS} FROM steps WHERE {OF_ORDER} ORDER BY position"
        steps = [keep_step(tx, step_in(row)) for row in tx.all(sql, order_id)]
        tx.rows["steps", order_id] = [step.name for step in steps]
        return steps
    return [get_step(tx, order_id, name) for name in names]


def find_step(tx: Tx, order_id: str, name: str) -> StepRow | None:
    kept: StepRow | None = tx.row(("step", order_id, name))
    if kept is not None:
        return kept
    row = tx.one(f"SELECT {STEP_COLUMNS} FROM steps WHERE {OF_ORDER} AND name = ?", order_id, name)
    return keep_step(tx, step_in(row)) if row else None


def get_step(tx: Tx, order_id: str, name: str) -> StepRow:
    """Raises KeyError when there is no such step."""
    found = find_step(tx, order_id, name)
    if found is None:
        raise KeyError(f"{order_id}/{name}")
    return found


def attempts_of(tx: Tx, order_id: str) -> list[AttemptRow]:
    sql = f"SELECT {ATTEMPT_COLUMNS} FROM attempts WHERE {OF_ORDER} ORDER BY step, length(id), id"
    return [attempt_in(row) for row in tx.all(sql, order_id)]


def keep_attempt(tx: Tx, attempt: AttemptRow) -> AttemptRow:
    """As it stands in the journal now."""
    tx.rows["attempt", attempt.id] = attempt
    return attempt


def find_attempt(tx: Tx, attempt: str) -> AttemptRow | None:
    kept: AttemptRow | None = tx.row(("attempt", attempt))
    if kept is not None:
        return kept
    sql = f"SELECT {ATTEMPT_COLUMNS} FROM attempts WHERE {OF_ORDER} AND id = ?"
    row = tx.one(sql, attempt.partition("/")[0], attempt)
    return keep_attempt(tx, attempt_in(row)) if row else None


def lanes_held_by(tx: Tx, order_id: str) -> list[LaneRow]:
    return [lane_of(tx, row[0]) for row in tx.all("SELECT device FROM lanes WHERE holder = ?", order_id)]


def last_attempt(tx: Tx, step: StepRow) -> AttemptRow | None:
    return find_attempt(tx, attempt_id(step, step.armings))


def unsettled_attempts(tx: Tx, device: str) -> list[AttemptRow]:
    marks = ", ".join(f"'{state}'" for state in sorted(UNSETTLED))
    sql = f"SELECT {ATTEMPT_COLUMNS} FROM attempts WHERE device = ? AND state IN ({marks}) ORDER BY id"
    return [attempt_in(row) for row in tx.all(sql, device)]


def keep_lane(tx: Tx, lane: LaneRow) -> LaneRow:
    """As it stands in the journal now."""
    tx.rows["lane", lane.device] = lane
    return lane


def lane_of(tx: Tx, device: str) -> LaneRow:
    kept: LaneRow | None = tx.row(("lane", device))
    if kept is not None:
        return kept
    row = tx.one("SELECT device, holder, shut, reason, attempt FROM lanes WHERE device = ?", device)
    if row is None:
        return keep_lane(tx, LaneRow(device))
    return keep_lane(tx, LaneRow(row[0], row[1], bool(row[2]), row[3], row[4]))


def shut_lanes(tx: Tx) -> set[str]:
    """The devices whose lanes are shut."""
    return {row[0] for row in tx.all("SELECT device FROM lanes WHERE shut = 1")}


def notes_after(tx: Tx, device: str, mark: int) -> list[str]:
    return [row[0] for row in tx.all("SELECT kind FROM notes WHERE device = ? AND n > ? ORDER BY n", device, mark)]


def memory_text(tx: Tx, device: str) -> str:
    """What the device's driver remembers, as it is written; an empty object when nothing."""
    text: str | None = tx.row(("memory", device))
    if text is None:
        row = tx.one("SELECT memory FROM memories WHERE device = ?", device)
        text = tx.rows["memory", device] = row[0] if row else "{}"
    return text


def memory_of(tx: Tx, device: str) -> dict[str, Any]:
    """What the device's driver remembers; empty when nothing."""
    memory: dict[str, Any] = json.loads(memory_text(tx, device))
    return memory


def last_presence(tx: Tx, device: str) -> bool | None:
    """Whether a device was last told as being there; None: never told of."""
    sql = (
        "SELECT json_extract(data, '$.state') FROM outbox WHERE order_n IS NULL AND subject = ? AND type = ? "
        "AND json_extract(data, '$.state') IN ('online', 'offline') ORDER BY seq DESC LIMIT 1"
    )
    row = tx.one(sql, device, DEVICE_CHANGED)
    return None if row is None else row[0] == "online"
