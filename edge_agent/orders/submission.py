"""A new order: refused with a reason, or bound to devices and written with its steps.

Knows `order.submit` only; what happens to the order afterwards is `course`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cloud_bridge.envelope import Envelope, rfc3339
from cloud_bridge.messages import Code, OrderSubmit
from device_drivers.device import ActKind
from edge_agent.journal.journal import Tx
from edge_agent.orders import listing
from edge_agent.orders.desk import Desk, Place, Rejected
from edge_agent.orders.record import (
    ORDER_CHANGED,
    StepRow,
    add_step,
    change_order,
    find_order,
    get_order,
    lane_of,
    open_by_device,
)
from edge_agent.orders.scenes import Scene
from edge_agent.orders.states import Order


def submit(desk: Desk, tx: Tx, envelope: Envelope, data: OrderSubmit) -> dict[str, Any]:
    order_id = envelope.subject or envelope.id
    if not listing.ORDER_ID.match(order_id):
        raise Rejected(
            Code.INVALID,
            f"order id {order_id[:60]!r}: use 1 to 100 letters, digits, dots, dashes, underscores or colons",
        )
    adopted = tx.one("SELECT 1 FROM inbox WHERE type = 'adopted' AND id = ?", order_id)
    if adopted or find_order(tx, order_id) is not None:
        raise Rejected(
            Code.CONFLICT, f"order {order_id} exists already: ask for it with orders.request, or choose another id"
        )
    scene = desk.branch.scenes.get(data.scene)
    if scene is None:
        known = ", ".join(sorted(desk.branch.scenes))
        raise Rejected(Code.UNKNOWN_SCENE, f"no scene {data.scene!r} here; this branch has: {known}")
    if scene.scene.authority == "physical" and tx.meta("adopted") != "1":
        raise Rejected(
            Code.JOURNAL_NEW,
            "this journal has no predecessor: send journal.adopt with the orders you hold for this branch",
        )
    if sum(tx_count for tx_count in open_by_device(tx).values()) >= desk.branch.max_open:
        raise Rejected(
            Code.OVERLOADED,
            f"{desk.branch.max_open} orders are open: send it again with a new id when some have ended",
        )
    try:
        parameters = scene.fill(data.parameters)
    except ValueError as error:
        raise Rejected(Code.INVALID, str(error)) from error
    if desk.clock.passed(data.deadline):
        raise Rejected(Code.EXPIRED, "the order's deadline has passed already: give it a later one")
    _insert(desk, tx, envelope, data, scene, parameters, _bind(desk, tx, scene))
    return {"order": order_id}


def _bind(desk: Desk, tx: Tx, scene: Scene) -> dict[str, Place]:
    """Role -> the device with the fewest open orders; a shut lane counts as very busy."""
    busy = open_by_device(tx)
    bound: dict[str, Place] = {}
    for role in scene.roles:
        places = [p for p in desk.branch.places if p.role == role]
        if not places:
            raise Rejected(
                Code.NO_DEVICE_FOR_ROLE,
                f"no device has the role {role!r} that scene {scene.name} needs: add one to branch.toml",
            )
        load = {p.device: busy.get(p.device, 0) + (10_000 if lane_of(tx, p.device).shut else 0) for p in places}
        bound[role] = min(places, key=lambda p: (load[p.device], p.device))
    return bound


def _insert(
    desk: Desk,
    tx: Tx,
    envelope: Envelope,
    data: OrderSubmit,
    scene: Scene,
    parameters: dict[str, Any],
    bound: Mapping[str, Place],
) -> None:
    order_id = envelope.subject or envelope.id
    n = int((tx.one("SELECT coalesce(max(n), 0) + 1 FROM orders") or [1])[0])
    first = scene.step[0]
    sql = (
        "INSERT INTO orders (id, n, scene, recipe, parameters, customer, source, instruction, priority, not_before, "
        "deadline, state, step, device) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'accepted', ?, ?)"
    )
    times = (
        rfc3339(data.not_before) if data.not_before else None,
        rfc3339(data.deadline) if data.deadline else None,
    )
    recipe = scene.model_dump_json(by_alias=True, exclude_none=True)
    given = (order_id, n, scene.name, recipe, json.dumps(parameters), data.customer, envelope.source, envelope.id)
    tx.do(sql, *given, data.priority, *times, first.name, bound[first.role].device)
    for position, step in enumerate(scene.step):
        place = bound[step.role]
        watch = place.acts[step.act].kind is ActKind.WATCH
        limit_s = float(parameters[step.limit]) if step.limit else None
        row = StepRow(
            order_id,
            step.name,
            position,
            step.act,
            place.device,
            step.undo,
            None,
            step.no_return,
            limit_s,
            watch,
            step.waits_for,
        )
        add_step(tx, row)
    tx.emit(ORDER_CHANGED, order_id, {"order": order_id, "scene": scene.name, "to": "accepted", "reason": ""})
    tx.touched.add(bound[first.role].device)
    if times[0] and not desk.clock.passed(times[0]):
        change_order(tx, get_order(tx, order_id), Order.SCHEDULED, reason="not_before")
