"""The most that the journal may hold by the branch's policy: what may be shed goes first, then nothing new is taken.

Readings never reach the journal: the newest few wait in memory and are the first to go (DEV-4). Of what is in it only
answers that the broker has acknowledged may go before their time: a repeat is answered from the inbox. Events, orders,
outcomes and audit are never shed. Knows sizes and what to tell; what is refused meanwhile is said at the door.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from edge_agent.journal.journal import Journal
from edge_agent.journal.tx import Tx
from edge_agent.orders.desk import JOURNAL_CHANGED
from edge_agent.upkeep.size import Size, begin_counting, is_counting, note_gone, size_of

log = logging.getLogger(__name__)
FULL = "journal_full"  # in the journal: "1" while it holds more than it may; what was told of it is kept with it
BACK = 0.95  # of the ceiling: below it there is room again, so that it does not come and go with each order
CHUNK = 200  # rows that one transaction sheds at most
PAUSE_S = 0.1
AGAIN_S = 3600.0  # while it stays full: what may be shed is looked for so often, and told


@dataclass(frozen=True, slots=True)
class Policy:
    """The most bytes in use and rows; 0: as much as the disk takes."""

    max_bytes: int = 0
    max_rows: int = 0

    def is_over(self, size: Size, share: float = 1.0) -> bool:
        too_long = self.max_bytes > 0 and size.bytes > self.max_bytes * share
        return too_long or (self.max_rows > 0 and size.rows > self.max_rows * share)


class Ceiling:
    """Looked at now and then by whoever keeps the journal; each way is told once, across restarts too."""

    def __init__(
        self,
        journal: Journal,
        policy: Policy,
        now_s: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`now_s`: time that only goes forward."""
        self._journal = journal
        self._policy = policy
        self._now_s = now_s
        self._sleep = sleep
        self._shed_at_s: float | None = None

    async def look(self) -> None:
        """One look. Raises StoreFailed."""
        if not await self._journal.read(is_counting):
            await self._journal.write(begin_counting)
        size, told = await self._journal.read(lambda tx: (size_of(tx), is_full(tx)))
        if self._policy.is_over(size) and self._may_shed():
            await self._shed()
            size = await self._journal.read(size_of)
        full = self._policy.is_over(size, BACK if told else 1.0)
        if full is not told:
            await self._journal.write(lambda tx: _tell(tx, size, self._policy, full=full))

    def _may_shed(self) -> bool:
        now_s = self._now_s()
        if self._shed_at_s is not None and now_s - self._shed_at_s < AGAIN_S:
            return False
        self._shed_at_s = now_s
        return True

    async def _shed(self) -> None:
        """What may go before its time, oldest first, a few rows at a time; told once when it is over."""
        shed = 0
        while gone := await self._journal.write(_shed_replies):
            shed += gone
            await self._sleep(PAUSE_S)
            if not self._policy.is_over(await self._journal.read(size_of), BACK):
                break
        if shed:
            log.warning("journal: %d acknowledged replies shed before their time", shed)
            data = {"what": "shed", "reason": FULL, "facts": {"replies": shed}}
            await self._journal.write(lambda tx: tx.emit(JOURNAL_CHANGED, None, data))


def is_full(tx: Tx) -> bool:
    """Whether the journal holds more than the policy allows: nothing new is taken."""
    return tx.meta(FULL) == "1"


def _shed_replies(tx: Tx) -> int:
    numbers = [row[0] for row in tx.all(f"SELECT n FROM replies WHERE sent = 1 ORDER BY n LIMIT {CHUNK}")]  # noqa: S608
    tx.db.executemany("DELETE FROM replies WHERE n = ?", [(number,) for number in numbers])
    note_gone(tx, "replies", len(numbers))
    return len(numbers)


def _tell(tx: Tx, size: Size, policy: Policy, *, full: bool) -> None:
    tx.set_meta(FULL, "1" if full else "0")
    what = "journal_full" if full else "journal_back"
    facts = {"bytes": size.bytes, "rows": size.rows, "max_bytes": policy.max_bytes, "max_rows": policy.max_rows}
    log.warning("journal: %s, %d bytes and %d rows", what, size.bytes, size.rows)
    tx.emit(JOURNAL_CHANGED, None, {"what": what, "reason": what, "facts": facts})
