"""A TCP line to a broker that can be throttled or shut while it stands: neither end is told, bytes just stay.

Knows bytes per second; must not know what they mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Self

CHUNK_BYTES = 1024
FREE = float("inf")


class Valve:
    """Listens on a free loopback port and forwards to `target`; `rate` is in bytes per second each way, 0 is shut.

    `budget` is how many bytes still go up at full speed before `rate` holds.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()
        self._turned = asyncio.Event()
        self.rate = FREE
        self.budget = 0
        self.went_up = 0

    async def __aenter__(self) -> Self:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what is shut must be felt at the far end
        listening.bind(("127.0.0.1", 0))
        self.port = int(listening.getsockname()[1])
        self._server = await asyncio.start_server(self._joined, sock=listening, limit=CHUNK_BYTES)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._server.wait_closed()

    def turn(self, rate: float, budget: int = 0) -> None:
        """From now on; also for the lines that stand."""
        self.rate, self.budget = rate, budget
        self._turned.set()
        self._turned = asyncio.Event()

    async def _joined(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._through(0)
            far_in, far_out = await asyncio.open_connection("127.0.0.1", self._target)
            with contextlib.closing(far_out.transport):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._forward(near_in, far_out, up=True), name="valve up")
                    group.create_task(self._forward(far_in, near_out, up=False), name="valve down")
        except* (ConnectionError, asyncio.CancelledError):
            pass  # an end is gone: so is the line
        finally:
            near_out.transport.abort()
            self._tasks.discard(task)

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, up: bool) -> None:
        while data := await source.read(CHUNK_BYTES if self.rate < FREE else 65536):
            if up and self.budget > 0:
                self.budget -= len(data)
            else:
                await self._through(len(data))
            self.went_up += len(data) if up else 0
            target.write(data)
            await target.drain()
        raise ConnectionResetError("an end left")

    async def _through(self, count: int) -> None:
        """Returns when so many bytes may pass."""
        while self.rate == 0 and self.budget <= 0:
            await self._turned.wait()
        if 0 < self.rate < FREE:
            await asyncio.sleep(count / self.rate)
