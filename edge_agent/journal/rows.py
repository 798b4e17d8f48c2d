"""Rows that the writer has read or written already, kept from one transaction to the next.

Knows keys and when nothing may be believed any more; must not know what a row says. Whoever changes a row in a
transaction puts the new one into `tx.rows`, or forgets all (`tx.forget_rows`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from edge_agent.journal.tx import Key, Tx

KEPT_ROWS = 512  # of open orders mostly, five for each: a megabyte at most; the oldest go first


class KeptRows:
    """As they stand behind the newest job of the writer; `begin` each transaction, `forget` what was rolled back."""

    def __init__(self) -> None:
        self._rows: dict[Key, Any] = {}
        self._version = -1

    def begin(self, db: sqlite3.Connection) -> None:
        """Within the transaction: nothing is believed if another connection committed anything since the last one.

        SQLite counts that itself (`data_version`), and nobody else can write while this transaction is open.
        """
        version: int = db.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self.forget()
        self._version = version

    def __getitem__(self, key: Key) -> Any:
        """None: not kept."""
        return self._rows.get(key)

    def __iter__(self) -> Iterator[Key]:
        return iter(list(self._rows))

    def take(self, tx: Tx) -> None:
        """What a transaction leaves that stands; the next one in the same commit sees it."""
        if tx.forgot_rows:
            self.forget()  # what it changed before it forgot is not known here
        for key, row in tx.rows.items():
            self._rows.pop(key, None)
            if row is not None:
                self._rows[key] = row
        while len(self._rows) > KEPT_ROWS:
            del self._rows[next(iter(self._rows))]

    def forget(self) -> None:
        self._rows.clear()
