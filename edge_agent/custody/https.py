"""One question over HTTPS and its answer, read in pieces.

Knows TLS and HTTP/1.1; must not know where to ask next, nor where the bytes are kept. Nothing of address or content is
logged.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import SplitResult

import h11

from edge_agent.custody.fetching import Limits, NotFetched, Take

PIECE = 256 * 1024
_MOVED = frozenset({301, 302, 303, 307, 308})


async def ask(parts: SplitResult, take: Take, tls: ssl.SSLContext, limits: Limits) -> tuple[str | None, bool]:
    """One question: where the document moved to; or, when all of it was taken, whether its end was told."""
    async with _connected(parts, tls, limits) as (reader, writer):
        conversation = _Conversation(reader, writer, limits.max_bytes)
        try:
            response = await conversation.ask(parts)
            moved = _judge(response, limits.max_bytes)
            if moved is None:
                await conversation.read_body(take)
        except OSError as error:  # asyncio reports most as this, also a TLS alert in the middle
            raise NotFetched("document_cut", type(error).__name__) from error
        except h11.RemoteProtocolError as error:
            # Never h11's own text: it quotes what was received, which may be the document itself.
            reason = "document_cut" if conversation.ended else "document_answer"
            raise NotFetched(reason, type(error).__name__) from None
    return moved, "content-length" in _names(response) or "transfer-encoding" in _names(response)


@asynccontextmanager
async def _connected(
    parts: SplitResult, tls: ssl.SSLContext, limits: Limits
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A verified connection, dropped whatever happens; there is nothing to be said at its end."""
    try:
        async with asyncio.timeout(limits.connect_s):
            reader, writer = await asyncio.open_connection(
                parts.hostname, parts.port or 443, ssl=tls, server_hostname=parts.hostname
            )
    except ssl.SSLCertVerificationError as error:
        raise NotFetched("document_certificate", error.verify_message) from error
    except (OSError, ValueError) as error:  # no route, no name, no TLS, no answer in time; a name that cannot be one
        raise NotFetched("document_unreachable", type(error).__name__) from error
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def _names(response: h11.Response) -> set[str]:
    return {name.decode("ascii").lower() for name, _ in response.headers}


def _header(response: h11.Response, wanted: str) -> str:
    return next((value.decode("latin-1") for name, value in response.headers if name == wanted.encode()), "")


def _judge(response: h11.Response, max_bytes: int) -> str | None:
    """Where it moved to, or None when the document follows."""
    if response.status_code in _MOVED and (moved := _header(response, "location")):
        return moved
    if response.status_code != 200 or _header(response, "content-encoding") not in ("", "identity"):
        raise NotFetched("document_answer", f"status {response.status_code}")
    length = _header(response, "content-length")
    if length.isdigit() and int(length) > max_bytes:
        raise NotFetched("document_too_large", f"over {max_bytes} bytes", final=True)
    return None


class _Conversation:
    """One request and its response."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, max_bytes: int) -> None:
        self._reader, self._writer = reader, writer
        self._max_bytes = max_bytes
        self._http = h11.Connection(h11.CLIENT)
        self.ended = False  # by the server

    async def ask(self, parts: SplitResult) -> h11.Response:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = [("host", parts.netloc), ("accept", "*/*"), ("accept-encoding", "identity"), ("connection", "close")]
        request = self._http.send(h11.Request(method="GET", target=target, headers=headers))
        self._writer.write((request or b"") + (self._http.send(h11.EndOfMessage()) or b""))
        await self._writer.drain()
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                return event  # an informational one may stand before it
            if not isinstance(event, h11.InformationalResponse):
                raise NotFetched("document_answer", "no answer to what was asked")

    async def read_body(self, take: Take) -> None:
        piece, total = bytearray(), 0
        while isinstance(event := await self._next(), h11.Data):
            piece += event.data
            total += len(event.data)
            if total > self._max_bytes:
                raise NotFetched("document_too_large", f"over {self._max_bytes} bytes", final=True)
            if len(piece) >= PIECE:
                await take(bytes(piece))
                piece.clear()
        await take(bytes(piece))

    async def _next(self) -> h11.Event | None:
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Event):
                return event
            if event is h11.PAUSED:
                return None
            data = await self._reader.read(65536)
            self.ended = not data
            self._http.receive_data(data)
