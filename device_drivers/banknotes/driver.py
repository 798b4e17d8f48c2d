"""The banknote counter driver: tells each batch that passes, and watches until the notes of an order are counted.

Knows batches and their numbers; must not know whose money it is. Counting is a reading: a batch of which the agent did
not hear all is void, is told as such, and is counted again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from device_drivers.banknotes.batch import CUT, Counted
from device_drivers.banknotes.checking import Tally
from device_drivers.banknotes.collector import Began
from device_drivers.banknotes.hearing import Hearing
from device_drivers.banknotes.profile import BanknoteProfile
from device_drivers.device import (
    ActKind,
    ActSpec,
    Arming,
    Happening,
    Json,
    Notebook,
    Outcome,
    Twin,
    Verdict,
    Whereabouts,
)
from device_drivers.errors import DeviceRefused, DeviceUnavailable
from device_drivers.links.line import SharedLine

log = logging.getLogger(__name__)
COUNT = "count_notes"
COUNTED, REFUSED, VOID, ANEW = "notes_counted", "notes_refused", "notes_void", "notes_count_anew"
BATCH, OPEN = "batch", "open"  # in the memory: the number of the newest batch, and of the one under way
AMOUNT_MAX, BUNDLES_MAX = 1_000_000_000, 20
_SPEC = ActSpec(COUNT, ActKind.WATCH, "Watches until notes of the order's amount were counted and are all good.", 0.0)


class BanknoteCounter:
    """A `device.Driver` and `device.Listener`."""

    def __init__(self, device_id: str, line: SharedLine, profile: BanknoteProfile, notebook: Notebook) -> None:
        self.device_id = device_id
        self._profile, self._notebook = profile, notebook
        self._hearing = Hearing(line, profile)
        self._number: int | None = None  # of the newest batch; None: not read from the notebook yet
        self._cut = 0  # number of a batch that was under way when the process before ended
        self._counting: tuple[Json, Tally] | None = None  # the attempt that is watched, and its bundles so far

    @property
    def acts(self) -> Mapping[str, ActSpec]:
        """count_notes."""
        return {COUNT: _SPEC}

    @property
    def settle_s(self) -> float:
        """Nothing here is ever moved by us."""
        return 0.0

    async def connect(self) -> None:
        """Takes hold of the line; what was under way in the process before is void."""
        if self._number is None:
            memory = await self._notebook.memory()
            self._number, self._cut = _number(memory.get(BATCH)), _number(memory.get(OPEN))
        await self._hearing.connect()

    async def disconnect(self) -> None:
        await self._hearing.disconnect()

    async def probe(self) -> Twin:
        """It answers no question: all that can be known is that its line is open."""
        if not self._hearing.unbroken:
            raise DeviceUnavailable("line_lost", self.device_id)
        collector = self._hearing.collector
        counters = {"garbageBytes": collector.reader.garbage_bytes, "badFrames": collector.reader.bad_frames}
        identity = {"serialNumber": collector.machine} if collector.machine else {}
        return Twin("online", identity=identity, counters=counters)

    async def recover(self) -> None:
        """It has no errors that we could clear."""

    # -- whatever passes -----------------------------------------------------------------------------------------------

    async def listen(self) -> Happening:
        """The next batch that has ended."""
        if self._cut:
            batch, self._cut = self._name(self._cut), 0
            return Happening(VOID, _cut(batch), memory={OPEN: None})
        while (counted := await self._next(None)) is None:
            pass
        kind, facts = self._told(counted, {})
        return Happening(kind, facts, memory={OPEN: None})

    async def _next(self, until_s: float | None) -> Counted | None:
        """The next batch that has ended; None when the time has come. The beginning of each is remembered first."""
        items = self._hearing.items
        while True:
            while items and isinstance(items[0], Began):
                number = (self._number or 0) + 1
                await self._notebook.remember({BATCH: number, OPEN: number})
                items.popleft()
                self._number = number
            if items:
                counted = items.popleft()
                assert isinstance(counted, Counted)
                return counted
            left_s = 3600.0 if until_s is None else until_s - _now_s()
            if left_s <= 0:
                return None
            await self._hearing.more(left_s)

    def _told(self, counted: Counted, more: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """What is told of a batch: with its serial numbers if it counts, without them in the log."""
        batch = self._name(self._number or 0)
        log.info(
            "%s: batch %s: %d notes, %d %s", self.device_id, batch, len(counted.notes), counted.total, counted.currency
        )
        for note in counted.notes:
            log.debug("%s: %s: %d %s %s", self.device_id, batch, note.value, note.fitness.value, note.masked)
        facts = {"batch": batch, **more, **counted.facts()}
        return (COUNTED, {**facts, "notes": counted.numbers()}) if counted.whole else (VOID, facts)

    def _name(self, number: int) -> str:
        return f"{self.device_id}-{number}"

    # -- what an order expects -----------------------------------------------------------------------------------------

    async def arm(self, act: str, params: Mapping[str, Json]) -> Arming:
        """Only batches that begin after this count for the order: `batch` is the first that may."""
        self._check(act)
        tally = self._tally(params)
        number = self._number or 0
        readings = {"batch": self._name(number + 1), "after": number, "expected": tally.expected}
        return Arming({**readings, "bundles": tally.bundles, "currency": tally.currency})

    async def act(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Nothing here acts."""
        raise DeviceRefused("invalid_act", f"{act} is a reading", waits_for="never")

    async def watch(
        self, act: str, params: Mapping[str, Json], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        """Each batch is told; one that is not as it should be is refused and staff count again, until the limit."""
        self._check(act)
        order, until_s = {"order": params.get("order"), "attempt": params.get("attempt")}, _now_s() + limit_s
        tally = await self._tally_of(params, order, fresh=fresh)
        refused: dict[str, Any] = {}
        while (counted := await self._next(until_s)) is not None:
            number = self._number or 0
            if number <= int(arming.readings["after"]):  # begun before anybody counted for this order
                await self._note(counted, *self._told(counted, {}))
                continue
            before = list(tally.taken)
            reason, why = tally.take(self._name(number), counted)
            kind, facts = self._told(counted, order)
            if reason:
                refused = {"reason": reason, **why}
                kind, facts = REFUSED if counted.whole else VOID, {**facts, "refused": refused}
            try:
                await self._note(counted, kind, facts)
            except BaseException:
                tally.taken = before  # it comes again, and is not to be taken for notes that were put in twice
                raise
            if tally.complete:
                return Verdict(Outcome.DONE, COUNTED, Whereabouts.STOCK, tally.facts())
        facts = {**tally.facts(), **({"refused": refused} if refused else {})}
        return Verdict(Outcome.FAILED, "notes_not_counted", Whereabouts.STOCK, facts)

    async def _note(self, counted: Counted, kind: str, facts: Mapping[str, Any]) -> None:
        """Told and remembered together; what cannot be written is still to be told."""
        try:
            await self._notebook.note(kind, facts, {OPEN: None})
        except BaseException:
            self._hearing.items.appendleft(counted)
            raise

    async def _tally_of(self, params: Mapping[str, Json], order: Mapping[str, Json], *, fresh: bool) -> Tally:
        """The bundles counted so far outlive a lost line. After a restart all are counted anew, and staff are told."""
        mine = self._counting if self._counting and self._counting[0] == order["attempt"] else None
        if fresh or mine is None:
            mine = self._counting = order["attempt"], self._tally(params)
            if self._cut:
                await self._notebook.note(VOID, {**_cut(self._name(self._cut)), **order}, {OPEN: None})
                self._cut = 0
            if not fresh:
                await self._notebook.note(ANEW, order)
        return mine[1]

    async def reconcile(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Nothing was moved: it is counted again."""
        return Verdict(Outcome.NO_EFFECT, "notes_not_counted", Whereabouts.STOCK)

    def _tally(self, params: Mapping[str, Json]) -> Tally:
        """Raises DeviceRefused."""
        amount, bundles = _whole(params.get("amount"), AMOUNT_MAX), _whole(params.get("bundles", 1), BUNDLES_MAX)
        return Tally(amount, self._profile.currency, bundles)

    @staticmethod
    def _check(act: str) -> None:
        if act != COUNT:
            raise DeviceRefused("invalid_act", f"{act} is none of a banknote counter", waits_for="never")


def _cut(batch: str) -> dict[str, Any]:
    return {"batch": batch, "whole": False, "flaws": [{"flaw": CUT}]}


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _whole(value: object, most: int) -> int:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 1 <= value <= most and value == int(value):
        return int(value)
    raise DeviceRefused("invalid_params", f"{value!r} is no whole number from 1 to {most}", waits_for="never")


def _now_s() -> float:
    return asyncio.get_running_loop().time()
