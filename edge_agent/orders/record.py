"""The rows of orders, steps and attempts, and every change of them with the event that tells it.

One function per change, each inside a caller's transaction (OUT-1). Knows SQL and the state tables; decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from device_drivers.device import Arming, Verdict
from edge_agent.journal.journal import Tx
from edge_agent.orders.states import ENDS, UNSETTLED, Goal, Order, Step, order_change, step_change

ORDER_CHANGED = "branchgate.order.changed.v1"
STEP_CHANGED = "branchgate.step.changed.v1"
ORDER_CORRECTED = "branchgate.order.corrected.v1"
DEVICE_CHANGED = "branchgate.device.changed.v1"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as it stands in the journal."""

    id: str
    n: int
    scene: str
    parameters: dict[str, Any]
    priority: int
    not_before: str | None
    deadline: str | None
    state: Order
    waiting_for: str | None
    reason: str
    goal: Goal
    goal_reason: str
    held: bool
    step: str | None
    device: str | None

    @property
    def ended(self) -> bool:
        return self.state in ENDS


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step as it stands in the journal."""

    order_id: str
    name: str
    position: int
    act: str
    device: str
    undo: str | None
    undoes: str | None
    no_return: bool
    limit_s: float | None
    watch: bool
    waits_for: str | None
    armings: int = 0
    allowed: int = 2  # once more after an evidenced no_effect (ORD-3)
    state: Step = Step.PENDING
    reason: str = ""
    item: str = "unknown"
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One arming of a step."""

    id: str
    order_id: str
    step: str
    device: str
    act: str
    state: Step
    arming: Arming
    mark: int


@dataclass(frozen=True, slots=True)
class LaneRow:
    """What a device's lane remembers: whose item is in the machine, and whether it is shut."""

    device: str
    holder: str | None = None
    shut: bool = False
    reason: str = ""
    attempt: str | None = None


@dataclass(frozen=True, slots=True)
class By:
    """Who decided: declared or proven names, empty for the machine itself."""

    people: tuple[str, ...] = ()
    authenticated: bool = False

    def members(self) -> dict[str, Any]:
        return {"by": list(self.people), "authenticated": self.authenticated} if self.people else {}


MACHINE = By()
_ORDER_COLUMNS = (
    "id, n, scene, parameters, priority, not_before, deadline, state, waiting_for, reason, goal, goal_reason, held, "
    "step, device"
)
_STEP_COLUMNS = (
    "order_id, name, position, act, device, undo, undoes, no_return, limit_s, watch, waits_for, armings, allowed, "
    "state, reason, item, facts"
)
_ATTEMPT_COLUMNS = "id, order_id, step, device, act, state, arming, mark"


def _order(row: Any) -> OrderRow:
    members = dict(row)
    members["parameters"] = json.loads(members["parameters"])
    members["state"], members["goal"], members["held"] = (
        Order(members["state"]),
        Goal(members["goal"]),
        bool(members["held"]),
    )
    return OrderRow(**members)


def _step(row: Any) -> StepRow:
    members = dict(row)
    for flag in ("no_return", "watch"):
        members[flag] = bool(members[flag])
    members["state"], members["facts"] = Step(members["state"]), json.loads(members["facts"])
    return StepRow(**members)


def _attempt(row: Any) -> AttemptRow:
    members = dict(row)
    members["state"], members["arming"] = Step(members["state"]), Arming(json.loads(members["arming"]))
    return AttemptRow(**members)


# -- reading -----------------------------------------------------------------------------------------------------------


def find_order(tx: Tx, order_id: str) -> OrderRow | None:
    row = tx.one(f"SELECT {_ORDER_COLUMNS} FROM orders WHERE id = ?", order_id)
    return _order(row) if row else None


def get_order(tx: Tx, order_id: str) -> OrderRow:
    """Raises KeyError when there is no such order."""
    found = find_order(tx, order_id)
    if found is None:
        raise KeyError(order_id)
    return found


def next_on_device(tx: Tx, device: str, now: str | None) -> OrderRow | None:
    """The order to serve next on this device: by priority, then by acceptance; not the held, not those of later.

    `now` is None while the clock is unknown: then orders with a time of their own are passed over too (INS-5).
    """
    timed = "(not_before IS NULL OR not_before <= :now)" if now else "(not_before IS NULL AND deadline IS NULL)"
    sql = (
        f"SELECT {_ORDER_COLUMNS} FROM orders WHERE device = :device AND step IS NOT NULL AND held = 0 AND {timed} "
        "AND state != 'needs_attention' ORDER BY priority DESC, n LIMIT 1"
    )
    row = tx.db.execute(sql, {"device": device, "now": now}).fetchone()
    return _order(row) if row else None


def orders_at(tx: Tx, device: str) -> list[OrderRow]:
    """Open orders whose turn is at this device, by acceptance."""
    sql = f"SELECT {_ORDER_COLUMNS} FROM orders WHERE device = ? AND step IS NOT NULL ORDER BY n"
    return [_order(row) for row in tx.all(sql, device)]


def queue_is_stale(tx: Tx, device: str) -> bool:
    """Whether orders at this device say something of its lane that is no longer so."""
    shut = lane_of(tx, device).shut
    which = "state IN ('accepted', 'scheduled', 'running')" if shut else "state = 'waiting' AND reason = 'lane_shut'"
    return tx.one(f"SELECT 1 FROM orders WHERE device = ? AND step IS NOT NULL AND {which} LIMIT 1", device) is not None


def timed_orders(tx: Tx) -> list[OrderRow]:
    """Open orders that have a deadline or a time before which they must not begin."""
    timed = "(deadline IS NOT NULL OR not_before IS NOT NULL)"
    sql = f"SELECT {_ORDER_COLUMNS} FROM orders WHERE step IS NOT NULL AND {timed}"
    return [_order(row) for row in tx.all(sql)]


def open_orders(tx: Tx, limit: int = -1, after_n: int = 0) -> list[OrderRow]:
    sql = f"SELECT {_ORDER_COLUMNS} FROM orders WHERE step IS NOT NULL AND n > ? ORDER BY n LIMIT ?"
    return [_order(row) for row in tx.all(sql, after_n, limit)]


def count_open(tx: Tx) -> dict[str, int]:
    return {
        row[0]: row[1] for row in tx.all("SELECT state, count(*) FROM orders WHERE step IS NOT NULL GROUP BY state")
    }


def open_by_device(tx: Tx) -> dict[str, int]:
    return {
        row[0]: row[1] for row in tx.all("SELECT device, count(*) FROM orders WHERE step IS NOT NULL GROUP BY device")
    }


def steps_of(tx: Tx, order_id: str) -> list[StepRow]:
    sql = f"SELECT {_STEP_COLUMNS} FROM steps WHERE order_id = ? ORDER BY position"
    return [_step(row) for row in tx.all(sql, order_id)]


def find_step(tx: Tx, order_id: str, name: str) -> StepRow | None:
    row = tx.one(f"SELECT {_STEP_COLUMNS} FROM steps WHERE order_id = ? AND name = ?", order_id, name)
    return _step(row) if row else None


def get_step(tx: Tx, order_id: str, name: str) -> StepRow:
    """Raises KeyError when there is no such step."""
    found = find_step(tx, order_id, name)
    if found is None:
        raise KeyError(f"{order_id}/{name}")
    return found


def attempts_of(tx: Tx, order_id: str) -> list[AttemptRow]:
    return [
        _attempt(r) for r in tx.all(f"SELECT {_ATTEMPT_COLUMNS} FROM attempts WHERE order_id = ? ORDER BY id", order_id)
    ]


def last_attempt(tx: Tx, step: StepRow) -> AttemptRow | None:
    sql = f"SELECT {_ATTEMPT_COLUMNS} FROM attempts WHERE id = ?"
    row = tx.one(sql, attempt_id(step, step.armings))
    return _attempt(row) if row else None


def unsettled_attempts(tx: Tx, device: str) -> list[AttemptRow]:
    marks = ", ".join(f"'{state}'" for state in sorted(UNSETTLED))
    sql = f"SELECT {_ATTEMPT_COLUMNS} FROM attempts WHERE device = ? AND state IN ({marks}) ORDER BY id"
    return [_attempt(row) for row in tx.all(sql, device)]


def lane_of(tx: Tx, device: str) -> LaneRow:
    row = tx.one("SELECT device, holder, shut, reason, attempt FROM lanes WHERE device = ?", device)
    return (
        LaneRow(row["device"], row["holder"], bool(row["shut"]), row["reason"], row["attempt"])
        if row
        else LaneRow(device)
    )


def notes_after(tx: Tx, device: str, mark: int) -> list[str]:
    return [row[0] for row in tx.all("SELECT kind FROM notes WHERE device = ? AND n > ? ORDER BY n", device, mark)]


def last_presence(tx: Tx, device: str) -> bool | None:
    """Whether a device was last told as being there; None: never told of."""
    sql = (
        "SELECT json_extract(data, '$.state') FROM outbox WHERE subject = ? AND type = ? "
        "AND json_extract(data, '$.state') IN ('online', 'offline') ORDER BY seq DESC LIMIT 1"
    )
    row = tx.one(sql, device, DEVICE_CHANGED)
    return None if row is None else row[0] == "online"


def attempt_id(step: StepRow, k: int) -> str:
    return f"{step.order_id}/{step.name}/{k}"


# -- changing ----------------------------------------------------------------------------------------------------------


def change_order(
    tx: Tx,
    order: OrderRow,
    to: Order,
    *,
    reason: str = "",
    waiting_for: str | None = None,
    by: By = MACHINE,
    facts: Mapping[str, Any] | None = None,
) -> OrderRow:
    """One order goes on to `to`, and an event tells it. Raises ForbiddenChange."""
    order_change(order.state, to)
    sql = "UPDATE orders SET state = ?, waiting_for = ?, reason = ? WHERE id = ?"
    tx.do(sql, to.value, waiting_for, reason, order.id)
    tx.touched |= {order.device} if order.device else set()
    if to in ENDS:
        tx.do("UPDATE orders SET step = NULL, device = NULL WHERE id = ?", order.id)
    data: dict[str, Any] = {"order": order.id, "scene": order.scene, "from": order.state.value, "to": to.value}
    data |= {"reason": reason}
    data |= {
        "waiting_for": waiting_for,
        "step": order.step,
        **by.members(),
        **({"facts": dict(facts)} if facts else {}),
    }
    tx.emit(ORDER_CHANGED, order.id, {key: value for key, value in data.items() if value is not None})
    return get_order(tx, order.id)


def change_step(
    tx: Tx,
    step: StepRow,
    to: Step,
    *,
    verdict: Verdict | None = None,
    by: By = MACHINE,
    attempt: str | None = None,
) -> StepRow:
    """One step (and its newest attempt) goes on to `to`, and an event tells it. Raises ForbiddenChange."""
    step_change(step.state, to)
    reason = verdict.reason if verdict else ""
    item = verdict.item.value if verdict else step.item
    facts = {**step.facts, **(verdict.facts if verdict else {})}
    sql = "UPDATE steps SET state = ?, reason = ?, item = ?, facts = ? WHERE order_id = ? AND name = ?"
    tx.do(sql, to.value, reason, item, json.dumps(facts, ensure_ascii=False), step.order_id, step.name)
    attempt = attempt or (
        attempt_id(step, step.armings) if step.armings and to not in (Step.SKIPPED, Step.COMPENSATED) else None
    )
    if attempt:
        tx.do("UPDATE attempts SET state = ? WHERE id = ?", to.value, attempt)
        if to not in UNSETTLED:
            tx.settled.append(attempt)
    data: dict[str, Any] = {"order": step.order_id, "step": step.name, "attempt": attempt, "act": step.act}
    data |= {"device": step.device}
    data |= {"from": step.state.value, "to": to.value, "reason": reason, "item": item, **by.members()}
    data |= {"facts": dict(verdict.facts) if verdict else None}
    tx.emit(STEP_CHANGED, step.order_id, {key: value for key, value in data.items() if value is not None})
    return get_step(tx, step.order_id, step.name)


def add_step(tx: Tx, step: StepRow) -> None:
    """One step of an order, with nothing of it begun."""
    sql = f"INSERT INTO steps ({_STEP_COLUMNS}) VALUES ({', '.join('?' * 17)})"
    tx.do(
        sql,
        step.order_id,
        step.name,
        step.position,
        step.act,
        step.device,
        step.undo,
        step.undoes,
        int(step.no_return),
        step.limit_s,
        int(step.watch),
        step.waits_for,
        step.armings,
        step.allowed,
        step.state.value,
        step.reason,
        step.item,
        json.dumps(step.facts),
    )


def open_attempt(tx: Tx, step: StepRow, arming: Arming) -> StepRow:
    """Arms a step: a new attempt with its preconditions, in the journal and in the ring (ORD-4, PHY-6)."""
    k = step.armings + 1
    attempt = attempt_id(step, k)
    mark = int((tx.one("SELECT coalesce(max(n), 0) FROM notes WHERE device = ?", step.device) or [0])[0])
    sql = "INSERT INTO attempts (id, order_id, step, device, act, state, arming, mark) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    tx.do(
        sql, attempt, step.order_id, step.name, step.device, step.act, "armed", json.dumps(dict(arming.readings)), mark
    )
    tx.do("UPDATE steps SET armings = ? WHERE order_id = ? AND name = ?", k, step.order_id, step.name)
    tx.armed.append(
        {
            "attempt": attempt,
            "device": step.device,
            "act": step.act,
            "readings": dict(arming.readings),
            "time": tx.now(),
        }
    )
    armed = get_step(tx, step.order_id, step.name)
    return change_step(tx, armed, Step.ARMED, verdict=None)


def set_lane(tx: Tx, lane: LaneRow) -> None:
    """Remembers a lane as it is now."""
    tx.touched.add(lane.device)
    sql = (
        "INSERT INTO lanes (device, holder, shut, reason, attempt) VALUES (?, ?, ?, ?, ?) ON CONFLICT (device) "
        "DO UPDATE SET holder = excluded.holder, shut = excluded.shut, reason = excluded.reason, "
        "attempt = excluded.attempt"
    )
    tx.do(sql, lane.device, lane.holder, int(lane.shut), lane.reason, lane.attempt)


def set_turn(tx: Tx, order: OrderRow, step: StepRow) -> None:
    """Makes `step` the one whose turn it is."""
    tx.do("UPDATE orders SET step = ?, device = ? WHERE id = ?", step.name, step.device, order.id)
    tx.touched.add(step.device)


def set_goal(tx: Tx, order: OrderRow, goal: Goal, reason: str) -> OrderRow:
    """What the order works towards from now on; the first reason to stop is kept."""
    if order.goal is Goal.FINISH:
        tx.do("UPDATE orders SET goal = ?, goal_reason = ? WHERE id = ?", goal.value, reason, order.id)
    return get_order(tx, order.id)


def add_note(tx: Tx, device: str, kind: str, facts: Mapping[str, Any]) -> None:
    """Keeps evidence that a device tells only once (PHY-5), and tells the centre."""
    sql = "INSERT INTO notes (device, kind, facts, time) VALUES (?, ?, ?, ?)"
    tx.do(sql, device, kind, json.dumps(dict(facts)), tx.now())
    tx.emit(DEVICE_CHANGED, device, {"device": device, "state": kind, "reason": kind, "facts": dict(facts)})
