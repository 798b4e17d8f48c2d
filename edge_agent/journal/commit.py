"""How a batch of jobs becomes one commit: run, armed in the ring, fsync'd, or undone as if it had never been.

Knows SQLite, the ring and what must come before what; must not know who waits for a job, nor when there is one. All of
it runs on the writer's thread.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import uuid
from collections.abc import Callable
from datetime import datetime

from cloud_bridge.ports import StoreFailed
from edge_agent.journal import opening
from edge_agent.journal.jobs import CommitHooks, Job
from edge_agent.journal.ring import Ring, RingFull
from edge_agent.journal.rows import KeptRows
from edge_agent.journal.tx import TurnBack, Tx
from edge_agent.journal.wear import Wear

log = logging.getLogger(__name__)


class Commits:
    """`work` says what a commit consists of; everything else is its parts."""

    def __init__(
        self, db: sqlite3.Connection, ring: Ring, hooks: CommitHooks, wall: Callable[[], datetime], wear: Wear
    ) -> None:
        self.rows = KeptRows()
        self._db = db
        self._ring = ring
        self._hooks = hooks
        self._wall = wall
        self._wear = wear

    def work(self, batch: list[Job], journal: str, *, disk_full: bool) -> Exception | None:
        """One commit of the whole batch, or nothing of it and the reason. `journal`: its id, for what it arms."""
        try:
            self._run_all(batch, disk_full=disk_full)
            self._hooks.before()
            self._ring.sync()  # before the journal: what is armed there must be known here
            self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  # whatever it is: a writer that died would hang all who wait
            self._undo(batch)
            return error
        self._wear.count(len(batch))
        self._hooks.after()
        self._note_committed([entry["attempt"] for job in batch if job.tx for entry in job.tx.armed], journal)
        self._forget([attempt for job in batch if job.tx for attempt in job.tx.settled])
        return None

    def _note_committed(self, attempts: list[str], journal: str) -> None:
        by = uuid.UUID(journal) if attempts else None
        for attempt in attempts:
            try:
                self._ring.committed(attempt, by)
            except OSError as error:
                log.warning("ring: %s is not marked as committed (%s)", attempt, error)  # it only proves less

    def _run_all(self, batch: list[Job], *, disk_full: bool) -> None:
        """All jobs in one transaction; when one of them must be undone, all are done once more, each with a savepoint.

        Savepoints cost a copy of each page that is changed, and hardly ever is one needed.
        """
        self._db.execute("BEGIN IMMEDIATE")
        self.rows.begin(self._db)
        if all(self._run(job, marked=False, disk_full=disk_full) for job in batch):
            return
        self._undo(batch)
        self._db.execute("BEGIN IMMEDIATE")
        self.rows.begin(self._db)
        for job in batch:
            self._run(job, marked=True, disk_full=disk_full)

    def _run(self, job: Job, *, marked: bool, disk_full: bool) -> bool:
        """One job of a batch; whether it stands. What it raises undoes itself alone; what the disk raises ends all."""
        tx = job.tx = Tx(self._db, self._wall, disk_full=disk_full, marked=marked, before=self.rows)
        job.error = None
        if marked:
            self._db.execute("SAVEPOINT job")
        try:
            job.result = job.work(tx)
        except TurnBack:
            job.tx = None
            return False
        except Exception as error:  # belongs to whoever asked: it is raised there
            if isinstance(error, sqlite3.Error) and (opening.is_disk(error) or not self._db.in_transaction):
                raise
            job.error = error
        else:
            job.error = self._stage(tx)
        if job.error is None:
            self.rows.take(tx)
        else:
            job.tx = None
        if marked:
            if job.error is not None:
                self._db.execute("ROLLBACK TO job")
            self._db.execute("RELEASE job")
        return job.error is None

    def _stage(self, tx: Tx) -> Exception | None:
        """What a job arms goes into the ring; when it doesn't fit there, the job has failed."""
        try:
            for entry in tx.armed:
                self._ring.put(entry)
        except (RingFull, ValueError, TypeError) as error:
            self._forget([entry["attempt"] for entry in tx.armed])
            return StoreFailed(f"nothing more can be armed: {error}")
        return None

    def _undo(self, batch: list[Job]) -> None:
        self.rows.forget()
        if self._db.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # the next BEGIN fails then, and tries this again
                self._db.execute("ROLLBACK")
        self._forget([entry["attempt"] for job in batch if job.tx for entry in job.tx.armed])

    def _forget(self, attempts: list[str]) -> None:
        for attempt in attempts:
            try:
                self._ring.clear(attempt)
            except OSError as error:
                log.warning("ring: %s stays after it was settled (%s)", attempt, error)  # it only adds doubt
