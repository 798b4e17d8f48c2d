"""Read-only views of the last commit, on one thread and one connection of their own.

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
from urllib.parse import quote

from cloud_bridge.ports import StoreFailed
from edge_agent.journal.opening import is_disk
from edge_agent.journal.tx import Tx

T = TypeVar("T")


class Reader:
    """Opens the file at the first question; `close` when no more will come."""

    def __init__(self, path: Path, wall: Callable[[], datetime]) -> None:
        self._path = path
        self._wall = wall
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal-reader")
        self._db: sqlite3.Connection | None = None
        self._closed = False

    async def read(self, work: Callable[[Tx], T]) -> T:
        """What `work` makes of the last commit. Raises StoreFailed: closed, or the file cannot be read."""
        if self._closed:
            raise StoreFailed("the journal is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look, work)

    def _look(self, work: Callable[[Tx], T]) -> T:
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
                raise StoreFailed(f"the journal cannot be read: {error}") from error
            raise

    def _open(self) -> sqlite3.Connection:
        where = f"file:{quote(str(self._path))}?mode=ro"
        self._db = sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        return self._db

    def close(self) -> None:
        """Waits for what is being read."""
        self._closed = True
        self._thread.shutdown()
        if self._db is not None:
            self._db.close()
            self._db = None
