"""A serial line behind a TCP serial server (ser2net, MOXA and their kind).

Knows sockets and what the operating system says when a connection goes; must not know frames.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass

from device_drivers.links.link import LinkError

CONNECT_TIMEOUT_S = 5.0
WRITE_TIMEOUT_S = 5.0
BUFFER_BYTES = 4096  # a flooding far end is stopped by TCP itself once twice this waits unread


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """`tcp://127.0.0.1:4001`."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


class TcpLink:
    """One connection to one serial server, without Nagle's delay."""

    def __init__(self, address: TcpAddress) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def describe(self) -> str:
        """The address as configured."""
        return str(self._address)

    async def open(self) -> None:
        """Connects. Raises LinkError; no socket stays open then."""
        if self._streams is not None:
            return
        host, port = self._address.host, self._address.port
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(host, port, limit=BUFFER_BYTES)
        except TimeoutError as error:
            raise self._lost(
                f"no answer in {CONNECT_TIMEOUT_S} s; is the serial server on, and the address right?"
            ) from error
        except OSError as error:
            raise self._lost(f"cannot connect: {_why(error)}") from error
        writer.transport.set_write_buffer_limits(high=0)  # so that drain() means: the operating system has all bytes
        line: socket.socket = writer.get_extra_info("socket")
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._streams = (reader, writer)

    async def close(self) -> None:
        """Closes at once: bytes that the operating system never took are given up."""
        streams, self._streams = self._streams, None
        if streams is None:
            return
        streams[1].transport.abort()
        with contextlib.suppress(OSError):  # the loss itself; whoever read or wrote has been told
            await streams[1].wait_closed()

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """At least one byte, or b"" after silence. Raises LinkError when the connection is lost."""
        reader, _ = self._open_streams()
        try:
            async with asyncio.timeout(timeout_s):
                data = await reader.read(max_bytes)
        except TimeoutError:
            return b""
        except OSError as error:
            raise self._lost(_why(error)) from error
        if not data:
            raise self._lost("the far end closed the connection")
        return data

    async def write(self, data: bytes) -> None:
        """Returns when the operating system has taken all bytes. Raises LinkError."""
        _, writer = self._open_streams()
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_S):
                writer.write(data)
                await writer.drain()
        except TimeoutError as error:
            raise self._lost(f"did not take {len(data)} bytes in {WRITE_TIMEOUT_S} s") from error
        except OSError as error:
            raise self._lost(_why(error)) from error

    def _open_streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            raise self._lost("is not open")
        return self._streams

    def _lost(self, why: str) -> LinkError:
        return LinkError(self.describe(), why)


def _why(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
