"""The one door: an instruction becomes a reply and, if accepted, a change of the journal, in ONE transaction.

Knows what each instruction asks and may be refused for; never talks to a device or a broker.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from cloud_bridge.envelope import BadMessage, Envelope, explain, read_envelope, rfc3339
from cloud_bridge.messages.catalogue import INSTRUCTIONS, PLANNED
from cloud_bridge.messages.instructions import (
    ClockAttest,
    CodeResolve,
    EventsRequest,
    JournalAdopt,
    OrderCancel,
    OrderHold,
    OrderRelease,
    OrderResolve,
    OrdersRequest,
    OrderSubmit,
    StockReplenish,
)
from cloud_bridge.messages.words import Code, Message
from edge_agent.audit.chain import Deed, record
from edge_agent.clock import Clock, Grade
from edge_agent.findings import misfits
from edge_agent.journal.journal import Journal, Tx
from edge_agent.journal.opening import is_disk
from edge_agent.orders import adopting, attesting, codes, requests, stocking
from edge_agent.orders.desk import CENTRE, JOURNAL_CHANGED, Branch, Caller, Desk, Rejected
from edge_agent.orders.submission import submit

log = logging.getLogger(__name__)
MAX_DEADLINE = timedelta(days=90)  # INS-11
_TOLD = ("people", "step", "attempt", "choice", "device")  # what of a decision the audit keeps; each is short
FLOOR = "floor"  # in the journal: the newest deadline of an answer that was removed
_HANDLERS: dict[type[Message], Callable[[Desk, Tx, Envelope, Any], dict[str, Any]]] = {
    OrderSubmit: submit,
    OrderCancel: requests.cancel,
    OrderHold: requests.hold,
    OrderRelease: requests.release,
    OrderResolve: requests.resolve,
    OrdersRequest: requests.orders,
    CodeResolve: codes.resolve,
    EventsRequest: requests.events,
    JournalAdopt: adopting.adopt_journal,
    ClockAttest: attesting.attest,
    StockReplenish: stocking.replenish,
}


def digest_of(envelope: Envelope) -> str:
    """What makes a repeat the same instruction: type, branch, subject and data (INS-3)."""
    content = [envelope.type, envelope.branch, envelope.subject, envelope.data]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


Result = dict[str, Any] | Rejected


def _unreadable(bad: BadMessage) -> Rejected:
    if bad.members:
        return Rejected(Code.INVALID, "bad_members", bad.why, members=bad.members)
    return Rejected(Code.INVALID, "no_message", bad.why)


@dataclass(frozen=True, slots=True)
class Taken:
    """What the inbox remembers of an instruction besides its reply; in the order of its columns."""

    id: str
    digest: str
    type: str = "unreadable"
    subject: str | None = None
    source: str = ""
    deadline: str | None = None


def _taken(envelope: Envelope) -> Taken:
    deadline = rfc3339(envelope.deadline) if envelope.deadline else None
    return Taken(envelope.id, digest_of(envelope), envelope.type, envelope.subject, envelope.source, deadline)


def short_of(type_: str) -> str:
    """`branchgate.order.cancel.v1` -> `order.cancel`."""
    return type_.removeprefix("branchgate.").removesuffix(".v1")


class Intake:
    """Implements `cloud_bridge.ports.Inbox`."""

    def __init__(self, journal: Journal, branch: Branch, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._desk = Desk(branch, clock, journal.id)
        self._told_bad = False
        self.faults = 0  # instructions on which our own code failed: never, if the tests are right
        self.refused_unread = 0  # payloads that could not be read at all (ENV-5)

    async def take(self, payload: bytes) -> None:
        """Any bytes; durable when it returns. Raises StoreFailed when the journal cannot write."""
        try:
            envelope = read_envelope(payload)
        except BadMessage as bad:
            await self._take_unreadable(payload, bad)
            return
        await self._journal.write(lambda tx: self._answer(tx, envelope))

    async def ask(self, envelope: Envelope, caller: Caller) -> dict[str, Any]:
        """A wish that came through a door of the branch itself: its reply, durable, and told to nobody else.

        It may come without a deadline: whoever asks waits for the answer. Raises StoreFailed.
        """
        return await self._journal.write(lambda tx: self._answer_once(tx, _taken(envelope), envelope, caller))

    async def _take_unreadable(self, payload: bytes, bad: BadMessage) -> None:
        self.refused_unread += 1
        first, self._told_bad = not self._told_bad, True  # takes overlap: only one of them tells
        log.warning("instruction refused: %s", bad.why)

        def work(tx: Tx) -> None:
            if bad.message_id is not None:
                taken = Taken(bad.message_id, hashlib.sha256(payload).hexdigest())
                tx.reply(taken.id, self._answer_once(tx, taken, _unreadable(bad), CENTRE))
            if first:  # told once, counted always
                tx.emit(
                    JOURNAL_CHANGED,
                    None,
                    {"what": "unreadable_instruction", "reason": "invalid", "facts": {"why": bad.why[:300]}},
                )

        try:
            await self._journal.write(work)
        except BaseException:
            self._told_bad = self._told_bad and not first
            raise

    # -- one instruction -----------------------------------------------------------------------------------------------

    def _answer(self, tx: Tx, envelope: Envelope) -> None:
        tx.reply(envelope.id, self._answer_once(tx, _taken(envelope), envelope, CENTRE))

    def _try(self, tx: Tx, envelope: Envelope, caller: Caller) -> Result:
        try:
            with tx.part():
                return self._handle(tx, envelope, caller)
        except Rejected as why:
            return why
        except Exception as error:  # a fault of ours must not stop what stands behind this instruction
            if isinstance(error, sqlite3.Error) and is_disk(error):
                raise  # the disk's fault, not the instruction's: the journal answers for it
            self.faults += 1
            log.exception("instruction %r: a fault of ours, nothing of it was done", envelope.id)
            return Rejected(Code.INVALID, "agent_failed")

    def _answer_once(self, tx: Tx, taken: Taken, asked: Envelope | Rejected, caller: Caller) -> dict[str, Any]:
        """The first answer to an id is kept; a repeat gets it again and has no effect (INS-3)."""
        seen = tx.one("SELECT digest, reply, deadline FROM inbox WHERE id = ?", taken.id)
        if seen is not None:
            if taken.deadline and seen["deadline"] and taken.deadline > seen["deadline"]:  # remembered for as long as
                tx.do("UPDATE inbox SET deadline = ? WHERE id = ?", taken.deadline, taken.id)  # it may come (INS-11)
            return self._again(tx, taken, seen["digest"], json.loads(seen["reply"]))
        result = asked if isinstance(asked, Rejected) else self._try(tx, asked, caller)
        reply = self._reply(tx, taken.id, result)
        columns = "id, digest, type, subject, source, deadline, time, reply"
        sql = f"INSERT INTO inbox ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        tx.do(sql, *astuple(taken), tx.now(), json.dumps(reply))
        self._audit(tx, taken, asked, reply, caller)
        level = logging.DEBUG if taken.type.endswith("s.request.v1") else logging.INFO
        words = (taken.type, taken.subject or "", reply["status"], reply.get("code", ""))
        log.log(level, "instruction %r %r %r: %s %s", taken.id, *words)
        return reply

    def _audit(self, tx: Tx, taken: Taken, asked: Envelope | Rejected, reply: dict[str, Any], caller: Caller) -> None:
        """Whoever asked for more than to read, and what became of it."""
        row = INSTRUCTIONS.get(taken.type)
        if row is not None and row.authority == "read":
            return
        facts = {"instruction": taken.id} | {name: reply[name] for name in ("status", "code") if name in reply}
        if isinstance(asked, Envelope) and reply["status"] == "accepted":
            facts |= {name: asked.data[name] for name in _TOLD if asked.data.get(name)}
        act = short_of(taken.type) if row else "unknown"
        who = caller.proven or (taken.source,)
        record(tx, self._clock, Deed(act, taken.subject or "", who, caller.door, bool(caller.proven), facts))

    def _again(self, tx: Tx, taken: Taken, digest: str, first: dict[str, Any]) -> dict[str, Any]:
        if digest == taken.digest:
            return {**first, "repeat": True}
        return self._reply(tx, taken.id, Rejected(Code.CONFLICT, "id_used"))

    def _reply(self, tx: Tx, instruction: str, result: Result) -> dict[str, Any]:
        reply: dict[str, Any] = {"instruction": instruction, "journal": self._journal.id, "after": tx.last_seq()}
        if isinstance(result, Rejected):
            return reply | {"status": "rejected", **result.members()}
        return reply | {"status": "accepted", **result}

    def _handle(self, tx: Tx, envelope: Envelope, caller: Caller) -> dict[str, Any]:
        data = self._check(tx, envelope, caller)
        return _HANDLERS[type(data)](replace(self._desk, caller=caller), tx, envelope, data)

    def _check(self, tx: Tx, envelope: Envelope, caller: Caller) -> Any:
        if envelope.branch != self._desk.branch.id:
            raise Rejected(Code.UNAUTHORIZED, "other_branch", branch=envelope.branch, here=self._desk.branch.id)
        row = INSTRUCTIONS.get(envelope.type)
        if row is None:
            if envelope.type in PLANNED:
                raise Rejected(Code.UNSUPPORTED, "type_planned", type=envelope.type)
            raise Rejected(Code.INVALID, "type_unknown", type=envelope.type)
        if caller.wants_proof and not caller.proven and row.authority != "read":
            raise Rejected(Code.UNAUTHORIZED, "wants_proof")
        if envelope.deadline is None and caller.door == CENTRE.door:
            raise Rejected(Code.INVALID, "deadline_missing")
        if envelope.deadline is not None:
            self._check_deadline(tx, envelope)
        try:
            return row.model.model_validate(envelope.data)
        except ValidationError as error:
            (first,) = misfits("", "", error, 1)
            facts = {"key": first.key or "data", "why": first.saying.as_fact()}
            raise Rejected(Code.INVALID, "data_misfit", f"data: {explain(error)}", **facts) from error

    def _check_deadline(self, tx: Tx, envelope: Envelope) -> None:
        assert envelope.deadline is not None
        if rfc3339(envelope.deadline) <= tx.meta(FLOOR):  # whatever the clock says: its first answer may be forgotten
            raise Rejected(Code.EXPIRED, "deadline_forgotten")
        now, grade = self._clock.look()  # once: what is set between two looks would be believed
        if grade is Grade.UNKNOWN:
            return
        if now >= envelope.deadline:
            raise Rejected(Code.EXPIRED, "deadline_passed")
        if envelope.deadline - now > MAX_DEADLINE:
            raise Rejected(Code.INVALID, "deadline_far")
