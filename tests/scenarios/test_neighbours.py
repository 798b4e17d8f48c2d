"""Bad neighbours on other lines: one floods, one is silent, one speaks garbage, one hangs up, one is not there.

The good device's orders go on, and each bad one is told as lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.conftest import BranchMaker
from tests.harness.scheduler import REACH_S

pytestmark = pytest.mark.process
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Neighbours:
    """TCP serial servers that behave badly; `flooded` counts what the flood got rid of."""

    def __init__(self) -> None:
        self.flooded = 0
        self.asked: set[str] = set()
        self._dice = random.Random(20)

    async def floods(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(self._dice.randbytes(16_384))
            await writer.drain()
            self.flooded += 16_384

    async def silent(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            self.asked.add("silent")

    async def garbage(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            self.asked.add("garbage")
            writer.write(self._dice.randbytes(200))
            await writer.drain()

    async def hangs_up(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        self.asked.add("hangs_up")


@contextlib.asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(task := asyncio.current_task())
        try:
            with contextlib.suppress(OSError):
                await serve(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    tasks: set[asyncio.Task[None] | None] = set()
    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            if task is not None:
                task.cancel()
        await asyncio.gather(*(t for t in tasks if t is not None), return_exceptions=True)


def unused_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.mark.rule("DEV-2")
async def test_bad_neighbours_hold_up_nobody(make_branch: BranchMaker) -> None:
    bad = Neighbours()
    branch = await make_branch()
    async with contextlib.AsyncExitStack() as stack:
        ports = {"absent": unused_port()}
        for name in ("floods", "silent", "garbage", "hangs_up"):
            ports[name] = await stack.enter_async_context(serving(getattr(bad, name)))
        with branch.config.open("a", encoding="utf-8") as config:
            for name, port in ports.items():
                config.write(
                    f'\n[[device]]\nid = "{name}"\nrole = "spare"\nkind = "crt591"\naddress = "tcp://127.0.0.1:{port}"\n'
                )
                config.write(
                    "idle_poll_s = 0.2\n[device.profile]\nact_max_s = 0.1\ndrain_s = 0.1\nquestion_timeout_s = 0.2\n"
                )
        await branch.start_agent()
        await branch.born()
        for order in ("a", "b", "c"):
            assert await branch.serve(order) == "completed"
        async with asyncio.timeout(REACH_S):
            while bad.asked != {"silent", "garbage", "hangs_up"} or bad.flooded < 1_000_000:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await branch.serve("d") == "completed"
        heard = branch.heard

        def lost() -> set[str]:
            return {e["data"]["device"] for e in heard.events if e["type"].endswith("device.changed.v1")}

        await heard.until(lambda: lost() >= set(ports), "each of them is told")
        assert (await branch.verdict()).acts == {"card_drawn": 4, "card_presented": 4}
        assert await branch.stop_agent() == 0
