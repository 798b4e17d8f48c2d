"""What every request meets before anything reads it: a rate for its address, the host's name, a size, strict headers.

Plain ASGI, around the whole application; knows nothing of routes.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

MAX_BODY = 64 * 1024  # an order with its documents takes a few KiB
PER_S, BURST = 20.0, 60.0
MAX_ADDRESSES = 256
_OURS = "branchgate.ours"  # an answer of these limits, in place of whatever a route says
HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
}
HSTS = {b"strict-transport-security": b"max-age=31536000"}


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class Limits:
    """`steady` tells seconds; `tls`: whether browsers shall come back by HTTPS alone.

    Without TLS it listens on loopback, and a name that somebody else made point there opens nothing (DNS rebinding).
    With TLS no browser takes our certificate for such a name.
    """

    def __init__(self, app: App, steady: Callable[[], float], *, tls: bool) -> None:
        self._app = app
        self._steady = steady
        self._any_name = tls
        self._headers = HEADERS | (HSTS if tls else {})
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = _Body(scope, receive)

        async def strictly(message: Message) -> None:
            if body.is_over:  # whoever read it may answer what they like: this is the reason
                if message["type"] != "http.response.start":
                    return
                body.is_over, body.is_told = False, True
                await refuse(strictly, 413, "body_too_large", [(b"connection", b"close")])
            elif message.pop(_OURS, False) or not body.is_told:
                await send(self._strict(message))

        if not self._may(str((scope.get("client") or ("",))[0])):
            await refuse(strictly, 429, "too_many_requests", [(b"retry-after", b"1")])
            return
        if not (self._any_name or _is_loopback(dict(scope["headers"]).get(b"host", b""))):
            await refuse(strictly, 421, "wrong_host", [(b"connection", b"close")])
            return
        with contextlib.suppress(ClientDisconnect):  # they went, or were sent away: nothing for the log
            await self._app(scope, body.receive, strictly)

    def _strict(self, message: Message) -> Message:
        if message["type"] != "http.response.start":
            return message
        given = {name.lower() for name, _ in message["headers"]}
        more = [(name, value) for name, value in self._headers.items() if name not in given]
        return {**message, "headers": [*message["headers"], *more]}

    def _may(self, address: str) -> bool:
        now = self._steady()
        bucket = self._buckets.pop(address, None) or _Bucket(BURST, now)
        bucket.left, bucket.at_s = min(BURST, bucket.left + (now - bucket.at_s) * PER_S), now
        self._buckets[address] = bucket
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True


def _is_loopback(host: bytes) -> bool:
    """Of a Host header: `localhost`, `127.0.0.1:8443`, `[::1]:8443`."""
    name = host.decode("latin-1").rpartition("]")[0].lstrip("[") or host.decode("latin-1").partition(":")[0]
    try:
        return name.lower() == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _Body:
    """What comes in, up to MAX_BODY; then it is as if whoever sends it had gone."""

    def __init__(self, scope: Message, receive: Receive) -> None:
        said = dict(scope["headers"]).get(b"content-length", b"0")
        self._receive = receive
        self._left = MAX_BODY
        self.is_over = not (said.isdigit() and len(said) < 10 and int(said) <= MAX_BODY)
        self.is_told = False

    async def receive(self) -> Message:
        if not self.is_over:
            message = await self._receive()
            self._left -= len(message.get("body", b""))
            if self._left >= 0:
                return message
            self.is_over = not self.is_told
        return {"type": "http.disconnect"}


async def refuse(send: Send, status: int, error: str, headers: list[tuple[bytes, bytes]]) -> None:
    """An answer that no route gave."""
    body = json.dumps({"error": error}).encode()
    told = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": told, _OURS: True})
    await send({"type": "http.response.body", "body": body, _OURS: True})
