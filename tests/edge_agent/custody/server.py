"""A server of documents with a real certificate, on loopback: good, slow, cut off, moved, or silent, as a test says.

Knows TLS and bytes; the responses are written out by the tests, so that none is kinder than it should be.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache

import trustme

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@cache
def authority(name: str = "ours") -> trustme.CA:
    """One certificate authority per name; making its key takes a while."""
    return trustme.CA()


def trusting(ca: trustme.CA) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())


def ok(body: bytes, *headers: str) -> Answer:
    """The whole body, its length told."""
    return said(head(f"content-length: {len(body)}", *headers) + body)


def head(*headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode()


def said(*pieces: bytes) -> Answer:
    """These bytes, then the end of the connection."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return answer


def moved(to: str, status: str = "302 Found") -> Answer:
    return said(head(f"location: {to}", "content-length: 0", status=status))


class DocumentServer:
    """`answers[path]` is what is said at a path; `asked` has every path that was asked for, in turn."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.requests: list[bytes] = []
        self.was_asked = asyncio.Event()
        self.port = 0
        self._talks: set[asyncio.Task[None]] = set()

    def address(self, path: str = "/a.pdf") -> str:
        return f"https://127.0.0.1:{self.port}{path}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(request)
            path = request.split(b" ")[1].decode()
            self.asked.append(path)
            self.was_asked.set()
            await self.answers[path](writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # it hung up on us, as it may
        finally:
            self._talks.discard(task)
            if task.cancelling():
                writer.transport.abort()
            else:
                writer.close()

    async def hang_up(self) -> None:
        """Ends whatever is still being said."""
        talks = list(self._talks)
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


@contextlib.asynccontextmanager
async def document_server(ca: trustme.CA, *names: str, tls: bool = True) -> AsyncIterator[DocumentServer]:
    """Serving with a certificate for `names` (127.0.0.1 unless given)."""
    server = DocumentServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*(names or ("127.0.0.1",))).configure_cert(context)
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, ssl=context if tls else None)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await server.hang_up()
