"""Three mistakes that the checker must catch, and one that only a trace of system calls can see; planted in a fork.

Knows the product's inside, on purpose: each bug is the shortest wrong version of a real function.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from device_drivers.cells.boards import LockBoards
from device_drivers.crt591 import conversation
from device_drivers.crt591.commands import Motion
from device_drivers.crt591.driver import CardDispenser
from device_drivers.crt591.replies import Reply
from device_drivers.device import Arming, NothingToDo, Verdict
from device_drivers.errors import DeviceRefused, OutcomeUnknown
from edge_agent.fleet.queue import Job
from edge_agent.fleet.work import Work
from edge_agent.journal.journal import Journal
from edge_agent.orders import course
from tests.harness.print_bugs import PRINT_BUGS

Json = Any


def resend_on_silence() -> None:
    """Silence after a motion frame: the same frame again, as the manual's line protocol suggests (against PHY-2)."""
    move_once = conversation.Conversation.move

    async def move(self: conversation.Conversation, motion: Motion, st0: int, fresh_until_s: float) -> Reply:
        try:
            return await move_once(self, motion, st0, fresh_until_s)
        except OutcomeUnknown:
            return await move_once(self, motion, st0, math.inf)

    conversation.Conversation.move = move  # type: ignore[method-assign]


def act_before_commit() -> None:
    """The machine moves first, the attempt is written down afterwards (against ORD-4)."""
    begin_rightly = Work._begin

    async def begin(self: Work, job: Job) -> bool:
        order, step = job.order, job.step
        if step.watch:
            return await begin_rightly(self, job)
        params = await self._gather(job)
        try:
            arming = await self._driver.arm(step.act, params)
        except (DeviceRefused, NothingToDo):
            return await begin_rightly(self, job)
        verdict = await self._driver.act(step.act, params, arming)
        armed = await self._journal.write(lambda tx: course.arm(tx, order.id, step.name, arming, self._p.clock))
        assert not isinstance(armed, course.NotNow), armed
        await self._settle(armed, verdict)
        return True

    Work._begin = begin  # type: ignore[method-assign]


def believe_one_early_reading() -> None:
    """Asks at once whether it was done, and believes the first answer (against PHY-1)."""

    async def reconcile(self: CardDispenser, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        return await self._look(act, self._watched_from(arming, params), arming)

    CardDispenser.settle_s = property(lambda self: 0.0)  # type: ignore[assignment,method-assign]
    CardDispenser.reconcile = reconcile  # type: ignore[method-assign]


def commit_without_sync() -> None:
    """SQLite is told that the disk need not be waited for: SIGKILL alone can't tell, a power cut would."""
    open_rightly = Journal._open_file

    def open_carelessly(self: Journal) -> sqlite3.Connection:
        db = open_rightly(self)
        db.execute("PRAGMA synchronous = OFF")
        return db

    Journal._open_file = open_carelessly  # type: ignore[method-assign]


def pulse_again_on_silence() -> None:
    """Silence after the frame that opens a cell: the same frame again (against PHY-2)."""
    open_once = LockBoards.open

    async def open_until_heard(self: LockBoards, board: int, lock: int) -> int:
        try:
            return await open_once(self, board, lock)
        except OutcomeUnknown:
            return await open_once(self, board, lock)

    LockBoards.open = open_until_heard  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    bug.__name__: bug
    for bug in (
        resend_on_silence,
        act_before_commit,
        believe_one_early_reading,
        commit_without_sync,
        pulse_again_on_silence,
    )
} | PRINT_BUGS
