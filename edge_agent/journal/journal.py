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
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from cloud_bridge.ports import StoreFailed
from edge_agent.journal import opening
from edge_agent.journal.commit import Commits
from edge_agent.journal.jobs import CommitHooks, Job, tell
from edge_agent.journal.opening import JournalLocked, JournalUnusable, Unreadable
from edge_agent.journal.reading import Reader
from edge_agent.journal.reserve import Reserve, cannot_be_written, for_want_of_space
from edge_agent.journal.ring import Ring
from edge_agent.journal.tx import Key, Tx
from edge_agent.journal.wear import Wear

__all__ = ["CommitHooks", "Journal", "JournalLocked", "JournalUnusable", "Tx"]
log = logging.getLogger(__name__)
T = TypeVar("T")
PATIENCE_S = 0.05  # what is told a moment later without harm saves an fsync of its own
_ATTEMPT = "SELECT a.state FROM attempts a JOIN orders o ON a.order_n = o.n WHERE o.id = ? AND a.id = ?"
MAX_BATCH = 256  # transactions sharing one fsync: bounds how long the first of them waits for the last


class Journal:
    """Open with `Journal.open(folder)`; every state of the branch that must not be lost goes through `write`."""

    def __init__(
        self,
        folder: Path,
        hooks: CommitHooks,
        wall: Callable[[], datetime],
        reserve: Reserve | None = None,
        read_only: str = "",
    ) -> None:
        """Takes the lock and opens the files, blocking; use `open`. Raises JournalLocked, JournalUnusable, OSError."""
        self.folder = folder
        self.reserve = reserve or Reserve(folder, 0)
        self.read_only = read_only  # why nothing can be written, or empty
        self.damaged = ""  # what was met that cannot be read back; the next start reads all of it first
        self.path = folder / opening.NAME
        self._wall = wall
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._told = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        self._on_touched: Callable[[set[str]], None] = lambda _devices: None
        self._kept: dict[Key, Any] = {}  # see `kept`
        self._reader = Reader(self.path, wall, self._met)
        self._closed = False
        self.wear = Wear()
        self._rider: Callable[[Tx], object] | None = None
        self._every_s, self._rode_s = 0.0, time.monotonic()
        self.id = ""
        self.epoch = 0
        self.is_new = False
        self.quarantined = False
        self.lost_end = False  # its log was cut, or an older copy was put in its place
        self.orphans: list[dict[str, Any]] = []  # armed attempts of a lost predecessor, from the ring
        if not read_only:
            folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as undo:
            self._lock = opening.take_lock(folder)
            undo.callback(os.close, self._lock)
            self.ring = Ring(folder / "armed.ring", read_only=bool(read_only))
            undo.callback(self.ring.close)
            self._db = self._look_into() if read_only else self._open_or_quarantine()
            undo.pop_all()
        self._commits = Commits(self._db, self.ring, hooks, wall, self.wear)
        self._thread = threading.Thread(target=self._write_loop, name="journal-writer", daemon=True)
        self._thread.start()

    # -- opening and closing -------------------------------------------------------------------------------------------

    @classmethod
    async def open(
        cls,
        folder: Path,
        hooks: CommitHooks = CommitHooks(),
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        reserve_bytes: int = 0,
    ) -> Journal:
        """Opens or creates the journal in `folder`; where nothing can be written now, to look at only (OUT-4).

        Raises JournalLocked, JournalUnusable (newer, no rights, nothing there to look at).
        """
        reserve = Reserve(folder, reserve_bytes)
        try:
            return await cls._open_to_write(folder, hooks, wall, reserve)
        except JournalUnusable as failed:
            why = cannot_be_written(folder)
            if not why:
                raise
            first = failed
        log.error("journal: %s", first)
        if why == "disk_full" and reserve.give_up():
            return await cls._open_to_write(folder, hooks, wall, reserve)
        try:
            return cls(folder, hooks, wall, reserve, read_only=why)
        except OSError as error:
            raise JournalUnusable(f"{folder}: {error.strerror or error}") from first

    @classmethod
    async def _open_to_write(
        cls, folder: Path, hooks: CommitHooks, wall: Callable[[], datetime], reserve: Reserve
    ) -> Journal:
        try:
            journal = cls(folder, hooks, wall, reserve)
        except OSError as error:
            raise JournalUnusable(f"{folder}: {error.strerror or error}") from error
        try:
            await journal.write(journal._start)
        except BaseException as error:
            await journal.close()
            if isinstance(error, StoreFailed | sqlite3.Error):
                raise JournalUnusable(f"{folder}: {error}") from error
            raise
        reserve.make()  # behind the first commit: a start on a full disk needs what it holds
        return journal

    @property
    def commits(self) -> int:
        return self.wear.commits

    @property
    def disk_full(self) -> bool:
        """The reserve is not there: what was begun is brought to its end, nothing new is begun."""
        return self.reserve.missing

    def _look_into(self) -> sqlite3.Connection:
        """Knows the journal again without writing to it. Raises JournalUnusable."""
        db = opening.look_at_journal(self.path)
        tx = Tx(db, self._wall)
        self.id, self.epoch = tx.meta("journal"), int(tx.meta("epoch", "0"))
        return db

    @property
    def store(self) -> str:
        """How the birth calls it: good, disk_full or read_only."""
        return "read_only" if self.read_only else "disk_full" if self.disk_full else "good"

    def found_damaged(self, why: str) -> None:
        """Something of it cannot be read back: the next start reads all of it first, and puts it aside if need be."""
        if not self.damaged:
            self.damaged = why
            opening.suspect(self.path)

    def _met(self, error: Exception) -> None:
        if isinstance(error, sqlite3.Error) and opening.is_damage(error):
            self.found_damaged(str(error))

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
        self.orphans, self.lost_end = [], False  # it may be called again
        self.id = tx.meta("journal")
        if not self.id:
            self.id = str(uuid.uuid4())
            tx.set_meta("journal", self.id)
        self.is_new = tx.last_seq() == 0  # a start that died before it told anything has not begun the journal
        self.quarantined = self.is_new and opening.any_quarantined(self.folder)
        self.epoch = int(tx.meta("epoch", "0")) + 1
        tx.set_meta("epoch", str(self.epoch))
        adopted = bool(tx.adopted)
        for entry in list(self.ring.entries.values()):
            row = tx.one(_ATTEMPT, entry["attempt"].partition("/")[0], entry["attempt"])
            if row is None and str(self.ring.committed_by.get(entry["attempt"])) == self.id:
                self.orphans.append(entry)  # its arming was committed here: the end of this journal is lost
                self.lost_end = True
                tx.set_meta("adopted", "")  # what it took and answered since is forgotten too (ORD-12)
            elif (
                row is None and not adopted
            ):  # of a predecessor; kept until people have looked, whatever becomes of this
                self.orphans += [entry] if self.is_new else []
            elif row is None or row["state"] not in ("armed", "acting", "waiting", "in_doubt"):
                tx.settled.append(entry["attempt"])  # without a row its arming was never committed: nothing was sent

    def orphans_told(self) -> None:
        """What is known of them is on disk by now, and their lanes are shut: people's word is the last one."""
        try:
            for orphan in self.orphans if self.lost_end else ():
                self.ring.committed(orphan["attempt"], None)
        except OSError as error:
            log.warning("ring: the next start tells of a lost end once more (%s)", error)

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

    def post(self, work: Callable[[Tx], T], *, patient: bool = False) -> asyncio.Future[T]:
        """Queues one transaction; posted order is commit order. The future resolves after the fsync.

        `patient`: nobody waits for it, so it goes with the next commit, or after PATIENCE_S with one of its own.
        What `work` raises undoes its own changes only and is raised by the future; StoreFailed: nothing was written.
        It may be called again with another transaction, when that one could not stand: it changes nothing beside it.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        if self._closed or self.read_only:
            why = "the journal is closed" if self._closed else f"the journal cannot be written ({self.read_only})"
            future.set_exception(StoreFailed(why))
            future.exception()  # a posted job nobody awaits must not warn; awaiters still get it
        else:
            self._jobs.put(Job(work, future, patient))
        return future

    async def write(self, work: Callable[[Tx], T], *, patient: bool = False) -> T:
        """One transaction, durable when it returns. When cancelled, however often, the commit is finished first."""
        future = self.post(work, patient=patient)
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
            batch, stop = self._gather(job)
            self._commit(batch)
            if stop:
                return

    def _gather(self, first: Job) -> tuple[list[Job], bool]:
        """Whoever queued meanwhile, waiting for nobody; patient ones wait together. And whether no more will come."""
        batch, until_s = [first], time.monotonic() + PATIENCE_S
        while len(batch) < MAX_BATCH:
            left_s = until_s - time.monotonic() if all(job.patient for job in batch) else 0.0
            try:
                more = self._jobs.get(timeout=left_s) if left_s > 0 else self._jobs.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return batch, True
            batch.append(more)
        return batch, False

    def ride(self, rider: Callable[[Tx], object], every_s: float) -> None:
        """`rider` writes along, on the writer's thread, with a commit that happens anyway, and never begins one."""
        self._rider, self._every_s = rider, every_s

    def _with_rider(self, batch: list[Job]) -> list[Job]:
        if self._rider is None or time.monotonic() - self._rode_s < self._every_s:
            return batch
        self._rode_s = time.monotonic()
        return [*batch, Job(self._rider, self._loop.create_future())]

    def _commit(self, batch: list[Job]) -> None:
        batch = self._with_rider(batch)
        error = self._commits.work(batch, self.id, disk_full=self.disk_full)
        if error is not None and for_want_of_space(error, self.folder) and self.reserve.give_up():
            log.error("the disk is full (%s): the reserve is given up, nothing new is begun", error)
            error = self._commits.work(batch, self.id, disk_full=self.disk_full)
        if error is not None:
            self._fail(batch, error)
        self._loop.call_soon_threadsafe(self._resolve, batch)

    def _fail(self, batch: list[Job], error: Exception) -> None:
        log.error("journal cannot write: %s", error)
        self._met(error)
        for job in batch:
            job.tx = None
            job.error = StoreFailed(f"the journal cannot write: {error}")

    def _resolve(self, batch: list[Job]) -> None:
        stands = [job.tx for job in batch if job.tx is not None]
        for tx in stands:
            self._follow(tx)
        for job in batch:
            tell(job)
        if any(tx.told for tx in stands):
            self._told.set()
            for listener in self._listeners:
                listener()
        touched: set[str] = set().union(*(tx.touched for tx in stands))
        if touched:
            self._on_touched(touched)

    # -- reading -------------------------------------------------------------------------------------------------------

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Runs `work` on a read-only view of the last commit. Raises StoreFailed when the file cannot be read."""
        return await self._reader.read(work)

    def glance(self, work: Callable[[Tx], T]) -> T:
        """The same at once, on the loop: a few rows found by their keys cost less than a thread is asked for.

        Nothing that may be long belongs here: it would keep every lane waiting. Raises StoreFailed.
        """
        return self._reader.glance(work)

    def kept(self, key: Key, look: Callable[[Tx], Any]) -> Any:
        """A row that is asked for again and again, read once: `look` reads it into `tx.rows[key]` and returns that.

        Whoever changes it puts the new one there, and it is followed from commit to commit. Raises StoreFailed.
        """
        if key not in self._kept:
            self._kept[key] = self.glance(look)
        return self._kept[key]

    def _follow(self, tx: Tx) -> None:
        """On the loop, in the order of the commits, before anybody hears of them."""
        if tx.forgot_rows:
            self._kept.clear()  # what it changed before it forgot is not known here
        for key in self._kept.keys() & tx.rows.keys():
            self._kept[key] = tx.rows[key]

    async def changed(self) -> None:
        """Returns when rows were added to the outbox since the last call returned."""
        await self._told.wait()
        self._told.clear()

    @contextlib.contextmanager
    def listening(self, listener: Callable[[], None]) -> Iterator[None]:
        """`listener` is called after each commit that told something, for as long as this lasts."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def on_touched(self, wake: Callable[[set[str]], None]) -> None:
        """`wake` is told after a commit which devices' lanes have something to look at."""
        self._on_touched = wake
