"""Whether a journal agrees with itself: numbers without gaps, states with their history, armed attempts with the ring.

Knows what must agree, and only reads; what to do about a finding is for people.
"""

# ruff: noqa: S608  # only our own tables and conditions are joined into SQL; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge_agent.audit.history import History
from edge_agent.audit.opened import MAX_FINDINGS, Found, NoJournal, meta_of, open_to_read
from edge_agent.audit.proof import Proof, chain_findings
from edge_agent.journal import opening
from edge_agent.journal.ring import Ring
from edge_agent.orders.states import ENDS, UNSETTLED, Order

__all__ = ["Found", "NoJournal", "Verdict", "open_to_read", "verify"]
_UNSETTLED = ", ".join(f"'{state.value}'" for state in sorted(UNSETTLED))
_ENDED = ", ".join(f"'{state.value}'" for state in sorted(ENDS))


AUDITED = 4  # the journal's version that began an audit chain
_REMOVED = "outbox_removed"  # up to this seq retention left no more than open orders' events (INS-11)


@dataclass(slots=True)
class Verdict:
    """What a reading came to."""

    folder: str
    journal: str = ""
    events: int = 0
    orders: int = 0
    attempts: int = 0
    findings: list[Found] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.good}


def verify(folder: Path) -> Verdict:
    """Reads everything in one view of the last commit; also beside a running agent. Raises NoJournal."""
    verdict = Verdict(str(folder))
    try:
        with closing(open_to_read(folder)) as db:
            for found in _everything(db, folder, verdict):
                verdict.findings.append(found)
                if len(verdict.findings) >= MAX_FINDINGS:
                    break
    except (sqlite3.Error, UnicodeDecodeError) as error:
        verdict.findings.append(Found("unreadable", opening.NAME, str(error)))
    return verdict


def _everything(db: sqlite3.Connection, folder: Path, verdict: Verdict) -> Iterator[Found]:
    ring = _ring(folder)
    yield from _journal(db, verdict)
    if verdict.journal:
        yield from _ring_findings(db, folder, ring)


def _journal(db: sqlite3.Connection, verdict: Verdict) -> Iterator[Found]:
    db.execute("BEGIN")
    try:
        version, known = opening.version_of(db), len(opening.migrations())
        if version > known:
            yield Found("newer", opening.NAME, f"{version} > {known}")
            return
        for row in db.execute("PRAGMA integrity_check(20)"):
            if row[0] != "ok":
                yield Found("integrity", opening.NAME, str(row[0]))
        verdict.journal = meta_of(db, "journal")
        verdict.orders, verdict.attempts = (_count(db, table) for table in ("orders", "attempts"))
        yield from _numbers(db, verdict)
        yield from _histories(db)
        yield from _orders(db)
        yield from _attempts(db)
        yield from _audit(db)
    finally:
        db.execute("ROLLBACK")


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _numbers(db: sqlite3.Connection, verdict: Verdict) -> Iterator[Found]:
    """ENV-2: no event is missing between what retention removed and the last one given."""
    expected = int(meta_of(db, _REMOVED) or 0) + 1
    for (seq,) in db.execute("SELECT seq FROM outbox WHERE seq >= ? ORDER BY seq", (expected,)):
        if seq != expected:
            yield Found("gap", f"outbox {expected}", f"{expected}-{seq - 1}")
        expected = seq + 1
    verdict.events = _count(db, "outbox")
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
    if row and row[0] >= expected:
        yield Found("gap", f"outbox {expected}", f"{expected}-{row[0]}")


def _histories(db: sqlite3.Connection) -> Iterator[Found]:
    history = History()
    for row in db.execute("SELECT seq, type, order_id, data FROM history ORDER BY seq"):
        if why := history.take(row["type"], row["data"]):
            yield Found("history", f"outbox {row['seq']}", why)
    for kind, table, key in (
        (history.orders, "orders", "id"),
        (history.steps, "steps", "order_id || '/' || name"),
        (history.attempts, "attempts", "id"),
    ):
        for name, state in db.execute(f"SELECT {key}, state FROM {table}"):
            told = kind.get(name)
            if told is not None and told != state:
                yield Found("state", name, f"{state}, told {told}")


def _orders(db: sqlite3.Connection) -> Iterator[Found]:
    for order, state, reason, step in db.execute("SELECT id, state, reason, step FROM orders ORDER BY n"):
        ended = state in ENDS
        if ended == (step is not None):
            yield Found("turn", order, f"{state}, step {step or '-'}")
        if ended and state != Order.COMPLETED and not reason:
            yield Found("unexplained", order, state)
    for order, name, state in db.execute(
        "SELECT s.order_id, s.name, s.state FROM steps s JOIN orders o ON o.id = s.order_id "
        f"WHERE o.state IN ({_ENDED}) AND s.state IN ({_UNSETTLED})"
    ):
        yield Found("unsettled", f"{order}/{name}", state)
    for (order,) in db.execute("SELECT id FROM orders WHERE id NOT IN (SELECT order_id FROM steps)"):
        yield Found("no_steps", order)


def _attempts(db: sqlite3.Connection) -> Iterator[Found]:
    counted = (
        "SELECT s.order_id, s.name, s.armings, count(a.id) FROM steps s LEFT JOIN attempts a "
        "ON a.order_id = s.order_id AND a.step = s.name GROUP BY s.order_id, s.name HAVING s.armings <> count(a.id)"
    )
    for order, name, armings, there in db.execute(counted):
        yield Found("armings", f"{order}/{name}", f"{armings}, {there}")
    lost = "SELECT id FROM attempts WHERE (order_id, step) NOT IN (SELECT order_id, name FROM steps)"
    for (attempt,) in db.execute(lost):
        yield Found("no_step", attempt)


def _audit(db: sqlite3.Connection) -> Iterator[Found]:
    if opening.version_of(db) >= AUDITED:
        yield from chain_findings(db, Proof(""))


# -- the ring ----------------------------------------------------------------------------------------------------------


def _ring(folder: Path) -> set[str]:
    try:
        ring = Ring(folder / "armed.ring", read_only=True)
    except OSError:
        return set()
    try:
        return set(ring.entries)
    finally:
        ring.close()


def _unsettled(db: sqlite3.Connection) -> set[str]:
    return {row[0] for row in db.execute(f"SELECT id FROM attempts WHERE state IN ({_UNSETTLED})")}


def _ring_findings(db: sqlite3.Connection, folder: Path, before: set[str]) -> list[Found]:
    """An agent at work arms and settles meanwhile: only what holds before and after the ring was read counts."""
    first = _unsettled(db)
    ring = _ring(folder)
    missing = (first & _unsettled(db)) - ring
    known = {row[0] for row in db.execute("SELECT id FROM attempts")}
    strange = (ring & before & _ring(folder)) - known
    found = [Found("not_in_ring", attempt) for attempt in sorted(missing)]
    return found + [Found("only_in_ring", attempt) for attempt in sorted(strange)]
