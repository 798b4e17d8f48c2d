"""A branch made of paper: a journal in memory that answers in the contract's words, behind the real bridge."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cloud_bridge.bridge import Bridge
from cloud_bridge.envelope import Envelope, read_envelope
from cloud_bridge.messages.catalogue import BEAT, BORN, DIED, EVENTS, REPLY
from cloud_bridge.settings import LinkSettings
from cloud_bridge.topics import Topics
from tests.broker import Broker
from tests.cloud_bridge.memory import MemoryInbox, MemoryOutbox

QUICK = LinkSettings("paper", backoff_min_s=0.02, backoff_max_s=0.2, stable_s=0.1, will_delay_s=0, max_events_per_s=1e5)


class PaperBranch(MemoryInbox, MemoryOutbox):
    """Accepts every instruction once; events.request puts the events out again."""

    def __init__(self, branch: str, journal: str) -> None:
        MemoryInbox.__init__(self)
        MemoryOutbox.__init__(self)
        self.branch = branch
        self.journal = journal
        self.replied: dict[str, dict[str, Any]] = {}
        self.events: dict[int, bytes] = {}
        self.silent = False
        self.forgetful = False
        self.kept_from = 1  # the oldest event that it has still
        self.late = 0  # so many requests come behind their deadline, by this branch's clock

    def envelope(self, kind: str, data: dict[str, Any], message_id: str | None = None) -> bytes:
        return Envelope(
            id=message_id or str(uuid.uuid4()),
            source=f"/branches/{self.branch}",
            type=kind,
            time=datetime.now(UTC),
            branch=self.branch,
            data={"journal": self.journal, **data},
        ).to_bytes()

    async def take(self, payload: bytes) -> None:
        await super().take(payload)
        if self.silent:
            return
        said = read_envelope(payload)
        repeat = said.id in self.replied
        if not repeat:
            self.replied[said.id] = {"instruction": said.id, "status": "accepted", "order": said.subject}
            if said.type.startswith("branchgate.events.request"):
                self._send_again(said.id, said.data["from"], said.data["to"])
        data = {**self.replied[said.id], "repeat": repeat, "after": len(self.events)}
        self.rows["replies"][len(self.rows["replies"]) + len(self.sent["replies"]) + 1] = self.envelope(
            REPLY.type, data
        )
        self._changed.set()

    def _send_again(self, instruction: str, first: int, last: int) -> None:
        if self.forgetful:
            self.replied[instruction] |= {"status": "rejected", "code": "invalid", "message": "these events are gone"}
            return
        if self.late:
            self.late -= 1
            told = {"code": "expired", "reason": "deadline_passed", "message": "its deadline has passed"}
            self.replied[instruction] |= {"status": "rejected", **told}
            return
        if first < self.kept_from:
            told = {"code": "invalid", "reason": "no_events", "message": "gone"}
            self.replied[instruction] |= {"status": "rejected", **told, "facts": {"first": self.kept_from}}
            return
        self.rows["events"] |= {seq: self.events[seq] for seq in range(first, last + 1)}

    def happen(self, count: int = 1) -> None:
        for seq in range(len(self.events) + 1, len(self.events) + count + 1):
            data = {"seq": seq, "order": "o1", "scene": "s", "to": "running"}
            kind = next(iter(EVENTS))
            self.events[seq] = self.rows["events"][seq] = self.envelope(kind, data, f"{self.journal}-{seq}")
        self._changed.set()

    def _session_data(self, session: int) -> dict[str, Any]:
        return {"epoch": 1, "session": session, "after": len(self.events), "acknowledged": len(self.sent["events"])}

    async def birth(self, session: int) -> bytes:
        return self.envelope(BORN.type, self._session_data(session))

    async def heartbeat(self, session: int) -> bytes:
        return self.envelope(BEAT.type, self._session_data(session))

    def will(self, session: int, reason: str = "lost") -> bytes:
        return self.envelope(DIED.type, {"session": session, "reason": reason})

    def is_other_death(self, payload: bytes, session: int) -> bool:
        said = read_envelope(payload)
        return said.type == DIED.type and (said.data["journal"], said.data["session"]) != (self.journal, session)


@asynccontextmanager
async def running(
    broker: Broker, branch: str = "b1", journal: str = "j1", paper: PaperBranch | None = None, **changes: Any
) -> AsyncIterator[tuple[Bridge, PaperBranch]]:
    paper = paper or PaperBranch(branch, journal)
    settings = replace(QUICK, **{"host": broker.host, "port": broker.port, "client_id": branch, **changes})
    bridge = Bridge(settings, Topics(branch), paper, paper)
    task = asyncio.create_task(bridge.run())
    try:
        yield bridge, paper
        await bridge.stop()
        await task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Any, limit_s: float = 120.0) -> None:
    """Until `condition()` is true."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - tests look at the inside, which has no event for each of its states
            await asyncio.sleep(0.005)
