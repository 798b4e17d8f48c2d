"""One transaction in progress, as whoever changes or reads the branch's state sees it.

Knows rows, the outbox and what the journal says of itself; when it becomes durable is the journal's affair.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Protocol

from cloud_bridge.envelope import rfc3339
from edge_agent.journal.opening import is_disk

Key = tuple[str, ...]  # which row it is: its kind, and what names it
BY_CENTRE, BY_PEOPLE = "1", "people"  # who adopted a journal (ORD-12), in its own words


_LAST_SEQ = ("last_seq",)
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class TurnBack(BaseException):
    """Something must be undone, and nothing marks where it began: the journal runs the transaction once more, `marked`.

    No error: who catches errors must not keep it from the journal.
    """


class Known(Protocol):
    """Rows as they stood before the transaction."""

    def __getitem__(self, key: Key) -> Any:
        """None: not known."""


class _Nothing:
    def __getitem__(self, key: Key) -> None:
        return None


NOTHING = _Nothing()


class Tx:
    """One transaction in progress: SQL, the events that it tells and the attempts that it arms."""

    def __init__(
        self,
        db: sqlite3.Connection,
        wall: Callable[[], datetime],
        *,
        disk_full: bool = False,
        marked: bool = True,
        before: Known = NOTHING,
    ) -> None:
        """`disk_full`: it lives on the reserve; nothing new may be begun (OUT-4). `marked`: see `part`.

        `before`: rows that need not be read, for nobody has changed them since.
        """
        self.db = db
        self.wall = wall
        self.disk_full = disk_full
        self._marked = marked
        self.armed: list[dict[str, Any]] = []
        self.settled: list[str] = []
        self.touched: set[str] = set()  # devices whose lanes have something to look at
        self.told = False
        self.rows: dict[Key, Any] = {}  # read or written here: who changes one puts the new one here; None: removed
        self.forgot_rows = False
        self._before = before
        self._now = ""

    def forget_rows(self) -> None:
        """Back at a savepoint: what was read since may not be so."""
        self.rows.clear()
        self._before = NOTHING
        self.forgot_rows = True

    def row(self, key: Key) -> Any:
        """As it stands now, if it was read or written already; None: ask SQLite."""
        return self.rows[key] if key in self.rows else self._before[key]

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """What is raised inside undoes what was changed inside, and is raised; what the disk raises is the journal's.

        A savepoint copies each page that is changed behind it, and hardly one in thousands is needed. So there is
        one only where the transaction is `marked`; else what was changed inside makes all of it turn back (TurnBack).
        """
        before = self.db.total_changes
        if self._marked:
            self.do("SAVEPOINT part")
        try:
            yield
        except Exception as error:
            if not self.db.in_transaction or (isinstance(error, sqlite3.Error) and is_disk(error)):
                raise
            if not self._marked and self.db.total_changes != before:
                raise TurnBack from None
            if self._marked:
                self.do("ROLLBACK TO part")
                self.do("RELEASE part")
            self.forget_rows()
            raise
        if self._marked:
            self.do("RELEASE part")

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self.db.execute(sql, values).fetchall()

    def do(self, sql: str, *values: Any) -> int:
        """Runs a statement; returns the last row id."""
        return self.db.execute(sql, values).lastrowid or 0

    def now(self) -> str:
        """The same for all that one transaction tells."""
        self._now = self._now or rfc3339(self.wall())
        return self._now

    def emit(self, type_: str, subject: str | None, data: dict[str, Any], order_n: int | None = None) -> int:
        """Adds one event to the outbox (OUT-1); returns its seq. `order_n`: the order that it tells of."""
        self.told = True
        sql = "INSERT INTO outbox (type, subject, time, data, order_n) VALUES (?, ?, ?, ?, ?)"
        seq = self.rows[_LAST_SEQ] = self.do(sql, type_, subject, self.now(), _json(data), order_n)
        return seq

    def reply(self, instruction: str, data: dict[str, Any]) -> None:
        self.told = True
        sql = "INSERT INTO replies (instruction, time, data) VALUES (?, ?, ?)"
        self.do(sql, instruction, self.now(), _json(data))

    def last_seq(self) -> int:
        seq: int | None = self.row(_LAST_SEQ)
        if seq is None:
            row = self.one("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")
            seq = self.rows[_LAST_SEQ] = int(row[0]) if row else 0
        return seq

    @property
    def adopted(self) -> str:
        """Who said that this journal may act: BY_CENTRE, BY_PEOPLE; empty: nobody yet."""
        said = self.meta("adopted")
        return said if said in (BY_CENTRE, BY_PEOPLE) else ""

    def meta(self, key: str, default: str = "") -> str:
        kept: tuple[str | None] | None = self.row(("meta", key))
        if kept is None:
            row = self.one("SELECT value FROM meta WHERE key = ?", key)
            kept = self.rows["meta", key] = (str(row[0]) if row else None,)
        return default if kept[0] is None else kept[0]

    def set_meta(self, key: str, value: str) -> None:
        self.do("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
        self.rows["meta", key] = (value,)

    def drop_meta(self, key: str) -> None:
        self.do("DELETE FROM meta WHERE key = ?", key)
        self.rows["meta", key] = (None,)
