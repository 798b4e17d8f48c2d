"""The journal: one SQLite file, one writer thread, many small transactions sharing one fsync.

Knows transactions, migrations and the event outbox; must not know what an order, a device or MQTT is.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import queue
import sqlite3
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from cloud_bridge.envelope import rfc3339
from cloud_bridge.ports import StoreFailed
from edge_agent.journal.ring import Ring

log = logging.getLogger(__name__)
T = TypeVar("T")
MAX_BATCH = 256  # transactions sharing one fsync: bounds how long the first of them waits for the last


class JournalLocked(Exception):
    """Another agent has this folder open."""


class JournalUnusable(Exception):
    """The journal cannot be opened by this version; says why."""


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class CommitHooks:
    """Called on the writer thread around each commit; tests count and kill there."""

    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing


class Tx:
    """One transaction in progress: SQL, the events that it tells and the attempts that it arms."""

    def __init__(self, db: sqlite3.Connection, wall: Callable[[], datetime]) -> None:
        self.db = db
        self.wall = wall
        self.armed: list[dict[str, Any]] = []
        self.settled: list[str] = []
        self.touched: set[str] = set()  # devices whose lanes have something to look at
        self.told = False

    def one(self, sql: str, *values: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self.db.execute(sql, values).fetchall()

    def do(self, sql: str, *values: Any) -> int:
        """Runs a statement; returns the last row id."""
        return self.db.execute(sql, values).lastrowid or 0

    def now(self) -> str:
        return rfc3339(self.wall())

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

    def meta(self, key: str, default: str = "") -> str:
        row = self.one("SELECT value FROM meta WHERE key = ?", key)
        return str(row[0]) if row else default

    def set_meta(self, key: str, value: str) -> None:
        self.do("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)


@dataclass(slots=True)
class _Job:
    work: Callable[[Tx], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Journal:
    """Open with `Journal.open(folder)`; every state of the branch that must not be lost goes through `write`."""

    def __init__(self, folder: Path, hooks: CommitHooks, wall: Callable[[], datetime]) -> None:
        """Takes the lock and opens the files, blocking; use `open`. Raises JournalLocked, JournalUnusable, OSError."""
        self.folder = folder
        self.path = folder / "journal.sqlite3"
        self._hooks = hooks
        self._wall = wall
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._told = asyncio.Event()
        self._on_touched: Callable[[set[str]], None] = lambda _devices: None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="journal-reader")
        self._read_db: sqlite3.Connection | None = None
        self._closed = False
        self.commits = 0
        self.id = ""
        self.epoch = 0
        self.is_new = False
        self.quarantined = False
        self.orphans: list[dict[str, Any]] = []  # armed attempts of a lost predecessor, from the ring
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = self._take_lock()
        self.ring = Ring(folder / "armed.ring")
        self._db = self._open_or_quarantine()
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
        await journal.write(journal._start)
        return journal

    def _take_lock(self) -> int:
        fd = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(fd)
            raise JournalLocked(f"{self.folder} is in use by another agent") from error
        return fd

    def _open_or_quarantine(self) -> sqlite3.Connection:
        try:
            return self._open_file()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise JournalUnusable(f"{self.path}: {error}") from error
            return self._quarantine(error)

    def _quarantine(self, error: sqlite3.DatabaseError) -> sqlite3.Connection:
        number = 1 + len(list(self.folder.glob("journal.sqlite3.unreadable-*[0-9]")))
        for suffix in ("", "-wal", "-shm"):
            source = self.folder / f"journal.sqlite3{suffix}"
            if source.exists():
                source.rename(self.folder / f"journal.sqlite3.unreadable-{number}{suffix}")
        self.quarantined = True
        log.error("journal unreadable (%s): kept as journal.sqlite3.unreadable-%d, a new one is begun", error, number)
        return self._open_file()

    def _open_file(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")  # a commit that returned survives a power cut
            _migrate(db)
        except BaseException:
            db.close()
            raise
        return db

    def _start(self, tx: Tx) -> None:
        self.id = tx.meta("journal")
        if not self.id:
            self.id = str(uuid.uuid4())
            tx.set_meta("journal", self.id)
        self.is_new = tx.last_seq() == 0  # a start that died before it told anything has not begun the journal
        self.quarantined = self.is_new and any(self.folder.glob("journal.sqlite3.unreadable-*"))
        self.epoch = int(tx.meta("epoch", "0")) + 1
        tx.set_meta("epoch", str(self.epoch))
        for entry in list(self.ring.entries.values()):
            row = tx.one("SELECT state FROM attempts WHERE id = ?", entry["attempt"])
            if row is None and self.is_new:
                self.orphans.append(entry)
            elif row is None or row["state"] not in ("armed", "acting", "waiting", "in_doubt"):
                tx.settled.append(entry["attempt"])  # without a row its arming was never committed: nothing was sent

    async def close(self) -> None:
        """Finishes what is queued, then closes. Harmless when closed already."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._reader.submit(self._close_reader)
        self._reader.shutdown()
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
        else:
            self._jobs.put(_Job(work, future))
        return future

    async def write(self, work: Callable[[Tx], T]) -> T:
        """One transaction, durable when it returns. When cancelled, the commit is finished first."""
        future = self.post(work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):  # its error belongs to a caller that is gone
                await asyncio.wait([future])
            raise

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
        tx = Tx(self._db, self._wall)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for job in batch:
                self._run(tx, job)
            for entry in tx.armed:
                self.ring.put(entry)
            self._hooks.before()
            self.ring.sync()
            self._db.execute("COMMIT")
            self._hooks.after()
            for attempt in tx.settled:
                self.ring.clear(attempt)
        except (sqlite3.Error, OSError) as error:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            log.error("journal cannot write: %s", error)
            for job in batch:
                job.error = StoreFailed(f"the journal cannot write: {error}")
        self.commits += 1
        self._loop.call_soon_threadsafe(self._resolve, batch, tx)

    def _run(self, tx: Tx, job: _Job) -> None:
        armed, settled = len(tx.armed), len(tx.settled)
        self._db.execute("SAVEPOINT job")
        try:
            job.result = job.work(tx)
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            if not isinstance(error, sqlite3.IntegrityError):
                raise
            job.error = error
        except Exception as error:  # noqa: BLE001  # belongs to whoever asked: it is raised there
            job.error = error
        if job.error is not None:
            self._db.execute("ROLLBACK TO job")
            del tx.armed[armed:], tx.settled[settled:]
        self._db.execute("RELEASE job")

    def _resolve(self, batch: list[_Job], tx: Tx) -> None:
        for job in batch:
            if job.future.cancelled():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
                job.future.exception()  # a posted job nobody awaits must not warn; awaiters still get it
            else:
                job.future.set_result(job.result)
        if tx.told:
            self._told.set()
        if tx.touched:
            self._on_touched(tx.touched)

    # -- reading -------------------------------------------------------------------------------------------------------

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Runs `work` on a read-only view of the last commit."""
        return await self._loop.run_in_executor(self._reader, self._read, work)

    def _read(self, work: Callable[[Tx], T]) -> T:
        if self._read_db is None:
            where = f"file:{quote(str(self.path))}?mode=ro"
            self._read_db = sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False)
            self._read_db.row_factory = sqlite3.Row
        db = self._read_db
        db.execute("BEGIN")
        try:
            return work(Tx(db, self._wall))
        finally:
            db.execute("COMMIT")

    def _close_reader(self) -> None:
        if self._read_db is not None:
            self._read_db.close()

    async def changed(self) -> None:
        """Returns when rows were added to the outbox since the last call returned."""
        await self._told.wait()
        self._told.clear()

    def on_touched(self, wake: Callable[[set[str]], None]) -> None:
        """`wake` is told after a commit which devices' lanes have something to look at."""
        self._on_touched = wake


def _migrate(db: sqlite3.Connection) -> None:
    folder = resources.files(__package__).joinpath("migrations")
    files = sorted((p for p in folder.iterdir() if p.name.endswith(".sql")), key=lambda p: p.name)
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > len(files):
        raise JournalUnusable(
            f"the journal has version {version}, this agent knows {len(files)}: install the newer agent again"
        )
    for number, file in enumerate(files, 1):
        if number > version:
            db.executescript(f"BEGIN IMMEDIATE;\n{file.read_text('utf-8')}\nPRAGMA user_version = {number};\nCOMMIT;")
