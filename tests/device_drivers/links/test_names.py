"""A device that is named, not numbered: whoever looks names up may be away, and that is nobody else's affair."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest

from device_drivers.links import tcp
from device_drivers.links.link import LinkError
from device_drivers.links.tcp import TcpAddress, TcpLink

PATIENCE_S = 20.0  # never waited for


class Resolver:
    """`socket.getaddrinfo` of a box whose name server is away: it returns when told."""

    def __init__(self) -> None:
        self.asked = 0
        self.back = threading.Event()
        self.found: list[str] = []

    def __call__(self, host: str, port: object, **_how: Any) -> list[Any]:
        self.asked += 1
        self.back.wait(PATIENCE_S)
        if not self.found:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.found]


@asynccontextmanager
async def one_thread(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Resolver]:
    """The loop has one thread for all that waits."""
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    monkeypatch.setattr(tcp, "CONNECT_TIMEOUT_S", 0.05)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    try:
        yield resolver
    finally:
        resolver.back.set()


async def test_a_name_that_nobody_answers_for_takes_no_thread_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async with one_thread(monkeypatch) as resolver:
        link = TcpLink(TcpAddress("moxa-1.branch.example", 4001))
        with pytest.raises(LinkError, match="was not found in"):
            await link.open()
        async with asyncio.timeout(PATIENCE_S / 2):
            assert await asyncio.to_thread(lambda: "signed in") == "signed in"
        for _ in range(5):
            with pytest.raises(LinkError, match="still being looked up"):
                await link.open()
        assert resolver.asked == 1


async def test_a_name_server_that_is_back_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async with one_thread(monkeypatch) as resolver:
        link = TcpLink(TcpAddress("moxa-1.branch.example", 4001))
        with pytest.raises(LinkError):
            await link.open()
        resolver.back.set()
        assert link._looking_up is not None
        link._looking_up._thread.join(PATIENCE_S)
        monkeypatch.setattr(tcp, "CONNECT_TIMEOUT_S", PATIENCE_S)
        with pytest.raises(LinkError, match="Temporary failure"):
            await link.open()
        assert resolver.asked == 2


async def test_each_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = asyncio.Event()

    async def hears(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        writer.close()

    server = await asyncio.start_server(hears, "127.0.0.1", 0)
    async with server, one_thread(monkeypatch) as resolver:
        monkeypatch.setattr(tcp, "CONNECT_TIMEOUT_S", PATIENCE_S)
        resolver.back.set()
        resolver.found = ["127.0.0.2", "127.0.0.1"]  # nobody listens at the first
        link = TcpLink(TcpAddress("moxa-1.branch.example", server.sockets[0].getsockname()[1]))
        await link.open()
        await heard.wait()
        await link.close()


async def test_a_number_is_looked_up_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    async with one_thread(monkeypatch) as resolver:
        for host in ("127.0.0.1", "::1"):
            with pytest.raises(LinkError):
                await TcpLink(TcpAddress(host, 1)).open()
        assert not resolver.asked
