"""Whether an audit chain is whole: every row follows from the one before, none is missing, an old head still fits.

Knows rows and hashes, and only reads. A chain that was written anew as a whole only a head kept elsewhere can tell.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge_agent.audit.chain import COLUMNS, REMOVED, Head, hash_of, removed
from edge_agent.audit.opened import MAX_FINDINGS, Found, meta_of, open_to_read
from edge_agent.journal import opening

_HEAD = re.compile(r"^([0-9]{1,18}):([0-9a-f]{64})\Z")


@dataclass(slots=True)
class Proof:
    """What a reading of the chain came to; `head` is worth keeping elsewhere."""

    folder: str
    journal: str = ""
    rows: int = 0
    first: int = 0
    head: Head | None = None
    findings: list[Found] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.good}


def head_of(text: str) -> Head | None:
    """`SEQ:HASH` as a birth tells them -> Head, or None."""
    found = _HEAD.match(text)
    return Head(int(found[1]), found[2]) if found else None


def prove(folder: Path, kept: Head | None = None) -> Proof:
    """Reads the whole chain in one view, also beside a running agent; `kept` must be in it. Raises NoJournal."""
    proof = Proof(str(folder))
    try:
        with closing(open_to_read(folder)) as db:
            db.execute("BEGIN")
            for found in chain_findings(db, proof, kept):
                proof.findings.append(found)
                if len(proof.findings) >= MAX_FINDINGS:
                    break
    except (sqlite3.Error, UnicodeDecodeError, ValueError, TypeError) as error:
        proof.findings.append(Found("unreadable", opening.NAME, str(error)))
    return proof


def chain_findings(db: sqlite3.Connection, proof: Proof, kept: Head | None = None) -> Iterator[Found]:
    """Every row that does not follow. Raises sqlite3.Error, ValueError (what was removed cannot be read)."""
    proof.journal = meta_of(db, "journal")
    last = before = removed(meta_of(db, REMOVED), proof.journal)
    proof.first = last.seq + 1
    seen = kept is None or kept.seq < before.seq or kept == before
    for row in db.execute(f"SELECT {COLUMNS}, hash FROM audit ORDER BY seq"):
        if row["seq"] != last.seq + 1:
            yield Found("audit_missing", f"audit {last.seq + 1}", f"{last.seq + 1}-{row['seq'] - 1}")
        elif row["hash"] != hash_of(last.hash, row):
            yield Found("audit_broken", f"audit {row['seq']}")
        last = Head(row["seq"], row["hash"])
        seen = seen or last == kept
        proof.rows += 1
    proof.head = last
    given = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    if given and given[0] > last.seq:
        yield Found("audit_missing", f"audit {last.seq + 1}", f"{last.seq + 1}-{given[0]}")
    if not seen and kept is not None:
        yield Found("audit_head", f"audit {kept.seq}", kept.hash)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows somebody wants to see: the newest `last` of those that fit."""

    last: int = 50
    who: str = ""
    what: str = ""
    act: str = ""


def rows(folder: Path, wanted: Wanted) -> list[dict[str, Any]]:
    """Rows as they are told, oldest first. Raises NoJournal, sqlite3.Error."""
    conditions = {"who": "who LIKE ?", "what": "what = ?", "act": "(act = ? OR act LIKE ? || '.%')"}
    values: list[Any] = []
    asked: list[str] = []
    for name, sql in conditions.items():
        if value := getattr(wanted, name):
            asked.append(sql)
            values += [f'%"{_escaped(value)}"%' if name == "who" else value] * sql.count("?")
    where = f"WHERE {' AND '.join(asked)}" if asked else ""
    with closing(open_to_read(folder)) as db:
        sql = f"SELECT {COLUMNS}, hash FROM audit {where} ORDER BY seq DESC LIMIT ?"
        return [told(row) for row in reversed(db.execute(sql, (*values, wanted.last)).fetchall())]


def _escaped(who: str) -> str:
    return who if who.startswith("/") else f"/people/{who}"


def told(row: sqlite3.Row) -> dict[str, Any]:
    """One row as JSON."""
    members = dict(row)
    members["who"], members["facts"] = json.loads(members["who"]), json.loads(members["facts"])
    return members | {"proven": bool(members["proven"])}
