"""Reading a long journal through while the agent works: a verdict, table by table.

Knows SQLite's own check; must not hold up a writer, nor outlive whoever asked.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from pathlib import Path

from edge_agent.journal.opening import code_of, is_damage, look_into

log = logging.getLogger(__name__)


class Checking:
    """One pass over a journal on a thread of its own; a view per table, for one of all would keep the log growing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._stopped = threading.Event()

    async def run(self) -> str:
        """What is damaged, or an empty string. When cancelled the reading ends first."""
        reading = asyncio.ensure_future(asyncio.to_thread(self._check))
        try:
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            self._stopped.set()
            if self._db is not None:
                self._db.interrupt()
            await asyncio.wait([reading])
            raise

    def _check(self) -> str:
        try:
            self._db = look_into(self._path)
            try:
                return self._tables(self._db)
            finally:
                self._db.close()
        except sqlite3.Error as error:
            if code_of(error) == sqlite3.SQLITE_INTERRUPT:
                return ""
            if not is_damage(error):
                log.warning("%s could not be checked: %s", self._path, error)
                return ""
            return str(error)

    def _tables(self, db: sqlite3.Connection) -> str:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        for name in names:
            if self._stopped.is_set():
                return ""
            found = str(db.execute(f"PRAGMA quick_check('{name}')").fetchone()[0])
            if found != "ok" and not self._stopped.is_set():
                return f"{name}: {found}".replace("\n", " ")
        return ""
