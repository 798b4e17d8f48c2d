"""What passes between the simulated bus in the host's process and the port of a simulator, and the host's end of it.

One JSON object per line over loopback TCP, one request at a time on a connection, each answered:

    {"do": "devices"}                                         -> {"ok": [[address, {model}]]}
    {"do": "write", "address": 2, "owner": 1, "args": [1, {"hex": "1B40"}], "timeout_s": 1.0}
                                                              -> {"ok": 2} or {"errno": 110}

Bytes travel as {"hex": …}. The other operations are those of `usb_device`. What a connection claimed is given back
when it ends. A simulator that cannot be reached is a device that is not plugged in.
"""

from __future__ import annotations

import contextlib
import errno
import json
import socket
from collections.abc import Hashable, Sequence
from dataclasses import asdict
from typing import Any

from simulators.usb_device import UsbFault
from simulators.usb_model import UsbInterface, UsbModel

LINE_BYTES = 1 << 20
ANSWER_S = 5.0  # over the transfer's own time-out; a simulator that is stopped for longer is as good as unplugged


class RemoteHub:
    """Used by one thread. Connects when it is first asked, and again after a loss."""

    def __init__(self, host: str, port: int) -> None:
        self._where = (host, port)
        self._socket: socket.socket | None = None
        self._unread = b""

    def devices(self) -> list[tuple[int, UsbModel]]:
        try:
            return [(address, model_of(words)) for address, words in self._ask({"do": "devices"}, 0.0)]
        except UsbFault:
            return []

    def call(self, address: int, owner: Hashable, operation: str, args: Sequence[Any], timeout_s: float = 0.0) -> Any:
        request = {"do": operation, "address": address, "owner": owner, "args": args, "timeout_s": timeout_s}
        return self._ask(request, timeout_s)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, request: dict[str, Any], timeout_s: float) -> Any:
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._where, timeout=ANSWER_S)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._unread = b""
            self._socket.settimeout(timeout_s + ANSWER_S)
            self._socket.sendall(encoded(request))
            answer = decoded(self._line(self._socket))
        except OSError as error:
            self.close()
            raise UsbFault(errno.ENODEV) from error
        if "errno" in answer:
            raise UsbFault(answer["errno"])
        return answer["ok"]

    def _line(self, connection: socket.socket) -> bytes:
        while b"\n" not in self._unread:
            piece = connection.recv(65536)
            if not piece or len(self._unread) > LINE_BYTES:
                raise ConnectionError("the simulator hung up")
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return line


def encoded(message: object) -> bytes:
    """As a line."""
    return json.dumps(message, default=lambda data: {"hex": data.hex()}).encode() + b"\n"


def decoded(line: bytes) -> dict[str, Any]:
    """Raises ValueError or TypeError for what is no message."""
    message = json.loads(line, object_hook=lambda one: bytes.fromhex(one["hex"]) if set(one) == {"hex"} else one)
    if not isinstance(message, dict):
        raise TypeError(f"no message: {line[:80]!r}")
    return message


def words_of(model: UsbModel) -> dict[str, Any]:
    """For a message."""
    return asdict(model)


def model_of(words: dict[str, Any]) -> UsbModel:
    """From a message, or from a simulator's options; raises TypeError for words that a model has not."""
    words = dict(words)
    with contextlib.suppress(KeyError):
        words["interfaces"] = tuple(
            UsbInterface(**{**one, "kind": tuple(one.get("kind", UsbInterface().kind))}) for one in words["interfaces"]
        )
    return UsbModel(**words)
