"""Publishes instructions and hears what became of each; one at a time, or one in flight on each lane.

Knows seconds and keys; what an instruction says, and which message is its end, is handed in.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from cloud_bridge.link import Connect
from cloud_bridge.mqtt_link import MqttLink

LIMIT_S = 60.0
Payload = Callable[[str, int], dict[str, Any]]  # of a key and a lane
Ended = Callable[[dict[str, Any]], str | None]  # the key of what a message ended; raises when it went wrong


def client(port: int, name: str) -> Connect:
    """A client of the bench itself: it wants no session kept."""
    return Connect("127.0.0.1", port, name, clean_start=True, session_expiry_s=0, receive_maximum=1000)


class Loader:
    """One MQTT connection; `heard` counts what came over it."""

    def __init__(self, link: MqttLink, down: str, ended: Ended) -> None:
        self._link, self._down, self._ended = link, down, ended
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self.heard = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int, down: str, up: list[str], ended: Ended) -> AsyncIterator[Loader]:
        """Hears the topics `up` until it is left; an error of `ended` ends whoever is inside."""
        name = f"bench-{uuid.uuid4().hex[:8]}"
        async with await MqttLink.connect(
            Connect("127.0.0.1", port, name, clean_start=True, session_expiry_s=0)
        ) as link:
            await link.subscribe(*up)
            loader = cls(link, down, ended)
            async with asyncio.TaskGroup() as group:
                hearing = group.create_task(loader._hear())
                yield loader
                hearing.cancel()

    async def _hear(self) -> None:
        while True:
            message = await self._link.receive()
            message.ack()
            self.heard += 1
            key = self._ended(json.loads(message.payload))
            if key is not None and (waiting := self._waiting.pop(key, None)) is not None:
                waiting.set_result(time.perf_counter())

    async def one(self, payload: Payload, lane: int = 0) -> float:
        """Seconds from the publishing of an instruction to the hearing of its outcome."""
        key = uuid.uuid4().hex
        done = self._waiting[key] = asyncio.get_running_loop().create_future()
        text = json.dumps(payload(key, lane)).encode()
        began_s = time.perf_counter()
        await self._link.publish(self._down, text)
        async with asyncio.timeout(LIMIT_S):
            ended_s: float = await done
        return ended_s - began_s

    async def in_turn(self, payload: Payload, count: int) -> list[float]:
        """One after the other."""
        return [await self.one(payload) for _ in range(count)]

    async def many(self, lanes: int, seconds: float, payload: Payload) -> int:
        """One in flight on each lane for so long; how many came to their end within it."""
        until_s, done = time.perf_counter() + seconds, 0

        async def keep_busy(lane: int) -> None:
            nonlocal done
            while time.perf_counter() < until_s:
                await self.one(payload, lane)
                done += time.perf_counter() <= until_s

        async with asyncio.TaskGroup() as group:
            for lane in range(lanes):
                group.create_task(keep_busy(lane))
        return done
