"""The printer's network plug: HTTP connections served one after the other, whose end the printer is told.

Knows sockets and turns; must not know what passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulators.control import split_address
from simulators.ipp.printer import IppPrinter
from simulators.machine import ControlError
from simulators.tcp_port import Connection

WAITING_MAX = 16


class IppPort:
    """A listening socket. `ipp://host:port/ipp/print` is the agent's device address."""

    def __init__(self, printer: IppPrinter, feed: Callable[[bytes], None]) -> None:
        self._printer, self._feed = printer, feed
        self._server: asyncio.Server | None = None
        self._client: asyncio.Transport | None = None
        self._waiting: list[asyncio.Transport] = []
        self._plugged = True
        self._where = ""

    @property
    def address(self) -> str:
        return f"ipp://{self._where}/ipp/print"

    async def listen(self, listen: str) -> None:
        """`tcp:127.0.0.1:PORT`; port 0 takes a free one, which `address` then tells."""
        kind, host, number = split_address(listen)
        if kind != "tcp":
            raise ControlError(f"a document printer listens on tcp:127.0.0.1:PORT, not on {listen!r}")
        self._server = await asyncio.get_running_loop().create_server(lambda: Connection(self), host, number)
        self._where = f"{host}:{self._server.sockets[0].getsockname()[1]}"

    def send(self, data: bytes) -> None:
        """To the client whose turn it is."""
        if self._client is not None:
            self._client.write(data)

    def unplug(self) -> None:
        """Drop everybody and turn others away until `plug`."""
        self._plugged = False
        for client in [*self._waiting, *([self._client] if self._client else [])]:
            client.abort()

    def plug(self) -> None:
        """Take clients again."""
        self._plugged = True

    def ready(self, *, on: bool) -> None:
        """A network has no ready line."""

    def close(self) -> None:
        """Stop listening and drop everybody."""
        self.unplug()
        if self._server is not None:
            self._server.close()

    def joined(self, client: asyncio.Transport) -> None:
        """Somebody connected."""
        if not self._plugged or len(self._waiting) >= WAITING_MAX:
            client.abort()
        elif self._client is None:
            self._serve(client)
        else:
            client.pause_reading()
            self._waiting.append(client)

    def left(self, client: asyncio.Transport) -> None:
        """A connection ended: the next one's turn."""
        if client in self._waiting:
            self._waiting.remove(client)
        if client is not self._client:
            return
        self._client = None
        self._printer.closed(asyncio.get_running_loop().time())
        self._feed(b"")
        if self._waiting and self._plugged:
            following = self._waiting.pop(0)
            self._serve(following)
            following.resume_reading()

    def heard(self, client: asyncio.Transport, data: bytes) -> None:
        """Bytes from a client."""
        if client is self._client:
            self._feed(data)

    def _serve(self, client: asyncio.Transport) -> None:
        self._client = client
        self._printer.opened(asyncio.get_running_loop().time())
