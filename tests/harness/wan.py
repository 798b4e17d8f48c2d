"""The order engine in memory with the real bridge, and a WAN that goes away, comes back and keeps what went up when.

Knows the bridge's ports and the centre's end of a link; whoever breaks the WAN and judges what came is the scenario.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from dataclasses import dataclass, field
from typing import Any

from cloud_bridge.bridge import Bridge
from cloud_bridge.event_order import EventOrder
from cloud_bridge.link import Connect, ConnectRefused
from cloud_bridge.ports import Inbox, Lane, Outgoing
from cloud_bridge.settings import LinkSettings
from cloud_bridge.topics import Topics
from edge_agent.observed import ReadingBox
from edge_agent.uplink import JournalOutbox
from tests.cloud_bridge.memory import FakeLink, FakeMessage
from tests.edge_agent.bench import Bench
from tests.edge_agent.parts import BRANCH

Json = dict[str, Any]
TOPICS = Topics(BRANCH)
SETTINGS = LinkSettings(BRANCH, max_events_per_s=100.0)
WAY_S = 0.05  # from a publish to its PUBACK


@dataclass(frozen=True, slots=True)
class Up:
    """One message that reached the broker."""

    at_s: float
    topic: str
    envelope: Json

    @property
    def data(self) -> Json:
        data: Json = self.envelope["data"]
        return data


class Wan:
    """Not `there`: no connect succeeds. It `loses`: the broker confirms and drops. It is `mute`: it grants nothing."""

    def __init__(self) -> None:
        self.there = True
        self.loses = False
        self.mute = False
        self.links: list[FakeLink] = []
        self.up: list[Up] = []
        self.lost = 0
        self.tries = 0
        self.in_hand = 0  # most messages that waited in the branch's memory at once, looked at now and then
        self.order: EventOrder[Up] = EventOrder(from_start=True)
        self.handed: list[Up] = []  # the events as a centre has them: in order, each once
        self._asked = 0

    async def open_link(self, options: Connect) -> FakeLink:
        self.tries += 1
        if not self.there:
            raise ConnectRefused("no route to host")
        link = _MuteLink(options, self._never) if self.mute else FakeLink(options, self._answer)
        self.links.append(link)
        return link

    def cut(self) -> None:
        """It is away, as of now."""
        self.there = False
        for link in self.links:
            link.lose("the WAN is away")

    async def _never(self, topic: str, payload: bytes) -> None:
        await asyncio.Event().wait()

    async def _answer(self, topic: str, payload: bytes) -> None:
        self.lost += self.loses
        if not self.loses:
            self._keep(topic, payload)
        await asyncio.sleep(WAY_S)

    def _keep(self, topic: str, payload: bytes) -> None:
        envelope = json.loads(payload)
        if topic == TOPICS.events:  # a hundred thousand of them must not be what fills the memory
            data = envelope["data"]
            envelope = {"data": {"journal": sys.intern(data["journal"]), "seq": data["seq"]}}
        up = Up(asyncio.get_running_loop().time(), topic, envelope)
        self.up.append(up)
        self.links[-1].published.clear()  # for the same reason
        if len(self.up) % 500 == 0:
            self.in_hand = max(self.in_hand, sum(type(thing) is Outgoing for thing in gc.get_objects()))
        journal = up.data.get("journal", "")
        if topic == TOPICS.events:
            self.handed += self.order.take(journal, up.data["seq"], up)
        elif "after" in up.data:
            self.order.told(journal, up.data["after"])

    def ask(self, noun: str, data: Json, *, subject: str | None = None, id_: str = "") -> FakeMessage:
        """An instruction of the centre, over the connection that stands."""
        self._asked += 1
        words: Json = {"specversion": "1.0", "id": id_ or f"c{self._asked}", "source": "/schedulers/centre"}
        words |= {"type": f"branchgate.{noun}.v1", "time": "2026-03-02T12:00:00Z", "branch": BRANCH, "data": data}
        words |= {"deadline": "2026-05-20T12:00:00Z"} | ({"subject": subject} if subject else {})
        return self.links[-1].deliver(TOPICS.instructions, json.dumps(words).encode())

    def events(self) -> list[Up]:
        return [up for up in self.up if up.topic == TOPICS.events]

    def replies(self) -> list[Up]:
        return [up for up in self.up if up.topic == TOPICS.replies]

    def beats(self) -> list[Up]:
        return [up for up in self.up if up.topic == TOPICS.session]


class _MuteLink(FakeLink):
    """Its broker sent CONNACK and will never send anything else."""

    async def subscribe(self, *topics: str) -> None:
        await asyncio.Event().wait()


class Watched(JournalOutbox):
    """The outbox as it is; remembers the most rows that it ever handed out at once."""

    most = 0

    async def unsent(self, lane: Lane, limit: int) -> list[Outgoing]:
        rows = await super().unsent(lane, limit)
        self.most = max(self.most, len(rows))
        return rows


class Door:
    """The door as it is; counts who is in it."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.begun = 0
        self.under_way = 0
        self.most = 0  # instructions in the branch's hand at once that are not in its journal

    async def take(self, payload: bytes) -> None:
        self.begun += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self._inbox.take(payload)
        finally:
            self.under_way -= 1


@dataclass(slots=True)
class LinkedBench(Bench):
    """A bench whose journal goes up over `wan`; `restart` is the agent's process dying, with its bridge."""

    wan: Wan = field(default_factory=Wan)
    settings: LinkSettings = SETTINGS
    bridge: Bridge | None = None
    watched: Watched | None = None
    door: Door | None = None
    readings: ReadingBox = field(default_factory=ReadingBox)

    def _begin(self) -> None:
        Bench._begin(self)
        loop = asyncio.get_running_loop()
        plain = self.outbox()
        self.door = Door(self.intake)
        self.watched = Watched(plain._journal, plain._about, plain._clock, self.readings)
        self.bridge = Bridge(
            self.settings,
            TOPICS,
            self.door,
            self.watched,
            open_link=self.wan.open_link,
            chance=lambda: 0.5,
            clock=loop.time,
        )
        self._tasks.append(asyncio.create_task(self.bridge.run(), name="link"))

    def unsent(self) -> int:
        row = self.one("SELECT count(*) FROM outbox WHERE sent = 0")
        return int(row[0]) if row else 0

    def last_seq(self) -> int:
        return self.look(lambda tx: tx.last_seq())
