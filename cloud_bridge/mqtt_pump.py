"""When a client's socket is read and written: as soon as the loop says that it may be, and never by blocking it.

Knows the socket and paho's own turns; must not know packets, nor what becomes of what was read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from paho.mqtt.enums import MQTTErrorCode

from cloud_bridge.mqtt_client import Client


class Pump:
    """One connection's. `failed` hears what paho raised; after `over` nothing is read or written any more."""

    def __init__(self, client: Client, failed: Callable[[Exception], None]) -> None:
        self.reading = False
        self.held_up = False  # the system takes no more: the selector says when it does again
        self._client = client
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._over = False
        self._writing = False  # a turn of the loop will write what is queued
        client.on_socket_open = self._on_open
        client.on_socket_close = self._on_close
        client.on_socket_register_write = self._on_want_write

    def over(self) -> None:
        """The connection has ended, whether or not its socket is closed by now."""
        self._over = True

    def close(self) -> None:
        """The socket, too; harmless when it is closed already."""
        client = self._client
        client.on_socket_close = None
        if client.opened is not None and client.opened.fileno() >= 0:
            self._leave_alone()
            client.opened.close()

    def step(self, work: Callable[[], Any]) -> None:
        """One turn of paho's."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - paho raises whatever a broken packet makes of it; the link ends, told
            self._failed(error)

    def read(self, *, on: bool) -> None:
        """Whether what comes is read, or left in the socket."""
        sock = self._client.sock
        if on and not self._over:
            self._loop.add_reader(sock, self.step, self._read_all)
            if sock.waiting:  # read before a pause: the selector cannot see it
                self._loop.call_soon(self.step, self._read_all)
        elif sock.fileno() >= 0:
            self._loop.remove_reader(sock)
        self.reading = on

    # -- what the library calls ----------------------------------------------------------------------------------------

    def _on_open(self, client: Any, userdata: Any, sock: Any) -> None:
        self.read(on=True)

    def _on_close(self, client: Any, userdata: Any, sock: Any) -> None:
        self._leave_alone()

    def _on_want_write(self, client: Any, userdata: Any, sock: Any) -> None:
        if not self._writing and not self.held_up:
            self._writing = True
            self._loop.call_soon(self.step, self._write_all)

    # -- what the loop calls -------------------------------------------------------------------------------------------

    def _read_all(self) -> None:
        """One read of the system, and every packet in it; what comes while reading is paused stays where it is."""
        sock = self._client.sock
        if self.reading:
            sock.fill()
        while self.reading and sock.waiting:
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return

    def _write_all(self) -> None:
        """All that a turn of the loop has brought together, in one write."""
        self._writing = False
        sock = self._client.sock
        if self._over or sock.fileno() < 0:
            return
        self._client.loop_write()
        sock.flush()
        if sock.failed:
            self._client.loop_read()  # where paho hears of it, and ends the connection
        self._watch_room(wanted=self._client.want_write() or sock.unsent > 0)

    def _watch_room(self, *, wanted: bool) -> None:
        """The selector says when the system takes bytes again, as long as some are refused."""
        sock = self._client.sock
        if wanted and not self.held_up and sock.fileno() >= 0:
            self._loop.add_writer(sock, self.step, self._write_all)
        elif self.held_up and not wanted and sock.fileno() >= 0:
            self._loop.remove_writer(sock)
        self.held_up = wanted

    def _leave_alone(self) -> None:
        self.read(on=False)
        self._watch_room(wanted=False)
