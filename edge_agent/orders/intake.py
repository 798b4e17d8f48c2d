"""The one door: an instruction becomes a reply and, if accepted, a change of the journal, in ONE transaction.

Knows what each instruction asks and may be refused for; never talks to a device or a broker.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from cloud_bridge.envelope import BadMessage, Envelope, explain, read_envelope, rfc3339
from cloud_bridge.messages import (
    INSTRUCTIONS,
    PLANNED,
    Code,
    EventsRequest,
    JournalAdopt,
    Message,
    OrderCancel,
    OrderHold,
    OrderRelease,
    OrderResolve,
    OrdersRequest,
    OrderSubmit,
)
from device_drivers.device import ActKind, ActSpec
from edge_agent.clock import Clock, Grade
from edge_agent.journal.journal import Journal, Tx
from edge_agent.orders import course, listing
from edge_agent.orders.record import (
    ORDER_CHANGED,
    ORDER_CORRECTED,
    By,
    LaneRow,
    OrderRow,
    StepRow,
    add_step,
    change_order,
    find_order,
    find_step,
    get_order,
    lane_of,
    open_by_device,
    set_lane,
    steps_of,
)
from edge_agent.orders.scenes import Scene
from edge_agent.orders.states import Goal, Order

log = logging.getLogger(__name__)
MAX_DEADLINE = timedelta(days=90)  # INS-11
MAX_RESEND = 10_000  # events that one events.request may ask for
JOURNAL_CHANGED = "branchgate.journal.changed.v1"


class Rejected(Exception):
    """Why an instruction is refused: a code of INS-4 and a sentence that says what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Place:
    """A device of the branch as intake knows it: its role and the acts that it offers."""

    device: str
    role: str
    acts: Mapping[str, ActSpec]


@dataclass(frozen=True, slots=True)
class Branch:
    """What intake must know of the branch."""

    id: str
    scenes: Mapping[str, Scene]
    places: tuple[Place, ...]
    max_open: int


def digest_of(envelope: Envelope) -> str:
    """What makes a repeat the same instruction: type, branch, subject and data (INS-3)."""
    content = [envelope.type, envelope.branch, envelope.subject, envelope.data]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


class Intake:
    """Implements `cloud_bridge.ports.Inbox`."""

    def __init__(self, journal: Journal, branch: Branch, clock: Clock) -> None:
        self._journal = journal
        self._branch = branch
        self._clock = clock
        self._told_bad = False
        self.refused_unread = 0  # payloads that could not be read at all (ENV-5)
        self._handlers: dict[type[Message], Callable[[Tx, Envelope, Any], dict[str, Any]]] = {
            OrderSubmit: self._submit,
            OrderCancel: self._cancel,
            OrderHold: self._hold,
            OrderRelease: self._release,
            OrderResolve: self._resolve,
            OrdersRequest: self._orders,
            EventsRequest: self._events,
            JournalAdopt: self._adopt,
        }

    async def take(self, payload: bytes) -> None:
        """Any bytes; durable when it returns. Raises StoreFailed when the journal cannot write."""
        try:
            envelope = read_envelope(payload)
        except BadMessage as bad:
            await self._take_unreadable(bad)
            return
        await self._journal.write(lambda tx: self._answer(tx, envelope))

    async def _take_unreadable(self, bad: BadMessage) -> None:
        self.refused_unread += 1
        first, self._told_bad = not self._told_bad, True
        log.warning("instruction refused: %s", bad.why)

        def work(tx: Tx) -> None:
            if bad.message_id is not None:
                tx.reply(bad.message_id, self._reply(tx, bad.message_id, Rejected(Code.INVALID, bad.why)))
            if first:  # told once, counted always
                tx.emit(JOURNAL_CHANGED, None, {"what": "unreadable_instruction", "reason": "invalid", "facts": {"why": bad.why[:300]}})

        await self._journal.write(work)

    # -- one instruction -----------------------------------------------------------------------------------------------

    def _answer(self, tx: Tx, envelope: Envelope) -> None:
        digest = digest_of(envelope)
        seen = tx.one("SELECT digest, reply FROM inbox WHERE id = ?", envelope.id)
        if seen is not None:
            self._answer_again(tx, envelope, json.loads(seen["reply"]), seen["digest"] == digest)
            return
        tx.do("SAVEPOINT instruction")
        try:
            result: dict[str, Any] | Rejected = self._handle(tx, envelope)
        except Rejected as why:
            tx.do("ROLLBACK TO instruction")
            result = why
        tx.do("RELEASE instruction")
        reply = self._reply(tx, envelope.id, result)
        sql = "INSERT INTO inbox (id, digest, type, subject, source, deadline, time, reply) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        deadline = rfc3339(envelope.deadline) if envelope.deadline else None
        tx.do(sql, envelope.id, digest, envelope.type, envelope.subject, envelope.source, deadline, tx.now(), json.dumps(reply))
        tx.reply(envelope.id, reply)
        log.info("instruction %s %s %s: %s %s", envelope.id, envelope.type, envelope.subject or "", reply["status"], reply.get("code", ""))

    def _answer_again(self, tx: Tx, envelope: Envelope, first: dict[str, Any], same: bool) -> None:
        if same:
            tx.reply(envelope.id, {**first, "repeat": True})
            return
        why = Rejected(Code.CONFLICT, "this id was used for another instruction: send yours with an id of its own")
        tx.reply(envelope.id, self._reply(tx, envelope.id, why))

    def _reply(self, tx: Tx, instruction: str, result: dict[str, Any] | Rejected) -> dict[str, Any]:
        reply: dict[str, Any] = {"instruction": instruction, "journal": self._journal.id, "after": tx.last_seq()}
        if isinstance(result, Rejected):
            return reply | {"status": "rejected", "code": result.code.value, "message": result.message}
        return reply | {"status": "accepted", **result}

    def _handle(self, tx: Tx, envelope: Envelope) -> dict[str, Any]:
        data = self._check(envelope)
        return self._handlers[type(data)](tx, envelope, data)

    def _check(self, envelope: Envelope) -> Any:
        if envelope.branch != self._branch.id:
            raise Rejected(Code.UNAUTHORIZED, f"it names branch {envelope.branch}, this is {self._branch.id}: send it to its own branch")
        row = INSTRUCTIONS.get(envelope.type)
        if row is None:
            planned = envelope.type in PLANNED
            remedy = "this agent does not serve it yet: see `versions` in the birth" if planned else "see the catalogue of types"
            raise Rejected(Code.UNSUPPORTED if planned else Code.INVALID, f"type {envelope.type}: {remedy}")
        if envelope.deadline is None:
            raise Rejected(Code.INVALID, "deadline is missing: say the last moment at which it may be accepted")
        self._check_deadline(envelope)
        try:
            return row.model.model_validate(envelope.data)
        except ValidationError as error:
            raise Rejected(Code.INVALID, f"data: {explain(error)}") from error

    def _check_deadline(self, envelope: Envelope) -> None:
        assert envelope.deadline is not None
        if self._clock.grade() is Grade.UNKNOWN:
            return
        if self._clock.passed(envelope.deadline):
            raise Rejected(Code.EXPIRED, "its deadline has passed: send a new instruction with a later one")
        if envelope.deadline - self._clock.now() > MAX_DEADLINE:
            raise Rejected(Code.INVALID, "its deadline is more than 90 days ahead: choose a nearer one")

    # -- orders --------------------------------------------------------------------------------------------------------

    def _submit(self, tx: Tx, envelope: Envelope, data: OrderSubmit) -> dict[str, Any]:
        order_id = envelope.subject or envelope.id
        if not listing.ORDER_ID.match(order_id):
            raise Rejected(Code.INVALID, f"order id {order_id[:60]!r}: use 1 to 100 letters, digits, dots, dashes, underscores or colons")
        adopted = tx.one("SELECT 1 FROM inbox WHERE type = 'adopted' AND id = ?", order_id)
        if adopted or find_order(tx, order_id) is not None:
            raise Rejected(Code.CONFLICT, f"order {order_id} exists already: ask for it with orders.request, or choose another id")
        scene = self._branch.scenes.get(data.scene)
        if scene is None:
            known = ", ".join(sorted(self._branch.scenes))
            raise Rejected(Code.UNKNOWN_SCENE, f"no scene {data.scene!r} here; this branch has: {known}")
        if scene.scene.authority == "physical" and tx.meta("adopted") != "1":
            raise Rejected(Code.JOURNAL_NEW, "this journal has no predecessor: send journal.adopt with the orders you hold for this branch")
        if sum(tx_count for tx_count in open_by_device(tx).values()) >= self._branch.max_open:
            raise Rejected(Code.OVERLOADED, f"{self._branch.max_open} orders are open: send it again with a new id when some have ended")
        try:
            parameters = scene.fill(data.parameters)
        except ValueError as error:
            raise Rejected(Code.INVALID, str(error)) from error
        if self._clock.passed(data.deadline):
            raise Rejected(Code.EXPIRED, "the order's deadline has passed already: give it a later one")
        self._insert(tx, envelope, data, scene, parameters, self._bind(tx, scene))
        return {"order": order_id}

    def _bind(self, tx: Tx, scene: Scene) -> dict[str, Place]:
        """Role -> the device with the fewest open orders; a shut lane counts as very busy."""
        busy = open_by_device(tx)
        bound: dict[str, Place] = {}
        for role in scene.roles:
            places = [p for p in self._branch.places if p.role == role]
            if not places:
                raise Rejected(Code.NO_DEVICE_FOR_ROLE, f"no device has the role {role!r} that scene {scene.name} needs: add one to branch.toml")
            load = {p.device: busy.get(p.device, 0) + (10_000 if lane_of(tx, p.device).shut else 0) for p in places}
            bound[role] = min(places, key=lambda p: (load[p.device], p.device))
        return bound

    def _insert(
        self, tx: Tx, envelope: Envelope, data: OrderSubmit, scene: Scene, parameters: dict[str, Any], bound: Mapping[str, Place]
    ) -> None:
        order_id = envelope.subject or envelope.id
        n = int((tx.one("SELECT coalesce(max(n), 0) + 1 FROM orders") or [1])[0])
        first = scene.step[0]
        sql = (
            "INSERT INTO orders (id, n, scene, recipe, parameters, customer, source, instruction, priority, not_before, deadline, state, "
            "step, device) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'accepted', ?, ?)"
        )
        times = (rfc3339(data.not_before) if data.not_before else None, rfc3339(data.deadline) if data.deadline else None)
        tx.do(
            sql, order_id, n, scene.name, scene.model_dump_json(by_alias=True, exclude_none=True), json.dumps(parameters), data.customer,
            envelope.source, envelope.id, data.priority, *times, first.name, bound[first.role].device,
        )  # fmt: skip
        for position, step in enumerate(scene.step):
            place = bound[step.role]
            watch = place.acts[step.act].kind is ActKind.WATCH
            limit_s = float(parameters[step.limit]) if step.limit else None
            row = StepRow(
                order_id, step.name, position, step.act, place.device, step.undo, None, step.no_return, limit_s, watch, step.waits_for
            )
            add_step(tx, row)
        tx.emit(ORDER_CHANGED, order_id, {"order": order_id, "scene": scene.name, "to": "accepted", "reason": ""})
        tx.touched.add(bound[first.role].device)
        if times[0] and not self._clock.passed(times[0]):
            change_order(tx, get_order(tx, order_id), Order.SCHEDULED, reason="not_before")

    def _open(self, tx: Tx, envelope: Envelope) -> OrderRow:
        order = find_order(tx, envelope.subject) if envelope.subject else None
        if order is None:
            raise Rejected(Code.UNKNOWN_ORDER, f"no order {envelope.subject!r} in this branch: name it in `subject`")
        if order.ended:
            raise Rejected(Code.TERMINAL, f"order {order.id} ended as {order.state}: nothing can change it")
        return order

    def _cancel(self, tx: Tx, envelope: Envelope, data: OrderCancel) -> dict[str, Any]:
        order = self._open(tx, envelope)
        if course.past_return(steps_of(tx, order.id)):
            raise Rejected(Code.TOO_LATE, f"order {order.id} is past its point of no return: wait for its end")
        order = course.stop(tx, order, Goal.CANCEL, data.reason or "cancelled_by_centre")
        return {"order": order.id, "result": {"state": order.state.value}}

    def _hold(self, tx: Tx, envelope: Envelope, data: OrderHold) -> dict[str, Any]:
        order = course.hold(tx, self._open(tx, envelope), data.reason)
        return {"order": order.id, "result": {"state": order.state.value}}

    def _release(self, tx: Tx, envelope: Envelope, data: OrderRelease) -> dict[str, Any]:
        order = self._open(tx, envelope)
        if not order.held:
            raise Rejected(Code.INVALID, f"order {order.id} is not held: there is nothing to release")
        order = course.release(tx, order, data.reason)
        return {"order": order.id, "result": {"state": order.state.value}}

    # -- people --------------------------------------------------------------------------------------------------------

    def _resolve(self, tx: Tx, envelope: Envelope, data: OrderResolve) -> dict[str, Any]:
        order = find_order(tx, envelope.subject) if envelope.subject else None
        step = find_step(tx, order.id, data.step) if order else None
        if order is None or step is None:
            raise Rejected(Code.UNKNOWN_ORDER, f"no order {envelope.subject!r} with a step {data.step!r} in this branch")
        by = self._people(envelope, data)
        if order.ended:
            return self._correct(tx, order, step, data, by)
        lane = lane_of(tx, step.device)
        if order.state is not Order.NEEDS_ATTENTION or lane.attempt != data.attempt or lane.holder != order.id:
            raise Rejected(Code.CONFLICT, f"attempt {data.attempt} of order {order.id} does not ask for a decision now: look at it again")
        allowed = course.choices_for(step, steps_of(tx, order.id))
        if data.choice not in allowed:
            raise Rejected(Code.INVALID, f"choice {data.choice} does not fit a step {step.state}: choose {', '.join(allowed)}")
        order = course.decide(tx, order, step, data.choice.value, by)
        return {"order": order.id, "result": {"state": order.state.value}}

    def _people(self, envelope: Envelope, data: OrderResolve) -> By:
        """Who decided. ORD-6: what makes safe needs one person, all else two distinct ones, never a scheduler."""
        people = list(dict.fromkeys(name.strip().removeprefix("/people/") for name in data.people))
        scheduler = envelope.source.rsplit("/", 1)[-1]
        if any(not name or name.startswith("/") or name == scheduler for name in people):
            raise Rejected(Code.INVALID, "people: name those who looked at the machine; a scheduler is not one of them")
        if data.choice.value in ("done", "no_effect") and len(people) < 2:
            raise Rejected(Code.UNAUTHORIZED, f"choice {data.choice} lets the order go on: two distinct people must decide it")
        return By(tuple(f"/people/{name}" for name in people), authenticated=False)

    def _correct(self, tx: Tx, order: OrderRow, step: StepRow, data: OrderResolve, by: By) -> dict[str, Any]:
        """After an end state the state stays and the truth is told (ORD-8)."""
        members = {"order": order.id, "step": step.name, "attempt": data.attempt, "state": order.state.value, "truth": data.choice.value}
        tx.emit(ORDER_CORRECTED, order.id, {**members, "reason": data.note or "found_later", **by.members()})
        return {"order": order.id, "result": {"state": order.state.value, "corrected": True}}

    # -- questions and the journal -------------------------------------------------------------------------------------

    def _orders(self, tx: Tx, envelope: Envelope, data: OrdersRequest) -> dict[str, Any]:
        try:
            return {"result": listing.page(tx, data)}
        except KeyError as error:
            raise Rejected(Code.UNKNOWN_ORDER, f"no order {data.order!r} in this branch") from error
        except ValueError as error:
            raise Rejected(Code.INVALID, str(error)) from error

    def _events(self, tx: Tx, envelope: Envelope, data: EventsRequest) -> dict[str, Any]:
        last = tx.last_seq()
        if data.journal != self._journal.id:
            raise Rejected(Code.INVALID, f"journal {data.journal} is not here: this one is {self._journal.id}")
        if data.from_ > data.to or data.from_ > last:
            raise Rejected(Code.INVALID, f"no events {data.from_} to {data.to}: this journal has 1 to {last}")
        to = min(data.to, last)
        if to - data.from_ >= MAX_RESEND:
            raise Rejected(Code.INVALID, f"{to - data.from_ + 1} events at once are too many: ask for at most {MAX_RESEND}")
        tx.do("UPDATE outbox SET sent = 0 WHERE seq BETWEEN ? AND ?", data.from_, to)
        return {"result": {"from": data.from_, "to": to}}

    def _adopt(self, tx: Tx, envelope: Envelope, data: JournalAdopt) -> dict[str, Any]:
        if data.journal != self._journal.id:
            raise Rejected(Code.INVALID, f"journal {data.journal} is not here: this one is {self._journal.id}")
        if tx.meta("adopted") == "1":
            raise Rejected(Code.CONFLICT, "this journal is adopted already")
        adopt(tx, data.orders, envelope.source)
        return {"result": {"journal": self._journal.id, "orders": len(data.orders)}}


def adopt(tx: Tx, orders: list[str], source: str) -> None:
    """From now on this journal may act; the ids that the centre holds enter the inbox as seen (ORD-12)."""
    reply = json.dumps({"instruction": "", "status": "rejected", "code": "conflict", "message": "held by the centre before this journal"})
    for order in orders:
        sql = "INSERT OR IGNORE INTO inbox (id, digest, type, subject, source, deadline, time, reply) VALUES (?, '', 'adopted', ?, ?, NULL, ?, ?)"
        tx.do(sql, order, order, source, tx.now(), reply)
    for row in tx.all("SELECT device FROM lanes WHERE shut = 1 AND reason = 'journal_lost'"):
        set_lane(tx, LaneRow(row["device"]))
    tx.set_meta("adopted", "1")
    tx.emit(JOURNAL_CHANGED, None, {"what": "adopted", "reason": source, "facts": {"orders": len(orders)}})
