"""One device's lane: the one task that talks to its driver, from connection to loss and back, one step after another.

Knows when to settle, to ask and to rest; one step's work is `work`, whose turn it is `queue`, how it is told `showing`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Any

from cloud_bridge.ports import StoreFailed
from cloud_bridge.waiting import first
from device_drivers.device import HasCells
from device_drivers.errors import DeviceUnavailable
from edge_agent.fleet.looks import Looks
from edge_agent.fleet.parts import LaneParts
from edge_agent.fleet.queue import Queue
from edge_agent.fleet.rest import Rest
from edge_agent.fleet.senses import Senses
from edge_agent.fleet.showing import Showing
from edge_agent.fleet.work import Work
from edge_agent.orders import course
from edge_agent.orders.reading import lane_of

log = logging.getLogger(__name__)
BACKOFF_MIN_S = 0.25  # a replugged cable is back at once
LANE_ROUND_S = 120.0  # longer than any question or back-off; a watch adds its own limit
ROUND_SETTLES = 8  # and as often as it may have to settle in one round: an act, its settling, five looks
BACKOFF_MAX_S = 15.0  # a dead device costs one attempt in so many seconds


class Lane:
    """Run as one named task. `wake` when the journal has something for it; `stop` ends it between two steps."""

    def __init__(self, parts: LaneParts) -> None:
        self.device = parts.device
        self._p = parts
        self._driver = parts.driver
        self._journal = parts.journal
        self._has_cells = isinstance(parts.driver, HasCells)
        shown = (parts.device, parts.kind, parts.role, parts.journal, parts.publish)
        self._showing = Showing(*shown, has_cells=self._has_cells)
        self._queue = Queue(parts.device, parts.clock, self._has_cells)
        self._work = Work(parts, self._showing, self._at_rest)
        self._senses = Senses(parts, self._showing)
        self._at_ease = Rest(parts.driver)
        self._looks = Looks()
        self._look_due_s = 0.0  # loop time of the next look at a device where nothing happens
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False
        self.faults = 0  # times that the lane itself failed: never, if the tests are right
        self.due_s = 0.0  # loop time by which the lane must have come round again; the watchdog looks at it

    @property
    def state(self) -> str:
        """The twin's word for the device, for the birth."""
        return self._showing.twin.device

    @property
    def shown(self) -> dict[str, Any]:
        """The members of the twin as they were shown last, and its counters."""
        return self._showing.shown

    def wake(self) -> None:
        self._at_ease.wake()

    async def look(self) -> None:
        """Has the device asked how it is, as soon as its lane may, and returns once that is shown. Moves nothing."""
        self._at_ease.wake()
        await self._looks.wait()

    async def stop(self, limit_s: float) -> None:
        """No further step is begun; an act that is under way gets `limit_s` to come to its end."""
        self._stopping = True
        self._at_ease.wake()
        try:
            async with asyncio.timeout(limit_s):
                await self._idle.wait()
        except TimeoutError:
            log.warning("%s: stopped while acting; the attempt will be in doubt", self.device)

    # -- the life of a connection --------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Connects, serves, comes back after each loss; ends only by cancellation."""
        backoff_s = BACKOFF_MIN_S
        while not self._stopping:
            self._beat()
            try:
                if await self._live():
                    backoff_s = BACKOFF_MIN_S
            except StoreFailed as error:
                log.error("%s: lane rests: %s", self.device, error)
            except Exception:  # a fault of ours in one lane must not stop the others; what it began is in doubt
                self.faults += 1
                log.exception("%s: lane failed, it begins anew", self.device)
            if not self._stopping:
                await self._rest(backoff_s)
                backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)

    async def _live(self) -> bool:
        """One connection from its beginning to its loss; whether the device was there."""
        if not self._showing.began:
            await self._remember()
        await self._work.doubt_what_was_begun()  # after a restart, and after the journal could not be written
        try:
            await self._driver.connect()
            await self._serve()
        except DeviceUnavailable as lost:
            was_there = bool(self._showing.presence.there)
            await self._lost(lost, for_a_moment=was_there)
            return was_there
        finally:
            await self._driver.disconnect()
        return True

    async def _remember(self) -> None:
        """What the process before told of the device, and whether it left the lane shut."""
        lane = await self._journal.read(lambda tx: lane_of(tx, self.device))
        self._work.was_shut = lane.shut
        await self._showing.remember()
        await self._senses.remember()

    async def _lost(self, lost: DeviceUnavailable, *, for_a_moment: bool) -> None:
        """A device that was there just now may be back at once; nobody goes on without it yet."""
        log.debug("%s: %s", self.device, lost)
        await self._showing.lost(lost.reason)
        say = self._queue.say_waiting if for_a_moment else self._queue.say_away
        await self._journal.write(lambda tx: say(tx, lost.reason))
        self._looks.tell(self._looks.taken())
        await self._senses.keep()  # an hour goes by also where nobody counts

    async def _rest(self, seconds: float) -> None:
        await first(self._p.sleep(seconds * (0.75 + self._p.jitter() / 2)), self._looks.called())

    async def _serve(self) -> None:
        await self._p.sleep(self._driver.settle_s)  # PHY-1: it may still be moving, or hold bytes for a dead connection
        await self._work.settle_doubts()
        await self._observe()
        self._senses.begin()
        self._nothing_due()
        while not self._stopping:
            self._beat()
            await self._senses.look()
            if self._looks.wanted:
                await self._observe()
            if await self._next():
                self._nothing_due()
            else:
                await self._be_at_rest()

    def _beat(self, allowance_s: float = LANE_ROUND_S) -> None:
        self.due_s = asyncio.get_running_loop().time() + allowance_s + ROUND_SETTLES * self._driver.settle_s

    def _nothing_due(self) -> None:
        self._look_due_s = asyncio.get_running_loop().time() + self._p.idle_poll_s

    async def _be_at_rest(self) -> None:
        """Until there may be something to do, or to look at; what the device says meanwhile is written down."""
        said = await self._at_ease.until(min(self._look_due_s, self._senses.due_s))
        if said is not None:
            await self._senses.hear(said)
        elif self._at_ease.was_woken():
            self._nothing_due()
        elif asyncio.get_running_loop().time() >= self._look_due_s:
            await self._observe()
            self._nothing_due()

    async def _observe(self) -> None:
        asked = self._looks.taken()  # who asks in the middle of it is answered by the next
        await self._work.observe()
        self._looks.tell(asked)

    # -- the next step -------------------------------------------------------------------------------------------------

    async def _next(self) -> bool:
        """Does one step if one is due. False: nothing can be done until something changes."""
        if self._at_ease.was_woken():  # whatever it was woken for is committed, so this look sees it
            self._nothing_due()
        turn = self._journal.glance(self._queue.look)
        self._work.was_shut = self._work.was_shut or turn.shut
        if turn.stale:
            await self._journal.write(lambda tx: course.tell_queue(tx, self.device))
        if turn.declared:  # people said what lies in a cell: its sensor confirms it, or not
            await self._work.observe()
        elif self._has_cells:
            await self._showing.again()
        if turn.job is None:
            return False
        job = turn.job
        if self._work.was_shut and not await self._work.recover(job):
            return False
        self._idle.clear()
        try:
            return False if self._stopping else await self._work.do(job)
        finally:
            self._idle.set()

    @contextlib.contextmanager
    def _at_rest(self, limit_s: float) -> Iterator[None]:
        """Watching moves nothing: a stop need not wait for the customer."""
        self._idle.set()
        self._beat(LANE_ROUND_S + limit_s)
        yield
        self._idle.clear()
