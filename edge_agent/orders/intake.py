"""The one door: an instruction becomes a reply and, if accepted, a change of the journal, in ONE transaction.

Knows what each instruction asks and may be refused for; never talks to a device or a broker.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import astuple, dataclass
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
from edge_agent.clock import Clock, Grade
from edge_agent.journal.journal import Journal, Tx
from edge_agent.journal.opening import is_disk
from edge_agent.orders import requests
from edge_agent.orders.desk import JOURNAL_CHANGED, Branch, Desk, Rejected
from edge_agent.orders.submission import submit

log = logging.getLogger(__name__)
MAX_DEADLINE = timedelta(days=90)  # INS-11
_HANDLERS: dict[type[Message], Callable[[Desk, Tx, Envelope, Any], dict[str, Any]]] = {
    OrderSubmit: submit,
    OrderCancel: requests.cancel,
    OrderHold: requests.hold,
    OrderRelease: requests.release,
    OrderResolve: requests.resolve,
    OrdersRequest: requests.orders,
    EventsRequest: requests.events,
    JournalAdopt: requests.adopt_journal,
}


def digest_of(envelope: Envelope) -> str:
    """What makes a repeat the same instruction: type, branch, subject and data (INS-3)."""
    content = [envelope.type, envelope.branch, envelope.subject, envelope.data]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


Result = dict[str, Any] | Rejected


@dataclass(frozen=True, slots=True)
class Taken:
    """What the inbox remembers of an instruction besides its reply; in the order of its columns."""

    id: str
    digest: str
    type: str = "unreadable"
    subject: str | None = None
    source: str = ""
    deadline: str | None = None


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

    async def _take_unreadable(self, payload: bytes, bad: BadMessage) -> None:
        self.refused_unread += 1
        first, self._told_bad = not self._told_bad, True  # takes overlap: only one of them tells
        log.warning("instruction refused: %s", bad.why)

        def work(tx: Tx) -> None:
            if bad.message_id is not None:
                why = Rejected(Code.INVALID, bad.why)
                self._answer_once(tx, Taken(bad.message_id, hashlib.sha256(payload).hexdigest()), lambda: why)
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
        deadline = rfc3339(envelope.deadline) if envelope.deadline else None
        digest = digest_of(envelope)
        taken = Taken(envelope.id, digest, envelope.type, envelope.subject, envelope.source, deadline)
        self._answer_once(tx, taken, lambda: self._try(tx, envelope))

    def _try(self, tx: Tx, envelope: Envelope) -> Result:
        tx.do("SAVEPOINT instruction")
        try:
            return self._handle(tx, envelope)
        except Rejected as why:
            tx.do("ROLLBACK TO instruction")
            return why
        except Exception as error:  # a fault of ours must not stop what stands behind this instruction
            if isinstance(error, sqlite3.Error) and is_disk(error):
                raise  # the disk's fault, not the instruction's: the journal answers for it
            tx.do("ROLLBACK TO instruction")
            self.faults += 1
            log.exception("instruction %r: a fault of ours, nothing of it was done", envelope.id)
            return Rejected(Code.INVALID, "the agent failed on it and did nothing; its log says why: please report it")
        finally:
            tx.do("RELEASE instruction")

    def _answer_once(self, tx: Tx, taken: Taken, answer: Callable[[], Result]) -> None:
        """The first answer to an id is kept; a repeat gets it again and has no effect (INS-3)."""
        seen = tx.one("SELECT digest, reply FROM inbox WHERE id = ?", taken.id)
        if seen is not None:
            tx.reply(taken.id, self._again(tx, taken, seen["digest"], json.loads(seen["reply"])))
            return
        reply = self._reply(tx, taken.id, answer())
        columns = "id, digest, type, subject, source, deadline, time, reply"
        sql = f"INSERT INTO inbox ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        tx.do(sql, *astuple(taken), tx.now(), json.dumps(reply))
        tx.reply(taken.id, reply)
        level = logging.DEBUG if taken.type.endswith("s.request.v1") else logging.INFO
        words = (taken.type, taken.subject or "", reply["status"], reply.get("code", ""))
        log.log(level, "instruction %r %r %r: %s %s", taken.id, *words)

    def _again(self, tx: Tx, taken: Taken, digest: str, first: dict[str, Any]) -> dict[str, Any]:
        if digest == taken.digest:
            return {**first, "repeat": True}
        why = "this id was used for another instruction: send yours with an id of its own"
        return self._reply(tx, taken.id, Rejected(Code.CONFLICT, why))

    def _reply(self, tx: Tx, instruction: str, result: Result) -> dict[str, Any]:
        reply: dict[str, Any] = {"instruction": instruction, "journal": self._journal.id, "after": tx.last_seq()}
        if isinstance(result, Rejected):
            return reply | {"status": "rejected", "code": result.code.value, "message": result.message}
        return reply | {"status": "accepted", **result}

    def _handle(self, tx: Tx, envelope: Envelope) -> dict[str, Any]:
        data = self._check(envelope)
        return _HANDLERS[type(data)](self._desk, tx, envelope, data)

    def _check(self, envelope: Envelope) -> Any:
        if envelope.branch != self._desk.branch.id:
            raise Rejected(
                Code.UNAUTHORIZED,
                f"it names branch {envelope.branch}, this is {self._desk.branch.id}: send it to its own branch",
            )
        row = INSTRUCTIONS.get(envelope.type)
        if row is None:
            planned = envelope.type in PLANNED
            remedy = (
                "this agent does not serve it yet: see `versions` in the birth"
                if planned
                else "see the catalogue of types"
            )
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
