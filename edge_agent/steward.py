"""Keeping the journal fit while the agent works: its reserve, its damage, a disk that can be written again (OUT-4).

Knows when to look and what to tell; what may still be done on a full disk is said where it is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from cloud_bridge.ports import StoreFailed
from edge_agent.journal import opening
from edge_agent.journal.checking import Checking
from edge_agent.journal.journal import Journal, Tx
from edge_agent.journal.reserve import cannot_be_written
from edge_agent.orders.desk import JOURNAL_CHANGED
from edge_agent.upkeep.ceiling import Ceiling

log = logging.getLogger(__name__)
LOOK_S = 5.0


class Steward:
    """Run as one task. `wake` starts the lanes when there is room again; `again` asks for a fresh start."""

    def __init__(
        self, journal: Journal, wake: Callable[[], None], again: Callable[[], None], ceiling: Ceiling | None = None
    ) -> None:
        self._journal = journal
        self._wake = wake
        self._again = again
        self._ceiling = ceiling

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            if not self._journal.read_only and opening.is_long(self._journal.path):
                group.create_task(self._read_through(), name="journal check")
            while True:
                try:
                    await self.look()
                except StoreFailed as error:
                    log.error("steward rests: %s", error)
                await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """One look at the disk. Raises StoreFailed."""
        journal = self._journal
        if journal.damaged:
            log.error("journal damaged (%s): the agent starts anew and reads all of it first", journal.damaged)
            self._again()
        elif journal.read_only:
            if not cannot_be_written(journal.folder):
                log.warning("the journal can be written again: the agent starts anew")
                self._again()
        else:
            await self._look_for_room()
            if self._ceiling is not None:
                await self._ceiling.look()

    async def _look_for_room(self) -> None:
        await asyncio.to_thread(self._journal.reserve.make)
        full = self._journal.disk_full
        if await self._journal.read(_told_full) != full:
            await self._journal.write(lambda tx: _tell(tx, full=full))
            if not full:
                self._wake()

    async def _read_through(self) -> None:
        found = await Checking(self._journal.path).run()
        if found:
            self._journal.found_damaged(found)
        else:
            log.info("journal read through: no damage found")


def _told_full(tx: Tx) -> bool:
    return tx.meta("disk_full") == "1"


def _tell(tx: Tx, *, full: bool) -> None:
    """What was told is kept with it: once each way, across restarts too."""
    tx.set_meta("disk_full", "1" if full else "0")
    what = "disk_full" if full else "disk_back"
    log.warning("journal: %s", what)
    tx.emit(JOURNAL_CHANGED, None, {"what": what, "reason": what})
