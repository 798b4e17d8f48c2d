"""A simulated line behind a TCP serial server: one client at a time, the machine goes on when the client goes.

Knows bytes and connections only; it can hold bytes of a dead connection as real serial servers do, but never many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

HELD_BYTES = 65536  # of answers that nobody reads; what is more is lost
GRACE_S = 0.2  # a killed client's end may be noticed after the next one's beginning


class TcpPort:
    """Keeps the machine's line whoever is connected.

    `line_delay_s`: bytes reach the machine so late, also when their client is dead by then.
    `holds_answers`: answers that found no client wait for the next one.
    `on_host`: told whenever a client came or went.
    """

    def __init__(
        self,
        feed: Callable[[bytes], None],
        *,
        line_delay_s: float = 0.0,
        holds_answers: bool = False,
        on_host: Callable[[bool], None] | None = None,
    ) -> None:
        self._feed, self._delay_s, self._holds, self._on_host = feed, line_delay_s, holds_answers, on_host
        self._server: asyncio.Server | None = None
        self._client: asyncio.Transport | None = None
        self._plugged = self._ready = True
        self._held = bytearray()
        self._host, self._port = "", 0
        self.lost_bytes = 0

    @property
    def address(self) -> str:
        """As the agent's device address."""
        return f"tcp://{self._host}:{self._port}"

    async def listen(self, host: str, port: int) -> None:
        """Begin; port 0 takes a free one, which `address` then tells."""
        self._server = await asyncio.get_running_loop().create_server(lambda: Connection(self), host, port)
        self._host, self._port = host, self._server.sockets[0].getsockname()[1]

    def send(self, data: bytes) -> None:
        """To the client that is there, if there is one."""
        if self._client is not None and self._client.get_write_buffer_size() < HELD_BYTES:
            self._client.write(data)
        elif self._client is None and self._holds and len(self._held) + len(data) <= HELD_BYTES:
            self._held += data
        else:
            self.lost_bytes += len(data)

    def unplug(self) -> None:
        """Drop the client and turn others away until `plug`."""
        self._plugged = False
        if self._client is not None:
            self._client.abort()

    def plug(self) -> None:
        """Take clients again."""
        self._plugged = True

    def ready(self, *, on: bool) -> None:
        """While off nothing is read: the client's bytes wait on its own side."""
        self._ready = on
        if self._client is not None and not self._client.is_closing():
            if on:
                self._client.resume_reading()
            else:
                self._client.pause_reading()

    def close(self) -> None:
        """Stop listening and drop the client."""
        self.unplug()
        if self._server is not None:
            self._server.close()

    def joined(self, client: asyncio.Transport) -> None:
        """Somebody connected."""
        if not self._plugged:
            client.abort()
        elif self._client is None:
            self._serve(client)
        else:
            client.pause_reading()
            asyncio.get_running_loop().call_later(GRACE_S, self._second_chance, client)

    def left(self, client: asyncio.Transport) -> None:
        """Somebody's connection ended."""
        if client is self._client:
            self._client = None
            self._tell(present=False)

    def heard(self, client: asyncio.Transport, data: bytes) -> None:
        """Bytes from a client."""
        if client is not self._client:
            return
        if self._delay_s > 0:
            asyncio.get_running_loop().call_later(self._delay_s, self._feed, data)
        else:
            self._feed(data)

    def _second_chance(self, client: asyncio.Transport) -> None:
        if self._client is not None and not self._ready:
            self._client.abort()  # while nothing is read a client's end is not noticed: the newer one is believed
            self.left(self._client)
        if self._client is not None or not self._plugged:
            client.abort()
        elif not client.is_closing():
            client.resume_reading()
            self._serve(client)

    def _serve(self, client: asyncio.Transport) -> None:
        self._client = client
        if not self._ready:
            client.pause_reading()
        if self._held:
            client.write(bytes(self._held))
            self._held.clear()
        self._tell(present=True)

    def _tell(self, *, present: bool) -> None:
        if self._on_host is not None:
            self._on_host(present)


class Port(Protocol):
    """Who listens: told of each client, and of nobody's bytes but a client's."""

    def joined(self, client: asyncio.Transport) -> None: ...

    def left(self, client: asyncio.Transport) -> None: ...

    def heard(self, client: asyncio.Transport, data: bytes) -> None: ...


class Connection(asyncio.Protocol):
    """One client of a port."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port.joined(transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            self._port.heard(self._transport, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._port.left(self._transport)
