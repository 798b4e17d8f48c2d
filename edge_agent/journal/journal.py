"""The journal: one SQLite file, one writer thread, many small transactions sharing one fsync.

Knows who waits for which commit; must not know what an order, a device or MQTT is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import sqlite3
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from cloud_bridge.ports import StoreFailed
from edge_agent.journal import opening
from edge_agent.journal.opening import JournalLocked, JournalUnusable, Unreadable
from edge_agent.journal.reading import Reader
from edge_agent.journal.ring import Ring, RingFull
from edge_agent.journal.tx import Tx

__all__ = ["CommitHooks", "Journal", "JournalLocked", "JournalUnusable", "Tx"]
log = logging.getLogger(__name__)
T = TypeVar("T")
MAX_BATCH = 256  # transactions sharing one fsync: bounds how long the first of them waits for the last


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class CommitHooks:
    """Called on the writer thread around each commit; tests count and kill there.

    What `before` raises fails the commit; `after` must not raise.
    """

    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing


@dataclass(slots=True)
class _Job:
    work: Callable[[Tx], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None
    tx: Tx | None = None  # what it told and armed; None unless its changes stand


class Journal:
    """Open with `Journal.open(folder)`; every state of the branch that must not be lost goes through `write`."""

    def __init__(self, folder: Path, hooks: CommitHooks, wall: Callable[[], datetime]) -> None:
        """Takes the lock and opens the files, blocking; use `open`. Raises JournalLocked, JournalUnusable, OSError."""
        self.folder = folder
        self.path = folder / opening.NAME
        self._hooks = hooks
        self._wall = wall
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._told = asyncio.Event()
        self._on_touched: Callable[[set[str]], None] = lambda _devices: None
        self._reader = Reader(self.path, wall)
        self._closed = False
        self.commits = 0
        self.id = ""
        self.epoch = 0
        self.is_new = False
        self.quarantined = False
        self.orphans: list[dict[str, Any]] = []  # armed attempts of a lost predecessor, from the ring
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as undo:
            self._lock = opening.take_lock(folder)
            undo.callback(os.close, self._lock)
            self.ring = Ring(folder / "armed.ring")
            undo.callback(self.ring.close)
            self._db = self._open_or_quarantine()
            undo.pop_all()
        self._thread = threading.Thread(target=self._write_loop, name="journal-writer", daemon=True)
        self._thread.start()

    # -- opening and closing -------------------------------------------------------------------------------------------

    @classmethod
    async def open(
        cls, folder: Path, hooks: CommitHooks = CommitHooks(), wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> Journal:
        """Opens or creates the journal in `folder`. Raises JournalLocked, JournalUnusable (newer, no rights)."""
        try:
            journal = cls(folder, hooks, wall)
        except OSError as error:
            raise JournalUnusable(f"{folder}: {error.strerror or error}") from error
        try:
            await journal.write(journal._start)
        except BaseException as error:
            await journal.close()
            if isinstance(error, StoreFailed | sqlite3.Error):
                raise JournalUnusable(f"{folder}: {error}") from error
            raise
        return journal

    def _open_or_quarantine(self) -> sqlite3.Connection:
        try:
            return self._open_file()
        except Unreadable as why:
            opening.quarantine(self.folder, why)
        try:
            return self._open_file()
        except Unreadable as why:
            raise JournalUnusable(f"{self.path}: a new journal cannot be read back: {why}") from why

    def _open_file(self) -> sqlite3.Connection:
        return opening.open_database(self.path)

    def _start(self, tx: Tx) -> None:
        self.id = tx.meta("journal")
        if not self.id:
            self.id = str(uuid.uuid4())
            tx.set_meta("journal", self.id)
        self.is_new = tx.last_seq() == 0  # a start that died before it told anything has not begun the journal
        self.quarantined = self.is_new and opening.any_quarantined(self.folder)
        self.epoch = int(tx.meta("epoch", "0")) + 1
        tx.set_meta("epoch", str(self.epoch))
        adopted = tx.meta("adopted") == "1"
        for entry in list(self.ring.entries.values()):
            row = tx.one("SELECT state FROM attempts WHERE id = ?", entry["attempt"])
            if row is None and not adopted:  # of a predecessor; kept until people have looked, also if this one is lost
                self.orphans += [entry] if self.is_new else []
            elif row is None or row["state"] not in ("armed", "acting", "waiting", "in_doubt"):
                tx.settled.append(entry["attempt"])  # without a row its arming was never committed: nothing was sent

    async def close(self) -> None:
        """Finishes what is queued, then closes. Harmless when closed already."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader.close()
        self._db.close()
        self.ring.close()
        os.close(self._lock)

    # -- writing -------------------------------------------------------------------------------------------------------

    def post(self, work: Callable[[Tx], T]) -> asyncio.Future[T]:
        """Queues one transaction; posted order is commit order. The future resolves after the fsync.

        What `work` raises undoes its own changes only and is raised by the future; StoreFailed: nothing was written.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if self._closed:
            future.set_exception(StoreFailed("the journal is closed"))
            future.exception()  # a posted job nobody awaits must not warn; awaiters still get it
        else:
            self._jobs.put(_Job(work, future))
        return future

    async def write(self, work: Callable[[Tx], T]) -> T:
        """One transaction, durable when it returns. When cancelled, however often, the commit is finished first."""
        future = self.post(work)
        cancelled: asyncio.CancelledError | None = None
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
        return future.result()

    def _write_loop(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch, stop = [job], False
            while len(batch) < MAX_BATCH:  # take whoever queued meanwhile; wait for nobody
                try:
                    more = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stop = True
                    break
                batch.append(more)
            self._commit(batch)
            if stop:
                return

    def _commit(self, batch: list[_Job]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for job in batch:
                self._run(job)
            self._hooks.before()
            self.ring.sync()  # before the journal: what is armed there must be known here
            self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  # whatever it is: a writer that died would hang all who wait
            self._fail(batch, error)
        else:
            self.commits += 1
            self._hooks.after()
            self._forget([attempt for job in batch if job.tx for attempt in job.tx.settled])
        self._loop.call_soon_threadsafe(self._resolve, batch)

    def _run(self, job: _Job) -> None:
        """One job of a batch. What it raises undoes itself alone; what the disk raises ends the whole batch."""
        tx = job.tx = Tx(self._db, self._wall)
        self._db.execute("SAVEPOINT job")
        try:
            job.result = job.work(tx)
        except Exception as error:  # belongs to whoever asked: it is raised there
            if isinstance(error, sqlite3.Error) and (opening.is_disk(error) or not self._db.in_transaction):
                raise
            job.error = error
        else:
            job.error = self._stage(tx)
        if job.error is not None:
            job.tx = None
            self._db.execute("ROLLBACK TO job")
        self._db.execute("RELEASE job")

    def _stage(self, tx: Tx) -> Exception | None:
        """What a job arms goes into the ring; when it doesn't fit there, the job has failed."""
        try:
            for entry in tx.armed:
                self.ring.put(entry)
        except (RingFull, ValueError, TypeError) as error:
            self._forget([entry["attempt"] for entry in tx.armed])
            return StoreFailed(f"nothing more can be armed: {error}")
        return None

    def _fail(self, batch: list[_Job], error: Exception) -> None:
        if self._db.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # the next BEGIN fails then, and tries this again
                self._db.execute("ROLLBACK")
        log.error("journal cannot write: %s", error)
        self._forget([entry["attempt"] for job in batch if job.tx for entry in job.tx.armed])
        for job in batch:
            job.tx = None
            job.error = StoreFailed(f"the journal cannot write: {error}")

    def _forget(self, attempts: list[str]) -> None:
        for attempt in attempts:
            try:
                self.ring.clear(attempt)
            except OSError as error:
                log.warning("ring: %s stays after it was settled (%s)", attempt, error)  # it only adds doubt

    def _resolve(self, batch: list[_Job]) -> None:
        stands = [job.tx for job in batch if job.tx is not None]
        for job in batch:
            _tell(job)
        if any(tx.told for tx in stands):
            self._told.set()
        touched: set[str] = set().union(*(tx.touched for tx in stands))
        if touched:
            self._on_touched(touched)

    # -- reading -------------------------------------------------------------------------------------------------------

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Runs `work` on a read-only view of the last commit. Raises StoreFailed when the file cannot be read."""
        return await self._reader.read(work)

    async def changed(self) -> None:
        """Returns when rows were added to the outbox since the last call returned."""
        await self._told.wait()
        self._told.clear()

    def on_touched(self, wake: Callable[[set[str]], None]) -> None:
        """`wake` is told after a commit which devices' lanes have something to look at."""
        self._on_touched = wake


def _tell(job: _Job) -> None:
    if job.future.done():  # whoever asked has given up
        return
    if job.error is None:
        job.future.set_result(job.result)
        return
    error = RuntimeError(repr(job.error)) if isinstance(job.error, StopIteration) else job.error  # a future takes none
    job.future.set_exception(error)
    job.future.exception()  # a posted job nobody awaits must not warn; awaiters still get it
