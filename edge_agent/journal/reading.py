"""Read-only views of the last commit: aside on a thread, or at a glance where it is asked for.

Knows how to look; must not be able to write.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cloud_bridge.ports import StoreFailed
from edge_agent.journal.opening import is_disk, look_into
from edge_agent.journal.tx import Tx

T = TypeVar("T")


class View:
    """One connection that opens the file at the first question; for one thread at a time."""

    def __init__(self, path: Path, wall: Callable[[], datetime], failed: Callable[[sqlite3.Error], None]) -> None:
        self._path = path
        self._wall = wall
        self._failed = failed
        self._db: sqlite3.Connection | None = None

    def look(self, work: Callable[[Tx], T]) -> T:
        """What `work` makes of the last commit. Raises StoreFailed."""
        try:
            db = self._db or self._open()
            db.execute("BEGIN")
            try:
                return work(Tx(db, self._wall))
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")  # nothing was written
        except sqlite3.Error as error:
            if is_disk(error):
                self._failed(error)
                raise StoreFailed(f"the journal cannot be read: {error}") from error
            raise

    def _open(self) -> sqlite3.Connection:
        self._db = look_into(self._path)
        return self._db

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


class Reader:
    """Reads aside or at a glance; `close` when no more questions will come."""

    def __init__(
        self, path: Path, wall: Callable[[], datetime], failed: Callable[[sqlite3.Error], None] = lambda _error: None
    ) -> None:
        """`failed` hears of each error of the disk, on the thread that met it."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal-reader")
        self._aside = View(path, wall, failed)
        self._here = View(path, wall, failed)
        self._closed = False

    async def read(self, work: Callable[[Tx], T]) -> T:
        """What `work` makes of the last commit. Raises StoreFailed: closed, or the file cannot be read."""
        self._raise_if_closed()
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._aside.look, work)

    def glance(self, work: Callable[[Tx], T]) -> T:
        """The same, on the caller's thread: for a few rows found by their keys. Raises StoreFailed."""
        self._raise_if_closed()
        return self._here.look(work)

    def _raise_if_closed(self) -> None:
        if self._closed:
            raise StoreFailed("the journal is closed")

    def close(self) -> None:
        """Waits for what is being read."""
        self._closed = True
        self._thread.shutdown()
        self._aside.close()
        self._here.close()
