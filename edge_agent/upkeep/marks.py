"""Marks in the journal: on a day when the time was trusted, how far each table had come.

What stands before a mark is at least as old as the mark, whatever times a lying clock wrote into the rows.
Knows rows' numbers; must not know what is done with what is old.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloud_bridge.envelope import rfc3339
from edge_agent.clock import Clock, Grade
from edge_agent.journal.tx import Tx

EVERY = timedelta(days=1)
TABLES = ("outbox", "replies", "inbox", "notes", "audit")  # all count with AUTOINCREMENT: a number is never given twice


@dataclass(frozen=True, slots=True)
class Mark:
    """One of them: nothing up to these numbers was written after `time`."""

    number: int
    time: str
    upto: Mapping[str, int]

    @property
    def key(self) -> str:
        return f"mark/{self.number:08d}"


def marks(tx: Tx) -> list[Mark]:
    """All, as they were set."""
    rows = tx.all("SELECT key, value FROM meta WHERE key >= 'mark/' AND key < 'mark0' ORDER BY key")
    return [Mark(int(row["key"][5:]), **json.loads(row["value"])) for row in rows]


def is_due(tx: Tx, clock: Clock) -> bool:
    """Whether the time is trusted, and a day has gone by since the last one, or it was set by a wrong clock."""
    known = marks(tx)
    now, grade = clock.look()
    if grade is Grade.UNKNOWN:
        return False
    return not known or not timedelta(0) <= now - datetime.fromisoformat(known[-1].time) < EVERY


def set_mark(tx: Tx, clock: Clock) -> None:
    """Sets today's, if it is due; it stands for those of a time that has not come yet, too: a wrong clock set them."""
    if not is_due(tx, clock):
        return
    now, known = clock.now(), marks(tx)
    for wrong in known:
        if datetime.fromisoformat(wrong.time) > now:
            tx.drop_meta(wrong.key)
    counted = {row["name"]: row["seq"] for row in tx.all("SELECT name, seq FROM sqlite_sequence")}
    upto = {table: counted.get(table, 0) for table in TABLES}
    mark = Mark(known[-1].number + 1 if known else 1, rfc3339(now), upto)
    tx.set_meta(mark.key, json.dumps({"time": mark.time, "upto": upto}))


def forget(tx: Tx, clock: Clock, age: timedelta) -> None:
    """Those that are older than anything is kept, but for the newest of them: it says how far removing may go."""
    old = [mark for mark in marks(tx) if clock.older_than(mark.time, age)]
    for mark in old[:-1]:
        tx.drop_meta(mark.key)


def upto(known: list[Mark], clock: Clock, table: str, age: timedelta) -> int:
    """The last number in a table that is older than `age` for certain; 0: none."""
    old = [mark.upto.get(table, 0) for mark in known if clock.older_than(mark.time, age)]
    return max(old, default=0)
