"""A server that ended by itself is followed by one whose readers of events stay."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from edge_agent.panel import server
from edge_agent.panel.branch import House
from edge_agent.panel.server import Listen, Panel


async def test_the_next_server_does_not_send_its_readers_away(monkeypatch: pytest.MonkeyPatch) -> None:
    house = SimpleNamespace(closing=asyncio.Event())
    while_serving: list[bool] = []

    async def serve(_: object, sockets: object) -> None:
        while_serving.append(house.closing.is_set())

    def no_app(*_: object, **__: object) -> tuple[Any, Any]:
        return None, None

    monkeypatch.setattr(server, "build", no_app)
    monkeypatch.setattr(server._Server, "serve", serve)
    panel = Panel(cast("House", house), Listen("127.0.0.1", 0))
    await panel._serve()
    assert house.closing.is_set(), "whoever read events was sent away"
    await panel._serve()
    assert while_serving == [False, False]
