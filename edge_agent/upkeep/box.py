"""What the running agent tells of itself, and does, for whoever stands at the box and asks at the door.

Knows the door's own questions (`branchgate.box.…`); they are no instructions of the contract and move nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cloud_bridge.envelope import BadMessage, Envelope
from edge_agent.audit.chain import Deed, record
from edge_agent.clock import Clock
from edge_agent.door import BOX, LOOK
from edge_agent.journal.journal import Journal, Tx
from edge_agent.orders.reading import count_open
from edge_agent.upkeep.recording import NotRecorded, Recordings, bounds
from edge_agent.upkeep.scrub import Scrub

RECORD, END = (f"{BOX}{what}.v1" for what in ("record", "record_end"))


class Shows(Protocol):
    """A lane, as the box sees it."""

    @property
    def shown(self) -> dict[str, Any]: ...

    def wake(self) -> None: ...


@dataclass(frozen=True, slots=True)
class BoxParts:
    """What there is to tell of."""

    branch: str
    journal: Journal
    clock: Clock
    versions: Mapping[str, str]
    link: Callable[[], dict[str, Any]]
    lanes: Mapping[str, Shows]
    recordings: Recordings


class Box:
    """Implements `edge_agent.door.Box`."""

    def __init__(self, parts: BoxParts) -> None:
        self._p = parts

    async def answer(self, envelope: Envelope, *, whole: bool) -> dict[str, Any]:
        """Raises BadMessage, StoreFailed."""
        if envelope.branch != self._p.branch:
            return {"problem": "other_branch", "message": f"this is branch {self._p.branch}"}
        if envelope.type == LOOK:
            return await self._look(whole=whole)
        if envelope.type == RECORD:
            return await self._record(envelope)
        if envelope.type == END:
            return {"ended": self._p.recordings.end(str(envelope.data.get("device")))}
        raise BadMessage(f"type: this box does not know {envelope.type}")

    async def _look(self, *, whole: bool) -> dict[str, Any]:
        parts, journal = self._p, self._p.journal
        shown: Callable[[dict[str, Any]], dict[str, Any]] = dict if whole else Scrub().twin
        adopted = bool(await journal.read(lambda tx: tx.adopted))
        return {
            "branch": parts.branch,
            "pid": os.getpid(),
            "versions": dict(parts.versions),
            "clock": parts.clock.grade().value,
            "journal": {"id": journal.id, "epoch": journal.epoch, "store": journal.store, "adopted": adopted},
            "orders": await journal.read(count_open),
            "link": parts.link(),
            "recordings": parts.recordings.running,
            "devices": {device: shown(lane.shown) for device, lane in parts.lanes.items()},
        }

    async def _record(self, envelope: Envelope) -> dict[str, Any]:
        """Who wanted it is in the audit before the first byte is kept: it may hold what customers were printed."""
        parts = self._p
        try:
            device, seconds, size = bounds(envelope.data)
        except ValueError as bad:
            raise BadMessage(str(bad)) from bad
        facts = {"seconds": seconds, "bytes": size}
        deed = Deed("device.record", device, (envelope.source,), "local", facts=facts)
        await parts.journal.write(lambda tx: _note(tx, parts.clock, deed))
        try:
            name = parts.clock.now().strftime("%Y%m%dT%H%M%SZ")
            file = parts.recordings.begin(device, name, seconds, size)
        except NotRecorded as why:
            return {"problem": "not_recorded", "message": str(why)}
        parts.lanes[device].wake()  # a device that is only listened to gives its line back for a moment
        return {"file": str(file), **facts}


def _note(tx: Tx, clock: Clock, deed: Deed) -> None:
    record(tx, clock, deed)
