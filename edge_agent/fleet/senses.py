"""What one device observes, as its lane serves it: asked when it is due, listened to at rest, handed on.

Knows who gets what: readings go up and may be shed, sums and happenings go to the journal. Decides nothing about steps.
"""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import asdict
from typing import Any

from cloud_bridge.envelope import rfc3339
from cloud_bridge.ports import StoreFailed
from device_drivers.device import Happening, Observer, Reading
from edge_agent.fleet.parts import LaneParts
from edge_agent.fleet.showing import Showing
from edge_agent.fleet.tally import Tally, hour_of, hours_of, keep
from edge_agent.journal.tx import Tx
from edge_agent.orders import codes
from edge_agent.orders.record import add_note

log = logging.getLogger(__name__)
WENT_BACK = "went_back"
KEEP_S = 60.0  # a count costs one commit in so long; what a crash forgets, the counter itself still holds


class Senses:
    """One device's. A device that observes nothing costs nothing."""

    def __init__(self, parts: LaneParts, showing: Showing) -> None:
        self.device = parts.device
        self._p = parts
        self._showing = showing
        self._observer = parts.driver if isinstance(parts.driver, Observer) else None
        self._tally = Tally(parts.device)
        self._said: Happening | None = None  # heard, and not written yet
        self._kept: dict[str, Any] = {}  # the memory as it was written last
        self._keep_due_s = 0.0
        self.due_s = math.inf  # loop time of the next look

    async def remember(self) -> None:
        """Hours that the process before could not tell any more."""
        self._tally.hours = await self._p.journal.read(lambda tx: hours_of(tx, self.device))

    def begin(self) -> None:
        """The device is there (again): it is looked at as soon as its lane may."""
        self.due_s = _now_s() if self._observer is not None else math.inf

    # -- asking --------------------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """One look, if one is due: a short question, never a wait. Raises DeviceUnavailable, StoreFailed."""
        await self._write_down()
        if self._observer is None or _now_s() < self.due_s:
            return
        seen = await self._observer.observe()
        self.due_s = _now_s() + self._p.observe_s
        self._hand_on(seen.readings)
        self._tally.add(seen.readings, seen.memory, self._hour())
        if any(reading.flag == WENT_BACK for reading in seen.readings):
            self._keep_due_s = 0.0  # what it showed before is nowhere but here, and it may count beyond it again
        if seen.twin is not None:
            await self._showing.seen(seen.twin)
        await self.keep()

    # -- listening -----------------------------------------------------------------------------------------------------

    async def hear(self, said: Happening) -> None:
        """All of it is durable when this returns: only then may it be listened to again. Raises StoreFailed."""
        log.info("%s: %s", self.device, said.kind or "a reading")
        self._hand_on(said.readings)
        self._tally.add(said.readings, said.memory, self._hour())
        if said.kind or said.memory:
            self._said = said
            await self._write_down()
        else:
            await self.keep()
        if said.twin is not None:
            await self._showing.seen(said.twin)

    async def _write_down(self) -> None:
        """What was said, with the sums and the memory that belong to it; kept until it could be written."""
        said, hour = self._said, self._hour()
        if said is None:
            return

        def work(tx: Tx) -> None:
            if said.code is not None:
                came = codes.scanned(tx, self._p.clock, self.device, said.code)
                log.info("%s: a code ending in %r: %s", self.device, said.code.shown, came)
            elif said.kind:
                add_note(tx, self.device, said.kind, said.facts)
            self._keep(tx, taken, hour)

        taken = self._tally.take()
        try:
            await self._p.journal.write(work)
        except StoreFailed:
            self._tally.put_back(taken)
            raise
        self._said = None
        self._was_kept(taken, hour)

    # -- keeping -------------------------------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Writes the sums when it is time, and tells the hours that are over; what fails is tried again later."""
        hour = self._hour()
        over = self._tally.is_over(hour)
        if not over and (_now_s() < self._keep_due_s or not self._tally.is_news(self._kept)):
            return
        self._keep_due_s = _now_s() + KEEP_S
        if self._p.journal.disk_full:
            return  # the reserve is for what was begun; the counter itself still holds what is not written
        taken = self._tally.take()
        try:
            await self._p.journal.write(lambda tx: self._keep(tx, taken, hour))
        except StoreFailed as error:
            log.warning("%s: sums wait: %s", self.device, error)
            self._tally.put_back(taken)
        else:
            self._was_kept(taken, hour)

    def _keep(self, tx: Tx, taken: Tally, hour: str) -> None:
        keep(tx, taken, hour, self._p.clock.grade().value)

    def _was_kept(self, taken: Tally, hour: str) -> None:
        self._kept |= taken.memory
        self._tally.hours &= {hour}

    def _hour(self) -> str:
        return hour_of(self._p.clock.now())

    def _hand_on(self, readings: tuple[Reading, ...]) -> None:
        if not readings:
            return
        shown = [
            {name: value for name, value in asdict(r).items() if name == "raw" or value not in (None, "")}
            for r in readings
        ]
        members: dict[str, Any] = {"device": self.device, "kind": self._p.kind, "role": self._p.role}
        self._p.tell_readings(self.device, {**members, "time": rfc3339(self._p.clock.now()), "readings": shown})


def _now_s() -> float:
    return asyncio.get_running_loop().time()
