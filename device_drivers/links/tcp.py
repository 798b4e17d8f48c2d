"""A serial line behind a TCP serial server (ser2net, MOXA and their kind).

Knows sockets and what the operating system says when a connection goes; must not know frames.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from device_drivers.links.ears import Ears, why_of
from device_drivers.links.errand import Errand, ErrandHangsError
from device_drivers.links.link import LinkError

CONNECT_TIMEOUT_S = 5.0
WRITE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """`tcp://127.0.0.1:4001`."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


class HostAndPort(Protocol):
    """An address that leads to a TCP port; its `str` is how it was configured."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


class TcpLink:
    """One connection to one serial server or printer, without Nagle's delay; a `link.PromptLink`."""

    def __init__(self, address: HostAndPort, *, write_timeout_s: float | None = None) -> None:
        self._address = address
        self._own_write_timeout_s = write_timeout_s
        self._ears: Ears | None = None
        self._looking_up: Errand[Sequence[str]] | None = None  # one that was given up and may hang still

    def describe(self) -> str:
        """The address as configured."""
        return str(self._address)

    async def open(self) -> None:
        """Connects. Raises LinkError; no socket stays open then."""
        if self._ears is not None:
            return
        try:
            places = await self._places()
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                ears = await self._connected(places)
        except TimeoutError as error:
            raise self._lost(
                f"no answer in {CONNECT_TIMEOUT_S} s; is the serial server on, and the address right?"
            ) from error
        except OSError as error:
            raise self._lost(f"cannot connect: {why_of(error)}") from error
        line: socket.socket = ears.transport.get_extra_info("socket")
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._ears = ears

    async def _connected(self, places: Sequence[str]) -> Ears:
        """The first of them that answers. Raises OSError of the last."""
        for nth, place in enumerate(places, start=1):
            try:
                _, ears = await asyncio.get_running_loop().create_connection(Ears, place, self._address.port)
            except OSError:
                if nth == len(places):
                    raise
            else:
                return ears
        raise OSError(f"{self._address.host} has no address")

    async def _places(self) -> Sequence[str]:
        """Where the host is. A name is looked up in a thread of its own: while the WAN is away that takes a minute.

        The loop has few threads, and staff who sign in or print wait for the same ones.
        """
        host = self._address.host
        if _is_number(host):
            return [host]
        if self._looking_up is not None and self._looking_up.under_way:  # or each opening would cost a thread
            raise self._lost(f"the name {host} is still being looked up; is its name server reachable?")
        self._looking_up = Errand(f"look up {host}", lambda: _addresses(host), lambda _: None)
        try:
            return await self._looking_up.result(CONNECT_TIMEOUT_S)
        except ErrandHangsError as error:
            raise self._lost(f"the name {host} was not found in {CONNECT_TIMEOUT_S} s; write its number") from error

    async def close(self) -> None:
        """Closes at once: bytes that the operating system never took are given up."""
        ears, self._ears = self._ears, None
        if ears is not None:
            ears.transport.abort()
            await ears.ended.wait()

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """At least one byte, or b"" after silence. Raises LinkError when the connection is lost."""
        ears = self._open_ears()
        data = await ears.heard(max_bytes, timeout_s)
        if not data and ears.why:
            raise self._lost(ears.why)
        return data

    async def write(self, data: bytes) -> None:
        """Returns when the operating system has taken all bytes. Raises LinkError."""
        if not self.write_at_once(data):
            await self.written()

    def write_at_once(self, data: bytes) -> bool:
        """See link.PromptLink."""
        transport = self._open_ears().transport
        transport.write(data)
        return not transport.is_closing() and not transport.get_write_buffer_size()

    async def written(self) -> None:
        """See link.PromptLink."""
        ears = self._open_ears()
        limit_s = self._own_write_timeout_s or WRITE_TIMEOUT_S
        left = ears.transport.get_write_buffer_size()
        try:
            async with asyncio.timeout(limit_s):
                await ears.taken()
        except TimeoutError as error:
            raise self._lost(f"did not take the last {left} bytes in {limit_s} s") from error
        if ears.ended.is_set():
            raise self._lost(ears.why)

    def _open_ears(self) -> Ears:
        if self._ears is None:
            raise self._lost("is not open")
        return self._ears

    def _lost(self, why: str) -> LinkError:
        return LinkError(self.describe(), why)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _addresses(host: str) -> Sequence[str]:
    """In the order of the operating system, each once. Raises OSError."""
    return list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)))
