"""How one device is shown to others: whether it is there, its inputs and its twin; told when it says something new.

Knows presence, inputs and the members of a twin; asks no device anything, and decides nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cloud_bridge.ports import StoreFailed
from device_drivers.device import Twin
from edge_agent.custody.stock import lots_at
from edge_agent.fleet.inputs import Change, Inputs
from edge_agent.fleet.presence import Presence
from edge_agent.fleet.shelf import stocked
from edge_agent.journal.journal import Journal, Tx
from edge_agent.orders.reading import DEVICE_CHANGED, lane_of, last_presence

log = logging.getLogger(__name__)
INPUT_CHANGED = "input_changed"
Publish = Callable[[str, dict[str, Any]], None]  # (device, the members of its twin): newest wins, never blocks


@dataclass(slots=True)
class Showing:
    """One device as the centre sees it."""

    device: str
    kind: str
    role: str
    journal: Journal
    publish: Publish
    has_cells: bool = False
    twin: Twin = field(default_factory=lambda: Twin("starting"))
    presence: Presence = field(default_factory=Presence)
    inputs: Inputs = field(default_factory=Inputs)
    _published: dict[str, Any] = field(default_factory=dict)

    @property
    def began(self) -> bool:
        """Whether anything was shown since the start."""
        return bool(self._published)

    @property
    def shown(self) -> dict[str, Any]:
        """What was shown last; the counters as they are now."""
        return {**self._published, "counters": dict(self.twin.counters)}

    async def remember(self) -> None:
        """What the process before told of the device's presence and inputs; asks the device nothing."""
        self.presence.told = await self.journal.read(lambda tx: last_presence(tx, self.device))
        self.inputs.remember(await self.journal.read(lambda tx: _told_inputs(tx, self.device)))
        await self.show(Twin("starting"))

    async def seen(self, twin: Twin) -> None:
        await self._present(there=True, reason="back")
        await self._tell_inputs(twin.auxiliaries)
        await self.show(twin)

    async def lost(self, reason: str) -> None:
        await self._present(there=False, reason=reason)
        await self.show(Twin("offline", reason, identity=self.twin.identity))

    async def busy(self, reason: str, changed: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Nothing may be asked of it now: but for the members of units that `changed`, all is as it was last seen."""
        was = self.twin
        storage = {unit: dict(members) for unit, members in was.storage.items()}
        for unit, members in (changed or {}).items():
            storage[unit] = {**storage.get(unit, {}), **members}
        await self.show(Twin("deviceBusy", reason, was.media, storage, was.identity, was.counters, was.auxiliaries))

    async def again(self) -> None:
        """The journal may say something else of it meanwhile; the device is not asked."""
        await self.show(self.twin)

    async def _present(self, *, there: bool, reason: str) -> None:
        told = self.presence.told
        say = self.presence.tell(there, reason, asyncio.get_running_loop().time())
        if say is None or (there and told is None):
            return
        state = "online" if there else "offline"
        log.info("%s: %s (%s)", self.device, state, say)
        data = {"device": self.device, "state": state, "reason": say, "facts": {"changes": self.presence.changes}}
        try:
            await self.journal.write(lambda tx: tx.emit(DEVICE_CHANGED, self.device, data))
        except StoreFailed:
            self.presence.told = told  # it is still to be told
            raise

    async def _tell_inputs(self, words: Mapping[str, str]) -> None:
        changes = self.inputs.look(words, asyncio.get_running_loop().time())
        if not changes:
            return

        def work(tx: Tx) -> None:
            for change in changes:
                _tell_input(tx, self.device, change)

        try:
            await self.journal.write(work)
        except StoreFailed:
            self.inputs.untold(changes)
            raise

    async def show(self, twin: Twin) -> None:
        """Hands the twin on when it says something new (counters alone are no news)."""
        self.twin = twin
        lane = self.journal.glance(lambda tx: lane_of(tx, self.device))
        lots = self.journal.glance(lambda tx: lots_at(tx, self.device)) if self.has_cells else []
        members: dict[str, Any] = {"device": self.device, "kind": self.kind, "role": self.role}
        members |= {"state": twin.device, "reason": twin.reason or (lane.reason if lane.shut else "")}
        members |= {"lane": "shut" if lane.shut else "open", "media": twin.media, "order": lane.holder}
        members |= {"storage": stocked(twin.storage, lots), "identity": dict(twin.identity)}
        members |= {"auxiliaries": dict(twin.auxiliaries)} if twin.auxiliaries else {}
        if members != self._published:
            self._published = members
            self.publish(self.device, {**members, "counters": dict(twin.counters)})


def _told_inputs(tx: Tx, device: str) -> dict[str, str]:
    return {row["name"]: row["word"] for row in tx.all("SELECT name, word FROM inputs WHERE device = ?", device)}


def _tell_input(tx: Tx, device: str, change: Change) -> None:
    """What was told is kept with it: once, across restarts too. The first word of an input is no change."""
    sql = "INSERT INTO inputs VALUES (?, ?, ?) ON CONFLICT (device, name) DO UPDATE SET word = excluded.word"
    tx.do(sql, device, change.name, change.word)
    if not change.was:
        return
    log.info("%s: %s %s, was %s", device, change.name, change.word, change.was)
    facts: dict[str, Any] = {"input": change.name, "from": change.was, "to": change.word, "bounces": change.bounces}
    reason = "bouncing" if change.bouncing else ""
    tx.emit(DEVICE_CHANGED, device, {"device": device, "state": INPUT_CHANGED, "reason": reason, "facts": facts})
