"""A TCP line that is cut in the middle of a frame: forwards both ways, and once drops both ends there.

Knows one literal frame to wait for; must not know what it means.
"""

from __future__ import annotations

import asyncio
from typing import Self


class Cutter:
    """Listens on a free loopback port, forwards to `target`, and cuts after the first `keep` bytes of `frame`."""

    def __init__(self, target: int, frame: bytes, keep: int) -> None:
        self._target, self._frame, self._keep = target, frame, keep
        self._tasks: set[asyncio.Task[None]] = set()
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._server.wait_closed()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _joined(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_in, far_out = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._down(near_in, far_out), name="cutter down")
                group.create_task(self._up(far_in, near_out), name="cutter up")
        except* ConnectionError:
            pass  # an end is gone: so is the line
        finally:
            near_out.transport.abort()
            far_out.transport.abort()
            self._tasks.discard(task)

    async def _down(self, near_in: asyncio.StreamReader, far_out: asyncio.StreamWriter) -> None:
        while data := await near_in.read(4096):
            if self._frame in data and not self.cuts:
                self.cuts += 1
                far_out.write(data[: data.index(self._frame) + self._keep])
                await far_out.drain()
                raise ConnectionResetError("cut on purpose")
            far_out.write(data)
            await far_out.drain()
        raise ConnectionResetError("the near end left")

    async def _up(self, far_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        while data := await far_in.read(4096):
            near_out.write(data)
            await near_out.drain()
        raise ConnectionResetError("the far end left")
