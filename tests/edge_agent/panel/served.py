"""A panel with its pages on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from edge_agent.panel.pages.site import pages
from edge_agent.panel.server import Listen
from edge_agent.panel.server import Panel as Server
from tests.edge_agent.panel.asking import Panel


@contextlib.asynccontextmanager
async def served(panel: Panel, port: int = 0) -> AsyncIterator[str]:
    """The panel's address while it is served; on a `port` of before, after a restart."""
    server = Server(panel.house, Listen("127.0.0.1", port), pages(tls=False))
    task = asyncio.create_task(server.run())
    try:
        async with asyncio.timeout(30):
            while server.port == 0 or not await _listens(server.port):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{server.port}"
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
