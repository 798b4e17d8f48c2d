"""A journal and a link in memory: what the bridge's tests look into."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from cloud_bridge.link import Connect, LinkLost, Message
from cloud_bridge.ports import Lane, Outgoing


class MemoryInbox:
    """Remembers what was taken; `gate` holds every take back, `broken` makes it fail."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.started: list[bytes] = []
        self.gate: asyncio.Event | None = None
        self.broken: Exception | None = None
        self.hold: Callable[[bytes], Awaitable[None]] | None = None

    async def take(self, payload: bytes) -> None:
        self.started.append(payload)
        if self.gate is not None:
            await self.gate.wait()
        if self.hold is not None:
            await self.hold(payload)
        if self.broken is not None:
            raise self.broken
        self.taken.append(payload)


class MemoryOutbox:
    """Two lanes of rows, and session messages in readable JSON."""

    def __init__(self) -> None:
        self.rows: dict[Lane, dict[int, bytes]] = {"replies": {}, "events": {}}
        self.sent: dict[Lane, list[int]] = {"replies": [], "events": []}
        self.session = 0
        self.tales: list[tuple[str, str]] = []
        self.broken: Exception | None = None
        self.readings: list[tuple[str, bytes]] = []
        self._changed = asyncio.Event()
        self._observed = asyncio.Event()

    def put(self, lane: Lane, *keys: int) -> None:
        for key in keys:
            self.rows[lane][key] = f"{lane} {key}".encode()
        self._changed.set()

    async def unsent(self, lane: Lane, limit: int) -> list[Outgoing]:
        return [Outgoing(key, payload) for key, payload in sorted(self.rows[lane].items())[:limit]]

    async def mark_sent(self, lane: Lane, keys: Sequence[int]) -> None:
        for key in keys:
            del self.rows[lane][key]
        self.sent[lane].extend(keys)

    async def changed(self) -> None:
        await self._changed.wait()
        self._changed.clear()

    def observe(self, device: str, *payloads: bytes) -> None:
        self.readings += [(device, payload) for payload in payloads]
        self._observed.set()

    async def next_reading(self) -> tuple[str, bytes] | None:
        if not self.readings:
            self._observed.clear()
            return None
        return self.readings.pop(0)

    async def observed(self) -> None:
        await self._observed.wait()

    async def next_session(self) -> int:
        if self.broken is not None:
            raise self.broken
        self.session += 1
        return self.session

    def will(self, session: int, reason: str = "lost") -> bytes:
        return json.dumps({"died": session, "reason": reason}).encode()

    async def birth(self, session: int) -> bytes:
        return json.dumps({"born": session}).encode()

    async def heartbeat(self, session: int) -> bytes:
        return json.dumps({"beat": session}).encode()

    def is_other_death(self, payload: bytes, session: int) -> bool:
        said = json.loads(payload)
        return "died" in said and said["died"] != session

    async def told(self, what: str, reason: str) -> None:
        self.tales.append((what, reason))


@dataclass
class FakeMessage:
    topic: str
    payload: bytes
    retained: bool = False
    acked: bool = False

    def ack(self) -> None:
        self.acked = True


@dataclass
class FakeLink:
    """A link without a broker: `answer` decides each publish, `deliver` brings a message, `lose` ends it."""

    options: Connect
    answer: Callable[[str, bytes], Awaitable[None]]
    session_present: bool = False
    window: int = 20
    congested: bool = False
    subscribed: list[str] = field(default_factory=list)
    published: list[tuple[str, bytes, bool]] = field(default_factory=list)
    said: list[tuple[str, int, int | None]] = field(default_factory=list)  # topic, QoS, expiry of each
    delivered: list[FakeMessage] = field(default_factory=list)
    ended: str = ""
    sending: set[asyncio.Future[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._lost: asyncio.Future[LinkLost] = asyncio.get_running_loop().create_future()
        self._arrived: asyncio.Queue[FakeMessage] = asyncio.Queue()

    def deliver(self, topic: str, payload: bytes) -> FakeMessage:
        message = FakeMessage(topic, payload)
        self.delivered.append(message)
        self._arrived.put_nowait(message)
        return message

    def lose(self, why: str = "cut", *, taken_over: bool = False) -> None:
        if not self._lost.done():
            self._lost.set_result(LinkLost(why, taken_over=taken_over))

    async def subscribe(self, *topics: str) -> None:
        self.subscribed.extend(topics)

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1, expiry_s: int | None = None
    ) -> None:
        if self._lost.done():
            raise self._lost.result()
        self.published.append((topic, payload, retain))
        self.said.append((topic, qos, expiry_s))
        await self.answer(topic, payload)

    async def send(
        self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1, expiry_s: int | None = None
    ) -> asyncio.Future[None]:
        puback = asyncio.ensure_future(self.publish(topic, payload, retain=retain, qos=qos, expiry_s=expiry_s))
        puback.add_done_callback(lambda _: puback.cancelled() or puback.exception())
        self.sending.add(puback)
        puback.add_done_callback(self.sending.discard)
        await asyncio.sleep(0)  # it has left in the order of these calls
        return puback

    async def receive(self) -> Message:
        return await self._arrived.get()

    async def wait_lost(self) -> LinkLost:
        return await asyncio.shield(self._lost)

    async def close(self) -> None:
        self.ended = "closed"
        self.lose("closed")

    async def drop(self) -> None:
        self.ended = self.ended or "dropped"
        self.lose("dropped")
        for puback in self.sending:
            puback.cancel()


class Hours:
    """Time in a test: `sleep` ends only when `advance` says so."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, delay_s: float) -> None:
        self.slept.append(delay_s)
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now_s + delay_s, future))
        await future

    async def advance(self, delay_s: float) -> None:
        """Wakes every sleeper up to then, in order."""
        end_s = self.now_s + delay_s
        await settle()
        while due := sorted((s for s in self._sleepers if s[0] <= end_s and not s[1].done()), key=lambda s: s[0]):
            self.now_s = max(self.now_s, due[0][0])
            due[0][1].set_result(None)
            await settle()
        self.now_s = end_s
        self._sleepers = [s for s in self._sleepers if not s[1].done()]


async def settle() -> None:
    """Let every task run until all of them wait for something."""
    for _ in range(50):
        await asyncio.sleep(0)
