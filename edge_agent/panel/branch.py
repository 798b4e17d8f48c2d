"""What the routes have at hand: the branch's journal, door, devices, people, and its events as they are told.

Knows who is asked for what; must not know HTTP.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from cloud_bridge.envelope import Envelope
from edge_agent.clock import Clock
from edge_agent.journal.journal import Journal
from edge_agent.journal.tx import Tx
from edge_agent.observed import LastReading
from edge_agent.orders.desk import Caller
from edge_agent.orders.requests import REMOVED
from edge_agent.people.deciding import Asks, Deciding
from edge_agent.people.staff import Staff
from edge_agent.upkeep.watching import Watching
from edge_agent.uplink import JournalOutbox

PAGE = 100  # events read at once: a slow reader holds so many, never a backlog


@dataclass(frozen=True, slots=True)
class Link:
    """How the link to the centre stands, and for how long."""

    connected: bool
    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class House:
    """One for the whole application. `twins`: device -> its newest twin; `readings`: what a device observed last."""

    branch: str
    journal: Journal
    intake: Asks
    clock: Clock
    staff: Staff
    deciding: Deciding
    outbox: JournalOutbox
    twins: Callable[[], dict[str, dict[str, Any]]]
    readings: Callable[[str], tuple[LastReading, ...]] = lambda _device: ()
    link: Callable[[], Link] = lambda: Link(connected=False)
    watching: Watching | None = None  # of the lines, where there are any
    probe: Callable[[str], Awaitable[None]] | None = None  # has a device looked at; returns once it is shown
    closing: asyncio.Event = field(default_factory=asyncio.Event)  # the agent stops: whoever listens must go

    async def ask(self, noun: str, subject: str | None, data: dict[str, Any], who: str, door: str, key: str) -> Any:
        """One instruction through the door that all go through; `key` makes a repeat one. Raises StoreFailed."""
        members: dict[str, Any] = {"id": f"{who}:{key or uuid.uuid4()}", "source": who, "subject": subject}
        members |= {"type": f"branchgate.{noun}.v1", "time": self.clock.now(), "branch": self.branch, "data": data}
        return await self.intake.ask(Envelope.model_validate(members), Caller(door))

    async def events(self, after: int, news: asyncio.Event) -> AsyncGenerator[list[tuple[int, bytes]], None]:
        """(seq, message) of every event behind `after` in order, page by page, for ever.

        A page is empty when nothing happened for a while, or when somebody else has set `news`.
        """
        with self.journal.listening(news.set):
            while not self.closing.is_set():
                news.clear()
                page = await self.journal.read(lambda tx, last=after: self.outbox.after(tx, last, PAGE))  # type: ignore[misc]
                after = page[-1].key if page else after
                yield [(event.key, event.payload) for event in page]
                if len(page) < PAGE:
                    await told(news, self.closing)

    async def reach(self) -> tuple[int, int]:
        """The first event that is whole behind what retention removed, and the last. Raises StoreFailed."""
        return await self.journal.read(_reach)


KEEP_ALIVE_S = 15.0  # proxies cut what is silent for longer


async def told(news: asyncio.Event, closing: asyncio.Event) -> None:
    """Until there is news, the agent stops, or a sign of life is due."""
    waiting = [asyncio.create_task(news.wait()), asyncio.create_task(closing.wait())]
    try:
        await asyncio.wait(waiting, timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def _reach(tx: Tx) -> tuple[int, int]:
    return int(tx.meta(REMOVED, "0")) + 1, tx.last_seq()
