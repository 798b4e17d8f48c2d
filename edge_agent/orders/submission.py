"""A new order: refused with a reason, or bound to devices and written with its steps and documents.

Knows `order.submit` only; what happens to the order afterwards is `course`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, astuple
from typing import Any

from cloud_bridge.envelope import Envelope, rfc3339
from cloud_bridge.messages.instructions import OrderSubmit
from cloud_bridge.messages.words import Code
from device_drivers.device import ActKind
from edge_agent.journal.journal import Tx
from edge_agent.journal.tx import BY_CENTRE, BY_PEOPLE
from edge_agent.orders import listing, shelving, times
from edge_agent.orders.binding import Bound, bind
from edge_agent.orders.codes import add_code
from edge_agent.orders.desk import Desk, Place, Rejected
from edge_agent.orders.forms import keep_form
from edge_agent.orders.papers import add_documents, check_documents
from edge_agent.orders.parameters import DoesNotFit
from edge_agent.orders.reading import find_order, get_order, get_step, keep_order, open_by_device
from edge_agent.orders.recipe import Scene, SceneStep
from edge_agent.orders.record import ORDER_CHANGED, add_facts, add_steps, change_order
from edge_agent.orders.rows import OrderRow, StepRow
from edge_agent.orders.states import Goal, Order
from edge_agent.orders.templates import pick
from edge_agent.orders.turns import AWAITS_CODE, ask_release, wait


def submit(desk: Desk, tx: Tx, envelope: Envelope, data: OrderSubmit) -> dict[str, Any]:
    order_id = envelope.subject or envelope.id
    if not listing.ORDER_ID.match(order_id):
        raise Rejected(Code.INVALID, "order_id", order=order_id[:60])
    adopted = tx.one("SELECT 1 FROM inbox WHERE type = 'adopted' AND id = ?", order_id)
    if adopted or find_order(tx, order_id) is not None:
        raise Rejected(Code.CONFLICT, "order_exists", order=order_id)
    scene = desk.branch.scenes.get(data.scene)
    if scene is None:
        raise Rejected(Code.UNKNOWN_SCENE, "no_scene", scene=data.scene, known=sorted(desk.branch.scenes))
    if scene.scene.authority == "physical" and not _may_act(desk, tx):
        raise Rejected(Code.JOURNAL_NEW, "journal_new")
    busy = open_by_device(tx)
    if sum(busy.values()) >= desk.branch.max_open:
        raise Rejected(Code.OVERLOADED, "many_open", count=desk.branch.max_open)
    try:
        parameters = scene.fill(data.parameters)
    except DoesNotFit as bad:
        raise Rejected(Code.INVALID, bad.reason, **bad.facts) from bad
    if times.has_passed(desk.clock, data.deadline, on_site=desk.on_site):
        raise Rejected(Code.EXPIRED, "order_expired")
    bound = bind(desk, tx, scene, parameters, busy)
    documents = check_documents(scene, (step for step, _ in bound.steps), data.documents)
    if data.code_sha256 is not None and not scene.awaits_code:
        raise Rejected(Code.INVALID, "no_code_awaited", scene=scene.name)
    _insert(desk, tx, envelope, data, scene, parameters, bound)
    if data.code_sha256 is not None:
        add_code(tx, order_id, data.code_sha256)
    add_documents(tx, order_id, documents)
    return {"order": order_id}


def _may_act(desk: Desk, tx: Tx) -> bool:
    """What people adopted serves people: an id of the centre may have been served by the journal that is lost."""
    return tx.adopted == BY_CENTRE or (desk.on_site and tx.adopted == BY_PEOPLE)


def _insert(
    desk: Desk,
    tx: Tx,
    envelope: Envelope,
    data: OrderSubmit,
    scene: Scene,
    parameters: dict[str, Any],
    bound: Bound,
) -> None:
    order_id = envelope.subject or envelope.id
    n = int((tx.one("SELECT coalesce(max(n), 0) + 1 FROM orders") or [1])[0])
    first, device = bound.steps[0][0], bound.steps[0][1].device
    sql = (
        "INSERT INTO orders (id, n, scene, recipe_form, parameters, customer, source, instruction, priority, "
        "not_before, deadline, state, step, device, boot, begins_s, ends_s, vouched) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'accepted', ?, ?, ?, ?, ?, ?)"
    )
    moments = (
        rfc3339(data.not_before) if data.not_before else None,
        rfc3339(data.deadline) if data.deadline else None,
    )
    recipe = keep_form(tx, desk.bodies.of(scene))
    text = json.dumps(parameters)
    given = (order_id, n, scene.name, recipe, text, data.customer, envelope.source, envelope.id)
    limits = times.limits_on_site(desk.clock, data.not_before, data.deadline) if desk.on_site else times.Limits()
    tx.do(sql, *given, data.priority, *moments, first.name, device, *astuple(limits))
    order = OrderRow(
        order_id,
        n,
        scene.name,
        json.loads(text),
        data.priority,
        *moments,
        state=Order.ACCEPTED,
        waiting_for=None,
        reason="",
        goal=Goal.FINISH,
        goal_reason="",
        held=False,
        step=first.name,
        device=device,
        **asdict(limits),
    )
    keep_order(tx, order)
    rows = [_row(desk, tx, order_id, at, step, place, parameters) for at, (step, place) in enumerate(bound.steps)]
    add_steps(tx, rows)
    told: dict[str, Any] = {"order": order_id, "scene": scene.name, "to": "accepted", "reason": ""}
    tx.emit(ORDER_CHANGED, order_id, told | ({"facts": {"left_out": bound.left_out}} if bound.left_out else {}), n)
    tx.touched.add(device)
    _reserve(tx, order_id, bound, parameters)
    if times.too_early(get_order(tx, order_id), desk.clock):
        change_order(tx, get_order(tx, order_id), Order.SCHEDULED, reason="not_before")
    elif first.awaits_code:
        wait(tx, get_order(tx, order_id), "customer", AWAITS_CODE)
    elif (begins := get_step(tx, order_id, first.name)).needs_release:
        ask_release(tx, get_order(tx, order_id), begins)


def _reserve(tx: Tx, order_id: str, bound: Bound, parameters: Mapping[str, Any]) -> None:
    """The articles wanted are this order's from its acceptance on. Raises Rejected."""
    for step, place in bound.steps:
        if step.article is None:
            continue
        article = str(parameters[step.article])
        lot = shelving.reserve(tx, place.device, article, order_id)
        if lot is None:
            raise Rejected(Code.NO_STOCK, "article_gone", article=article, device=place.device)
        add_facts(tx, get_step(tx, order_id, step.name), lot.named)


def _row(
    desk: Desk, tx: Tx, order_id: str, position: int, step: SceneStep, place: Place, parameters: Mapping[str, Any]
) -> StepRow:
    template = pick(desk.branch.templates, step.template, parameters) if step.template else None
    return StepRow(
        order_id=order_id,
        name=step.name,
        position=position,
        act=step.act,
        device=place.device,
        undo=step.undo,
        undoes=None,
        no_return=step.no_return,
        limit_s=float(parameters[step.limit]) if step.limit else None,
        watch=place.acts[step.act].kind is ActKind.WATCH,
        waits_for=step.waits_for,
        facts={},
        role=step.role,
        repeatable=_repeatable(place, step.act),
        undo_repeatable=_repeatable(place, step.undo),
        undo_always=step.undo_always,
        template_form=keep_form(tx, desk.bodies.of(template)) if template else None,
        document=step.document,
        article=str(parameters[step.article]) if step.article else None,
        two_people=step.two_people,
        undo_watch=_kind(place, step.undo) is ActKind.WATCH,
        awaits_code=step.awaits_code,
    )


def _repeatable(place: Place, act: str | None) -> bool:
    return _kind(place, act) is ActKind.IDEMPOTENT


def _kind(place: Place, act: str | None) -> ActKind | None:
    return place.acts[act].kind if act is not None and act in place.acts else None
