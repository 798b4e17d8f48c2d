"""What is removed from the journal, and when: nothing while the time is not trusted, nothing that is owed (INS-11).

All deletions of rows stand here. Knows tables and ages; must not know why a row was written.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from cloud_bridge.envelope import rfc3339
from cloud_bridge.ports import StoreFailed
from edge_agent.audit.chain import REMOVED as AUDIT_REMOVED
from edge_agent.clock import Clock, Grade
from edge_agent.journal.journal import Journal
from edge_agent.journal.tx import Tx
from edge_agent.orders.intake import FLOOR
from edge_agent.orders.requests import REMOVED
from edge_agent.upkeep.compaction import compact
from edge_agent.upkeep.marks import Mark, forget, is_due, marks, set_mark, upto
from edge_agent.upkeep.size import note_gone
from edge_agent.upkeep.wearing import WearBook

log = logging.getLogger(__name__)
SWEEP_S = 3600.0
PAUSE_S = 0.1  # between two removals: whoever waits for a commit goes first
CHUNK = 200  # rows that one transaction removes at most: some milliseconds on slow flash
AFTER_DEADLINE = timedelta(days=7)  # INS-11
WITHOUT_DEADLINE = timedelta(days=97)  # no deadline could be read: as long as the latest that there could be
REPLIES = timedelta(days=7)  # acknowledged: a repeat is answered from the inbox, not from here

OLDEST = 500  # orders looked at in one transaction: they end about as they were accepted

_UNSETTLED = "a.state IN ('armed', 'acting', 'waiting', 'in_doubt')"  # word for word what its index says
_STILL_EVIDENCE = f"SELECT 1 FROM attempts a WHERE a.device = notes.device AND a.mark < notes.n AND {_UNSETTLED}"
_OPEN_ORDER = "SELECT 1 FROM orders o WHERE o.n = outbox.order_n AND o.step IS NOT NULL"
_IN_USE = (
    "o.step IS NOT NULL OR EXISTS (SELECT 1 FROM outbox WHERE outbox.order_n = o.n) "
    "OR EXISTS (SELECT 1 FROM lanes l WHERE l.holder = o.id OR substr(l.attempt, 1, length(o.id) + 1) = o.id || '/') "
    f"OR EXISTS (SELECT 1 FROM attempts a WHERE a.order_n = o.n AND {_UNSETTLED}) "
    "OR EXISTS (SELECT 1 FROM documents d WHERE d.order_id = o.id AND d.state IN ('wanted', 'fetched'))"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of rows: the numbers of some that are due, and how a transaction removes them."""

    table: str
    due: Callable[[Tx, Clock, list[Mark]], list[int]]
    remove: Callable[[Tx, list[int]], int]


Remove = Callable[[Tx, list[int]], int]  # how many rows of the table went


def _by_mark(table: str, key: str, where: str, age: timedelta, remove: Remove | None = None) -> Part:
    """Rows that a mark says are old, and that nobody waits for."""

    def due(tx: Tx, clock: Clock, known: list[Mark]) -> list[int]:
        last = upto(known, clock, table, age)
        sql = f"SELECT {key} FROM {table} WHERE {key} <= ? AND {where} ORDER BY {key} LIMIT {CHUNK}"
        return [row[0] for row in tx.all(sql, last)] if last else []

    def remove_rows(tx: Tx, keys: list[int]) -> int:
        return tx.db.executemany(f"DELETE FROM {table} WHERE {key} = ?", [(number,) for number in keys]).rowcount

    return Part(table, due, remove or remove_rows)


def _due_inbox(tx: Tx, clock: Clock, known: list[Mark]) -> list[int]:
    now, grade = clock.look()
    if grade is Grade.UNKNOWN:
        return []
    sql = "SELECT n FROM inbox WHERE deadline <= ? LIMIT ?"  # by its index: which of them go first is all the same
    return [row[0] for row in tx.all(sql, rfc3339(now - AFTER_DEADLINE), CHUNK)]


def _remove_inbox(tx: Tx, keys: list[int]) -> int:
    """The newest deadline removed is the floor, in the same transaction: what is forgotten stays refused."""
    marked = ", ".join("?" * len(keys))
    newest = tx.one(f"SELECT max(deadline) FROM inbox WHERE n IN ({marked})", *keys)
    if newest is not None and newest[0] is not None:
        tx.set_meta(FLOOR, max(tx.meta(FLOOR), newest[0]))
    return tx.db.executemany("DELETE FROM inbox WHERE n = ?", [(number,) for number in keys]).rowcount


def _remove_events(tx: Tx, keys: list[int]) -> int:
    """Up to the highest of them nothing can be sent again as a whole (SES-6)."""
    tx.set_meta(REMOVED, str(max(int(tx.meta(REMOVED, "0")), *keys)))
    return tx.db.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in keys]).rowcount


def _remove_audit(tx: Tx, keys: list[int]) -> int:
    """A prefix goes and leaves its last number and hash: what is left can still be verified from there."""
    last = tx.one("SELECT seq, hash FROM audit WHERE seq = ?", max(keys))
    if last is None:
        return 0
    tx.set_meta(AUDIT_REMOVED, json.dumps(dict(last)))
    return tx.db.execute("DELETE FROM audit WHERE seq <= ?", (last["seq"],)).rowcount


def _due_orders(tx: Tx, clock: Clock, known: list[Mark]) -> list[int]:
    """Ended, and the last event of them was removed: nobody can ask what became of them any more."""
    sql = f"SELECT n FROM (SELECT * FROM orders ORDER BY n LIMIT {OLDEST}) o WHERE NOT ({_IN_USE}) LIMIT {CHUNK // 10}"
    return [row[0] for row in tx.all(sql)]


def _remove_orders(tx: Tx, keys: list[int]) -> int:
    gone = 0
    for number in keys:
        row = tx.one(f"SELECT id FROM orders o WHERE n = ? AND NOT ({_IN_USE})", number)
        if row is None:
            continue
        for table in ("documents", "codes"):
            tx.do(f"DELETE FROM {table} WHERE order_id = ?", row["id"])
        # By its key: an attempt is {order}/{step}/{k}, and "0" is what follows "/".
        tx.do("DELETE FROM approvals WHERE attempt > ? || '/' AND attempt < ? || '0'", row["id"], row["id"])
        for table in ("attempts", "steps"):
            tx.do(f"DELETE FROM {table} WHERE order_n = ?", number)
        tx.do("DELETE FROM orders WHERE n = ?", number)
        gone += 1
    tx.forget_rows()
    return gone


def parts(audit: timedelta) -> tuple[Part, ...]:
    """In the order in which they are swept: an order's rows go behind its last event."""
    return (
        Part("inbox", _due_inbox, _remove_inbox),
        _by_mark("inbox", "n", "deadline IS NULL AND type != 'adopted'", WITHOUT_DEADLINE),
        _by_mark("replies", "n", "sent = 1", REPLIES),
        _by_mark("outbox", "seq", f"sent = 1 AND NOT EXISTS ({_OPEN_ORDER})", audit, _remove_events),
        _by_mark("audit", "seq", "TRUE", audit, _remove_audit),
        _by_mark("notes", "n", f"NOT EXISTS ({_STILL_EVIDENCE})", audit),
        Part("orders", _due_orders, _remove_orders),
    )


class Retention:
    """Run as one task. `audit`: how long what happened is kept, at least."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        audit: timedelta,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wear: WearBook | None = None,
    ) -> None:
        """`wear` is put down as often as there is a sweep."""
        self._wear = wear
        self._journal = journal
        self._clock = clock
        self._audit = audit
        self._sleep = sleep

    async def run(self) -> None:
        while True:
            try:
                if not self._journal.read_only:
                    await self._round()
            except StoreFailed as error:
                log.error("retention rests: %s", error)
            await self._sleep(SWEEP_S)

    async def _round(self) -> None:
        if removed := await self.sweep():
            log.info("journal: %d rows removed that nobody is owed any more", removed)
        if shorter := await compact(self._journal, self._sleep):
            log.info("journal: %d free bytes given back", shorter)
        if self._wear is not None:
            await self._wear.keep()

    async def sweep(self) -> int:
        """Removes all that is due, a few rows at a time; how many rows. Raises StoreFailed."""
        if await self._journal.read(lambda tx: is_due(tx, self._clock)):
            await self._journal.write(self._mark)
        removed = 0
        for part in parts(self._audit):
            while await self._journal.read(partial(self._due, part=part)):
                gone = await self._journal.write(partial(self._remove, part=part))
                if not gone:
                    break
                removed += gone
                await self._sleep(PAUSE_S)
        return removed

    def _mark(self, tx: Tx) -> None:
        set_mark(tx, self._clock)
        forget(tx, self._clock, max(self._audit, WITHOUT_DEADLINE))

    def _due(self, tx: Tx, part: Part) -> list[int]:
        return part.due(tx, self._clock, marks(tx))

    def _remove(self, tx: Tx, part: Part) -> int:
        """Looks anew where it counts: time may have become doubtful since, or events asked for again."""
        keys = self._due(tx, part)
        if not keys:
            return 0
        gone = part.remove(tx, keys)
        note_gone(tx, part.table, gone)
        return gone
