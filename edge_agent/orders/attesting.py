"""People confirm the branch's time (INS-5): what of it counts, and what the journal keeps of time that was trusted.

Knows the clock and three entries of the journal; what waits for the clock goes on by itself.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from cloud_bridge.envelope import Envelope, rfc3339
from cloud_bridge.messages.instructions import ClockAttest
from cloud_bridge.messages.words import Code
from edge_agent.clock import Attested, Clock, Grade
from edge_agent.journal.tx import Tx
from edge_agent.orders.approving import named_people, word_of
from edge_agent.orders.desk import JOURNAL_CHANGED, Desk, Rejected

WITHIN = timedelta(seconds=60)  # between their watch and the branch's clock, with the way of the instruction
TRUSTED, ATTESTED = "clock_trusted", "clock_attested"


def attest(desk: Desk, tx: Tx, envelope: Envelope, data: ClockAttest) -> dict[str, Any]:
    """Refused unless it was said to this start of the agent, by two people, of a time that can be."""
    if data.journal != desk.journal or str(data.epoch) != tx.meta("epoch"):
        raise Rejected(Code.CONFLICT, "earlier_start")
    people = named_people(envelope, data.people)
    if len(people) < 2:
        raise Rejected(Code.UNAUTHORIZED, "time_needs_two")
    now = desk.clock.now()
    if not -WITHIN <= now - data.time <= WITHIN:
        raise Rejected(Code.CONFLICT, "clock_differs", clock=rfc3339(now))
    newest = newest_trusted(tx)
    if newest is not None and now < newest:
        raise Rejected(Code.CONFLICT, "clock_was_later", time=rfc3339(newest))
    attested = desk.clock.attestation(people, envelope.id)
    tx.set_meta(ATTESTED, json.dumps(asdict(attested)))
    facts = word_of(desk, people).facts() | {"time": rfc3339(data.time), "clock": rfc3339(now)}
    tx.emit(JOURNAL_CHANGED, None, {"what": "clock_attested", "reason": data.note, "facts": facts})
    return {"result": {"clock": rfc3339(now)}}


def attested(tx: Tx) -> Attested | None:
    """What people confirmed last; whether it still holds the clock says."""
    members = json.loads(tx.meta(ATTESTED, "null"))
    return Attested(**{**members, "people": tuple(members["people"])}) if members else None


def newest_trusted(tx: Tx) -> datetime | None:
    text = tx.meta(TRUSTED)
    return datetime.fromisoformat(text) if text else None


def keep_trusted(tx: Tx, clock: Clock) -> None:
    """A time that is trusted now; a source that vouches may also set it back."""
    now, grade = clock.look()
    if grade is not Grade.UNKNOWN:
        tx.set_meta(TRUSTED, rfc3339(now))
