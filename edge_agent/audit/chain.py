"""The audit chain: one row for each deed, in the transaction that does it, bound to the row before by a hash.

Knows how a row is made and hashed; must not know who may do what. Nothing here changes or removes a row.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_agent.clock import Clock
from edge_agent.journal.tx import Tx

REMOVED = "audit_removed"  # in the journal: number and hash of the last row that retention removed
COLUMNS = "seq, time, clock, door, who, proven, act, what, facts"


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done. `facts` never holds a secret."""

    act: str
    what: str
    who: tuple[str, ...]
    door: str
    proven: bool = False  # they showed credentials for this very act
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """How far the chain reaches. Whoever keeps one elsewhere can tell later that nothing before it was changed."""

    seq: int
    hash: str


def content_of(row: Mapping[str, Any] | sqlite3.Row) -> str:
    """The text of a row that is hashed; `row` has the columns of COLUMNS as they are stored."""
    return json.dumps([row[name] for name in COLUMNS.split(", ")], ensure_ascii=True)


def hash_of(before: str, row: Mapping[str, Any] | sqlite3.Row) -> str:
    """What binds a row to the hash `before` it."""
    return hashlib.sha256(f"{before}\n{content_of(row)}".encode()).hexdigest()


def beginning(journal: str) -> str:
    """The hash before the first row: no chain fits into another journal."""
    return hashlib.sha256(f"branchgate audit {journal}".encode()).hexdigest()


def removed(text: str, journal: str) -> Head:
    """What stands before the first row that is left. `text`: the journal's word on it, empty when nothing was."""
    return Head(**json.loads(text)) if text else Head(0, beginning(journal))


def head(tx: Tx) -> Head:
    """The newest row."""
    row = tx.one("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
    return Head(row["seq"], row["hash"]) if row else removed(tx.meta(REMOVED), tx.meta("journal"))


def record(tx: Tx, clock: Clock, deed: Deed) -> Head:
    """Adds a row to the caller's transaction: the deed and its row stand or fall together."""
    last = head(tx)
    row: dict[str, Any] = {
        "seq": last.seq + 1,
        "time": tx.now(),
        "clock": clock.grade().value,
        "door": deed.door,
        "who": _json(list(deed.who)),
        "proven": int(deed.proven),
        "act": deed.act,
        "what": deed.what,
        "facts": _json(dict(deed.facts)),
    }
    row["hash"] = hash_of(last.hash, row)
    marks = ", ".join(f":{name}" for name in row)
    tx.db.execute(f"INSERT INTO audit ({COLUMNS}, hash) VALUES ({marks})", row)
    return Head(row["seq"], row["hash"])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
