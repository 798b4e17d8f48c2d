"""A simulated machine behind a USB plug: the port that a simulated bus in the host's process reaches over loopback TCP.

Knows requests, pending transfers and connections (`usb_remote` says what passes); the rules of USB are `usb_device`'s.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.machine import Machine
from simulators.usb_device import UsbDevice, UsbFault
from simulators.usb_ends import PortEnd
from simulators.usb_model import UsbModel
from simulators.usb_remote import LINE_BYTES, decoded, encoded, words_of

HELD_BYTES = 65536  # of answers that nobody reads; what is more is lost


class UsbPort:
    """One device with one plug; each connection is a program of the host's.

    A machine may offer `port_status()`, the byte of GET_PORT_STATUS (08 no error, 10 selected, 20 paper empty) or None
    while it has no power, and `outages`, how often it lost that: then it is gone from the bus and returns as new.
    """

    def __init__(self, feed: Callable[[bytes], None], machine: Machine, model: UsbModel | None = None) -> None:
        self._end = PortEnd(feed, machine)
        self._device = UsbDevice(model or UsbModel(), self._end)
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._where = ""
        self._cable, self._outages = True, self._end.outages()

    @property
    def address(self) -> str:
        """As the agent's device address."""
        model = self._device.model
        return f"usb://{model.vendor:04x}:{model.product:04x}?bus=simulated:{self._where}"

    async def listen(self, host: str, port: int) -> None:
        """Begin; port 0 takes a free one, which `address` then tells."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), host, port)
        self._where = f"{host}:{self._server.sockets[0].getsockname()[1]}"

    def send(self, data: bytes) -> None:
        """Into the endpoint; a host that waits for it is answered."""
        self._look()
        if self._device.plugged and len(self._end.outgoing) + len(data) <= HELD_BYTES:
            self._end.outgoing += data
        self._try_again()

    def unplug(self) -> None:
        """Pull the plug; whoever waits is told."""
        self._cable = False
        self._try_again()

    def plug(self) -> None:
        """Put it back, under a new number."""
        self._look()
        self._cable = True

    def ready(self, *, on: bool) -> None:
        """While off the endpoint takes no bytes: the host's transfers wait and time out."""
        self._end.ready = on
        self._try_again()

    def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for one in list(self._connections):
            one.drop()

    def joined(self, connection: _Connection) -> None:
        """Somebody connected."""
        self._connections.add(connection)

    def left(self, connection: _Connection) -> None:
        """Somebody's connection ended; what it claimed is free."""
        self._connections.discard(connection)
        for owner in list(self._device.claims.values()):
            if isinstance(owner, tuple) and owner[0] is connection:
                self._device.close(owner)

    def answer(self, connection: _Connection, request: dict[str, Any]) -> dict[str, Any] | None:
        """None: nothing yet, ask again."""
        self._look()
        operation = request["do"]
        if operation == "devices":
            there = [[self._device.address, words_of(self._device.model)]] if self._device.plugged else []
            return {"ok": there}
        owner = (connection, request["owner"])
        if operation == "close":
            return {"ok": self._device.close(owner)}
        try:
            if request["address"] != self._device.address:
                raise UsbFault(errno.ENODEV)
            result = self._device.do(owner, operation, *request["args"])
        except UsbFault as fault:
            return {"errno": fault.errno}
        return None if result is None else {"ok": result}

    def _look(self) -> None:
        """Whether the device is on the bus; one that lost power between two looks was not."""
        powered, outages = self._end.powered(), self._end.outages()
        if not self._cable or not powered or outages != self._outages:
            self._device.unplug()
        if self._cable and powered:
            self._device.plug()
        self._outages = outages

    def _try_again(self) -> None:
        self._look()
        for one in list(self._connections):
            one.try_again()


@dataclass
class _Pending:
    request: dict[str, Any]
    until_s: float
    timer: asyncio.TimerHandle | None = None


class _Connection(asyncio.Protocol):
    """One request at a time; a transfer that has to wait is tried again until its time is over."""

    def __init__(self, port: UsbPort) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._unread = b""
        self._pending: _Pending | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port.joined(self)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while b"\n" in self._unread and self._pending is None:
            line, _, self._unread = self._unread.partition(b"\n")
            try:
                request = decoded(line)
                self._pending = _Pending(request, self._loop.time() + float(request.get("timeout_s", 0.0)))
                self.try_again()
            except (ValueError, KeyError, TypeError):
                self.drop()  # no host of ours
                return
        if len(self._unread) > LINE_BYTES:
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._port.left(self)

    def drop(self) -> None:
        """Hang up."""
        self._forget()
        if self._transport is not None:
            self._transport.abort()

    def try_again(self) -> None:
        """Answer what is pending, if it can be answered now or its time is over."""
        pending, self._pending = self._pending, None  # what is written may make the machine send: not a second time
        if pending is None or self._transport is None:
            return
        answer = self._port.answer(self, pending.request)
        self._pending = pending
        if answer is None and self._loop.time() < pending.until_s:
            self._set_alarm(pending)
            return
        self._forget()
        self._transport.write(encoded(answer or {"errno": errno.ETIMEDOUT}))

    def _set_alarm(self, pending: _Pending) -> None:
        if pending.timer is not None:
            pending.timer.cancel()
        pending.timer = self._loop.call_at(pending.until_s, self.try_again)

    def _forget(self) -> None:
        if self._pending is not None and self._pending.timer is not None:
            self._pending.timer.cancel()
        self._pending = None
