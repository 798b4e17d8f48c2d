"""One HTTP POST over one fresh connection: the request once, the answer whole, both bounded in bytes and time.

Knows HTTP framing (h11) and a link; must not know IPP, nor ever write a request a second time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import h11

from device_drivers.links.finish import finish_first, write_whole
from device_drivers.links.link import Link, LinkError

READ_BYTES = 16384
PIECE_BYTES = 16384  # of a document in one write, so that a stop has not to wait for all of it
HEAD_BYTES_MAX = 65536


@dataclass(frozen=True, slots=True)
class Target:
    """Where the requests go."""

    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as a header and an address write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ExchangeError(Exception):
    """No answer that can be believed. `sent`: whether a byte of the request may have left."""

    def __init__(self, reason: str, detail: str, *, sent: bool) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Bounds:
    """`send_s` for the whole request, `answer_s` from its last byte to the end of the answer of at most `bytes`."""

    send_s: float
    answer_s: float
    bytes: int


async def post(link: Link, target: Target, body: Sequence[bytes], media_type: str, bounds: Bounds) -> bytes:
    """The body of the answer, status 200 only. Opens the link anew and leaves it closed. Raises ExchangeError.

    A LinkError passes through when nothing of the request had left: then the line itself is told lost.
    """
    call = _Call(link, bounds)
    try:
        # A kept connection may be dead without our knowing, and whether a request on it arrived could not be told.
        await link.close()
        await link.open()
        await call.send(_head(target, sum(map(len, body)), media_type), body)
        return await call.receive()
    except LinkError as error:
        raise ExchangeError("line_lost", str(error), sent=call.sent) from error
    finally:
        await finish_first(link.close())


def _head(target: Target, length: int, media_type: str) -> h11.Request:
    headers = [
        ("Host", target.authority),
        ("Content-Type", media_type),
        ("Content-Length", str(length)),
        ("Connection", "close"),
    ]
    return h11.Request(method="POST", target=target.path, headers=headers)


class _Call:
    """One request and its answer."""

    def __init__(self, link: Link, bounds: Bounds) -> None:
        self._link = link
        self._bounds = bounds
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_BYTES_MAX)
        self.sent = False

    async def send(self, head: h11.Request, body: Sequence[bytes]) -> None:
        until = _now() + self._bounds.send_s
        written = self._http.send(head) or b""
        for part in body:
            for at in range(0, len(part), PIECE_BYTES):
                written += self._http.send(h11.Data(data=part[at : at + PIECE_BYTES])) or b""
                if len(written) >= PIECE_BYTES:
                    await self._write(written, until)
                    written = b""
        await self._write(written + (self._http.send(h11.EndOfMessage()) or b""), until)

    async def _write(self, data: bytes, until: float) -> None:
        if not data:
            return
        self.sent = True
        try:
            async with asyncio.timeout_at(until):
                await write_whole(self._link, data)
        except TimeoutError as error:
            raise self._failed("no_answer", f"did not take the request in {self._bounds.send_s} s") from error

    async def receive(self) -> bytes:
        until, body, room = _now() + self._bounds.answer_s, bytearray(), self._bounds.bytes + HEAD_BYTES_MAX
        while True:
            event = self._next()
            if event is h11.NEED_DATA:
                data = await self._read(until)
                room -= len(data)
                if room < 0:
                    raise self._failed("nonsense", f"an answer of more than {self._bounds.bytes} bytes")
                self._http.receive_data(data)
            elif isinstance(event, h11.Response) and event.status_code != 200:
                raise self._failed("http_refused", f"HTTP {event.status_code}")
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return bytes(body)
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                raise self._failed("nonsense", "the connection ended without an answer")

    def _next(self) -> object:
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise self._failed("nonsense", f"no HTTP: {error}") from error

    async def _read(self, until: float) -> bytes:
        """Some bytes; none when the far end closed where HTTP allows that to end an answer."""
        left = until - _now()
        try:
            data = await self._link.read(READ_BYTES, left) if left > 0 else b""
        except LinkError:
            if self._http.their_state is not h11.SEND_BODY:
                raise
            return b""
        if not data:
            raise self._failed("no_answer", f"no whole answer in {self._bounds.answer_s} s")
        return data

    def _failed(self, reason: str, detail: str) -> ExchangeError:
        return ExchangeError(reason, detail, sent=self.sent)


def _now() -> float:
    return asyncio.get_running_loop().time()
