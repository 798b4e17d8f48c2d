"""Every change of orders, steps, attempts and lanes, with the event that tells it.

One function per change, each inside a caller's transaction (OUT-1). Knows SQL and the state tables; decides nothing.
Only here are their rows changed: whoever has read one goes on with what was made of it (`tx.rows`), in this transaction
and in the next.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from device_drivers.device import Arming, Verdict
from edge_agent.journal.journal import Tx
from edge_agent.orders.reading import (
    DEVICE_CHANGED,
    get_order,
    get_step,
    keep_attempt,
    keep_lane,
    keep_order,
    keep_step,
    memory_of,
    steps_of,
)
from edge_agent.orders.rows import (
    MACHINE,
    OF_ORDER,
    STEP_COLUMNS,
    AttemptRow,
    By,
    LaneRow,
    OrderRow,
    StepRow,
    attempt_id,
)
from edge_agent.orders.states import ENDS, UNSETTLED, Goal, Order, Step, order_change, step_change

ORDER_CHANGED = "branchgate.order.changed.v1"
STEP_CHANGED = "branchgate.step.changed.v1"
ORDER_CORRECTED = "branchgate.order.corrected.v1"
_json = json.JSONEncoder(ensure_ascii=False).encode
_ADD_STEP = (
    f"INSERT INTO steps (order_n, {STEP_COLUMNS}) "
    f"VALUES ((SELECT n FROM orders WHERE id = ?), {', '.join('?' * len(StepRow._fields))})"
)


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
    now = get_order(tx, order.id)._replace(state=to, waiting_for=waiting_for, reason=reason)
    tx.do("UPDATE orders SET state = ?, waiting_for = ?, reason = ? WHERE n = ?", to.value, waiting_for, reason, now.n)
    if to in ENDS:  # apart: indexes hold these
        now = now._replace(step=None, device=None)
        tx.do("UPDATE orders SET step = NULL, device = NULL WHERE n = ?", now.n)
    keep_order(tx, now)
    tx.touched |= {order.device} if order.device else set()
    data: dict[str, Any] = {"order": order.id, "scene": order.scene, "from": order.state.value, "to": to.value}
    data |= {"reason": reason}
    data |= {
        "waiting_for": waiting_for,
        "step": order.step,
        **by.members(),
        **({"facts": dict(facts)} if facts else {}),
    }
    tx.emit(ORDER_CHANGED, order.id, {key: value for key, value in data.items() if value is not None}, order.n)
    return now


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
    remember(tx, step.device, verdict.memory if verdict else {})
    reason = verdict.reason if verdict else ""
    item = verdict.item.value if verdict else step.item
    facts = {**step.facts, **(verdict.facts if verdict else {})}
    text = _json(facts)
    now = get_step(tx, step.order_id, step.name)._replace(state=to, reason=reason, item=item, facts=json.loads(text))
    sql = f"UPDATE steps SET armings = ?, state = ?, reason = ?, item = ?, facts = ? WHERE {OF_ORDER} AND name = ?"
    tx.do(sql, now.armings, to.value, reason, item, text, step.order_id, step.name)
    keep_step(tx, now)
    attempt = attempt or (
        attempt_id(step, step.armings) if step.armings and to not in (Step.SKIPPED, Step.COMPENSATED) else None
    )
    if attempt and to is not Step.ARMED:  # it was begun as armed
        sql = f"UPDATE attempts SET state = ?, decided = ? WHERE {OF_ORDER} AND id = ?"
        tx.do(sql, to.value, int(bool(by.people)), step.order_id, attempt)
        if (row := tx.row(("attempt", attempt))) is not None:
            keep_attempt(tx, row._replace(state=to, decided=bool(by.people)))
        if to not in UNSETTLED:
            tx.settled.append(attempt)
    data: dict[str, Any] = {"order": step.order_id, "step": step.name, "attempt": attempt, "act": step.act}
    data |= {"device": step.device}
    data |= {"from": step.state.value, "to": to.value, "reason": reason, "item": item, **by.members()}
    data |= {"facts": dict(verdict.facts) if verdict else (step.lot or None) if to is Step.ARMED else None}
    order_n = get_order(tx, step.order_id).n
    tx.emit(STEP_CHANGED, step.order_id, {key: value for key, value in data.items() if value is not None}, order_n)
    return now


def add_steps(tx: Tx, steps: Sequence[StepRow]) -> None:
    """All steps of a new order, in their turn."""
    for step in steps:
        add_step(tx, step)
    tx.rows["steps", steps[0].order_id] = [step.name for step in steps]


def add_step(tx: Tx, step: StepRow) -> None:
    """One step more of an order, with nothing of it begun."""
    written = {"state": step.state.value, "facts": _json(step.facts)}
    tx.do(_ADD_STEP, step.order_id, *(written.get(name, value) for name, value in step._asdict().items()))
    keep_step(tx, step)
    tx.rows["steps", step.order_id] = None  # there is one more


def open_attempt(tx: Tx, step: StepRow, arming: Arming) -> StepRow:
    """Arms a step: a new attempt with its preconditions, in the journal and in the ring (ORD-4, PHY-6)."""
    k = step.armings + 1
    attempt = attempt_id(step, k)
    mark = int((tx.one("SELECT coalesce(max(n), 0) FROM notes WHERE device = ?", step.device) or [0])[0])
    sql = (
        "INSERT INTO attempts (order_n, id, order_id, step, device, act, state, arming, mark) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    named = (attempt, step.order_id, step.name, step.device, step.act)
    tx.do(
        sql, get_order(tx, step.order_id).n, *named, Step.ARMED.value, text := json.dumps(dict(arming.readings)), mark
    )
    keep_attempt(tx, AttemptRow(*named, Step.ARMED, Arming(json.loads(text)), mark))
    armed = keep_step(tx, get_step(tx, step.order_id, step.name)._replace(armings=k))  # written with its new state
    remember(tx, step.device, arming.memory)
    tx.armed.append(
        {
            "attempt": attempt,
            "device": step.device,
            "act": step.act,
            "readings": dict(arming.readings),
            "memory": dict(arming.memory),  # what may lie in the machine must not be forgotten with the journal
            "time": tx.now(),
            "after": tx.last_seq(),  # which of two came later: clocks may lie
        }
    )
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
    keep_lane(tx, lane)


def set_turn(tx: Tx, order: OrderRow, step: StepRow) -> None:
    """Makes `step` the one whose turn it is."""
    tx.touched.add(step.device)
    now = get_order(tx, order.id)
    if (now.step, now.device) != (step.name, step.device):
        tx.do("UPDATE orders SET step = ?, device = ? WHERE n = ?", step.name, step.device, now.n)
        keep_order(tx, now._replace(step=step.name, device=step.device))


def set_goal(tx: Tx, order: OrderRow, goal: Goal, reason: str) -> OrderRow:
    """What the order works towards from now on; the first reason to stop is kept."""
    if order.goal.forward:
        tx.do("UPDATE orders SET goal = ?, goal_reason = ? WHERE id = ?", goal.value, reason, order.id)
        keep_order(tx, get_order(tx, order.id)._replace(goal=goal, goal_reason=reason))
    return get_order(tx, order.id)


def set_held(tx: Tx, order: OrderRow, *, held: bool) -> OrderRow:
    """No act of it is begun while it is held."""
    tx.do("UPDATE orders SET held = ? WHERE id = ?", int(held), order.id)
    return keep_order(tx, get_order(tx, order.id)._replace(held=held))


def turn_forward(tx: Tx, order: OrderRow) -> OrderRow:
    """It was fulfilled at the last moment: what it works towards is its end again."""
    left = any("instead" in step.facts and not step.undoes for step in steps_of(tx, order.id))
    goal = Goal.PARTLY if left else Goal.FINISH
    tx.do("UPDATE orders SET goal = ?, goal_reason = '' WHERE id = ?", goal.value, order.id)
    return keep_order(tx, get_order(tx, order.id)._replace(goal=goal, goal_reason=""))


def allow_attempts(tx: Tx, step: StepRow, more: int) -> StepRow:
    """It may be armed so many times more."""
    now = get_step(tx, step.order_id, step.name)
    now = now._replace(allowed=now.armings + more)
    tx.do(f"UPDATE steps SET allowed = ? WHERE {OF_ORDER} AND name = ?", now.allowed, step.order_id, step.name)
    return keep_step(tx, now)


def open_to_code(tx: Tx, step: StepRow) -> StepRow:
    """Its customer's code was scanned: it waits for it no more."""
    tx.do(f"UPDATE steps SET awaits_code = 0 WHERE {OF_ORDER} AND name = ?", step.order_id, step.name)
    tx.touched.add(step.device)
    return keep_step(tx, get_step(tx, step.order_id, step.name)._replace(awaits_code=False))


def add_facts(tx: Tx, step: StepRow, facts: Mapping[str, Any]) -> StepRow:
    """What is known of a step beside its evidence; the change of its order tells it."""
    joined = _json({**step.facts, **facts})
    tx.do(f"UPDATE steps SET facts = ? WHERE {OF_ORDER} AND name = ?", joined, step.order_id, step.name)
    return keep_step(tx, get_step(tx, step.order_id, step.name)._replace(facts=json.loads(joined)))


def move_step(tx: Tx, step: StepRow, device: str) -> StepRow:
    """Another device takes over the step, and what of it comes after on the same device."""
    later = "position > ? AND role = ? AND device = ? AND state = 'pending' AND undoes IS NULL"
    sql = f"UPDATE steps SET device = ? WHERE {OF_ORDER} AND (name = ? OR ({later}))"
    tx.do(sql, device, step.order_id, step.name, step.position, step.role, step.device)
    tx.forget_rows()
    return get_step(tx, step.order_id, step.name)


def remember(tx: Tx, device: str, memory: Mapping[str, Any]) -> None:
    """Joins members to what the device's driver remembers; a member that is None is forgotten."""
    if not memory:
        return
    joined = {key: value for key, value in {**memory_of(tx, device), **memory}.items() if value is not None}
    sql = "INSERT INTO memories VALUES (?, ?) ON CONFLICT (device) DO UPDATE SET memory = excluded.memory"
    tx.do(sql, device, text := _json(joined))
    tx.rows["memory", device] = text


def add_note(tx: Tx, device: str, kind: str, facts: Mapping[str, Any]) -> None:
    """Keeps evidence that a device tells only once (PHY-5), and tells the centre."""
    sql = "INSERT INTO notes (device, kind, facts, time) VALUES (?, ?, ?, ?)"
    tx.do(sql, device, kind, json.dumps(dict(facts)), tx.now())
    tx.emit(DEVICE_CHANGED, device, {"device": device, "state": kind, "reason": kind, "facts": dict(facts)})
