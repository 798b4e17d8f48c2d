"""The control interface of a simulator: one JSON object per line in, one out, over a unix socket or loopback TCP.

Knows lines and JSON; what a request does is the machine's affair. `ControlClient` is the other end of it.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from simulators.machine import ControlError

Handle = Callable[[Mapping[str, Any]], dict[str, Any]]
LINE_BYTES = 1 << 20  # a stacker of some thousand serial numbers


class ControlServer:
    """Serves one runtime. `where` is `unix:/path` or `tcp:127.0.0.1:PORT`; anything but loopback is refused."""

    def __init__(self, where: str, handle: Handle) -> None:
        self._where, self._handle = where, handle
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._path: Path | None = None

    async def start(self) -> str:
        """Listen, and tell where (a TCP port 0 becomes the one taken)."""
        kind, host, port = split_address(self._where)
        if kind == "unix":
            self._path = Path(host)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._serve, host, limit=LINE_BYTES)
            return self._where
        self._server = await asyncio.start_server(self._serve, host, port, limit=LINE_BYTES)
        return f"tcp:{host}:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Stop listening and drop who is there."""
        if self._server is None:
            return
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._answer(line), ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass  # the asker went away; what was asked is done
        except ValueError as error:
            writer.write(
                json.dumps({"ok": False, "error": f"line longer than {LINE_BYTES} bytes: {error}"}).encode() + b"\n"
            )
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise ControlError(f'a request is a JSON object such as {{"do": "state"}}, not {request!r}')
            return {"ok": True, **self._handle(request)}
        except ControlError as error:
            return {"ok": False, "error": str(error)}
        except ValueError as error:
            return {"ok": False, "error": f"a request is one JSON object on one line: {error}"}


class ControlClient:
    """`async with ControlClient("unix:/path") as control: await control.fault("jam")`."""

    def __init__(self, where: str, *, device: str | None = None, timeout_s: float = 5.0) -> None:
        self._where, self._device, self._timeout_s = where, device, timeout_s
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        kind, host, port = split_address(self._where)
        opening = asyncio.open_unix_connection(host) if kind == "unix" else asyncio.open_connection(host, port)
        async with asyncio.timeout(self._timeout_s):
            self._reader, self._writer = await opening
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
            with suppress(ConnectionError):  # the simulator may have gone first
                await self._writer.wait_closed()

    async def request(self, do: str, **keys: Any) -> dict[str, Any]:
        """One request and its answer; `ControlError` when it was refused."""
        if self._reader is None or self._writer is None:
            raise ControlError("open the client first: async with ControlClient(...)")
        own = {"device": self._device} if self._device else {}
        self._writer.write(json.dumps({"do": do, **own, **keys}).encode() + b"\n")
        try:
            async with asyncio.timeout(self._timeout_s):
                line = await self._reader.readline()
        except ConnectionError as error:
            raise ControlError(f"the simulator dropped the control connection: {error}") from error
        if not line:
            raise ControlError("the simulator closed the control connection")
        answer: dict[str, Any] = json.loads(line)
        if not answer.pop("ok"):
            raise ControlError(answer["error"])
        return answer

    async def fault(self, name: str, **args: Any) -> dict[str, Any]:
        """Ask for a fault of `simulators.faults.FAULTS`."""
        return await self.request("fault", name=name, args=args)

    async def customer(self, **keys: Any) -> dict[str, Any]:
        """Set the customer, or `take=True` now; see docs/simulators.md."""
        return await self.request("customer", **keys)

    async def load(self, cards: list[str]) -> dict[str, Any]:
        """Put cards into the stacker, below those that are there."""
        return await self.request("load", cards=cards)

    async def power(self, *, on: bool) -> dict[str, Any]:
        """Switch the machine's power."""
        return await self.request("power", on=on)

    async def state(self) -> dict[str, Any]:
        """Where every card is, and what the machine is doing."""
        return await self.request("state")


def split_address(where: str) -> tuple[str, str, int]:
    """`unix:/path` → ("unix", path, 0); `tcp:127.0.0.1:4001` → ("tcp", host, port); else `ControlError`."""
    kind, _, rest = where.partition(":")
    if kind == "unix" and rest:
        return kind, rest, 0
    host, _, port = rest.rpartition(":")
    if kind != "tcp" or not port.isdigit() or int(port) > 65535:
        raise ControlError(f"address must be unix:/path or tcp:127.0.0.1:PORT, not {where!r}")
    if not _is_loopback(host):
        raise ControlError(f"a simulator listens on loopback only, not on {host!r}: use 127.0.0.1")
    return kind, host, int(port)


def _is_loopback(host: str) -> bool:
    if host in {"localhost", "::1"}:
        return True
    try:
        return socket.inet_pton(socket.AF_INET, host)[0] == 127
    except OSError:
        return False
