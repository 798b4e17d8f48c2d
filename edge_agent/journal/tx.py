"""One transaction in progress, as whoever changes or reads the branch's state sees it.

Knows rows, the outbox and what the journal says of itself; when it becomes durable is the journal's affair.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from cloud_bridge.envelope import rfc3339
from edge_agent.journal.opening import is_disk

BY_CENTRE, BY_PEOPLE = "1", "people"  # who adopted a journal (ORD-12), in its own words


class TurnBack(BaseException):
    """Something must be undone, and nothing marks where it began: the journal runs the transaction once more, `marked`.

    No error: who catches errors must not keep it from the journal.
    """


class Tx:
    """One transaction in progress: SQL, the events that it tells and the attempts that it arms."""

    def __init__(
        self,
        db: sqlite3.Connection,
        wall: Callable[[], datetime],
        *,
        disk_full: bool = False,
        marked: bool = True,
    ) -> None:
        """`disk_full`: it lives on the reserve; nothing new may be begun (OUT-4). `marked`: see `part`."""
        self.db = db
        self.wall = wall
        self.disk_full = disk_full
        self._marked = marked
        self.armed: list[dict[str, Any]] = []
        self.settled: list[str] = []
        self.touched: set[str] = set()  # devices whose lanes have something to look at
        self.told = False
        self.rows: dict[tuple[str, ...], Any] = {}  # read before: who changes one of them puts the new one here
        self.forgot_rows = False
        self._now = ""

    def forget_rows(self) -> None:
        """Back at a savepoint: what was read since may not be so."""
        self.rows.clear()
        self.forgot_rows = True

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

    def emit(self, type_: str, subject: str | None, data: dict[str, Any]) -> int:
        """Adds one event to the outbox (OUT-1); returns its seq."""
        self.told = True
        sql = "INSERT INTO outbox (type, subject, time, data) VALUES (?, ?, ?, ?)"
        return self.do(sql, type_, subject, self.now(), json.dumps(data, ensure_ascii=False, separators=(",", ":")))

    def reply(self, instruction: str, data: dict[str, Any]) -> None:
        self.told = True
        sql = "INSERT INTO replies (instruction, time, data) VALUES (?, ?, ?)"
        self.do(sql, instruction, self.now(), json.dumps(data, ensure_ascii=False, separators=(",", ":")))

    def last_seq(self) -> int:
        row = self.one("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")
        return int(row[0]) if row else 0

    @property
    def adopted(self) -> str:
        """Who said that this journal may act: BY_CENTRE, BY_PEOPLE; empty: nobody yet."""
        said = self.meta("adopted")
        return said if said in (BY_CENTRE, BY_PEOPLE) else ""

    def meta(self, key: str, default: str = "") -> str:
        row = self.one("SELECT value FROM meta WHERE key = ?", key)
        return str(row[0]) if row else default

    def set_meta(self, key: str, value: str) -> None:
        self.do("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
