"""One TCP connection as the loop tells of it: what came, whether all was taken, and how it ended.

Knows asyncio's transports and a bounded buffer; must not know addresses nor frames. It waits without a task or a
timeout object of its own: a printer is listened to twenty times for each ticket.
"""

from __future__ import annotations

import asyncio
from typing import cast

BUFFER_BYTES = 8192  # a flooding far end is stopped by TCP itself once so much waits unread
CLOSED = "the far end closed the connection"


class Ears(asyncio.Protocol):
    """One connection; one reader and one writer at a time. `why` says how it ended, empty while it has not."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.why = ""
        self.ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._came = bytearray()
        self._hears: asyncio.Future[None] | None = None  # who waits for a byte
        self._paused = False
        self._free = asyncio.Event()  # set: the operating system has taken everything
        self._free.set()

    # -- what is waited for --------------------------------------------------------------------------------------------

    async def heard(self, max_bytes: int, timeout_s: float) -> bytes:
        """What came, at once if there is something; b"" after silence, or when nothing can come any more (`why`)."""
        if not self._came and not self.why:
            waiting = self._hears = self._loop.create_future()
            silence = self._loop.call_later(timeout_s, _wake, waiting)
            try:
                await waiting
            finally:
                silence.cancel()
                self._hears = None
        data = bytes(self._came[:max_bytes])
        del self._came[:max_bytes]
        if self._paused and len(self._came) < BUFFER_BYTES and not self.why:
            self._paused = False
            self.transport.resume_reading()
        return data

    async def taken(self) -> None:
        """Returns when the operating system has all that was written, or the connection has ended (`why`)."""
        if self.transport.is_closing():
            await self.ended.wait()
        await self._free.wait()

    # -- what the loop tells -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(high=0)  # so that _free means: the operating system has all bytes

    def data_received(self, data: bytes) -> None:
        self._came += data
        if len(self._came) >= BUFFER_BYTES and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        _wake(self._hears)

    def eof_received(self) -> bool:
        self._end(CLOSED)
        return True  # the owner closes: what it still writes finds out that it is lost

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(why_of(exc) if exc else CLOSED)
        self.ended.set()
        self._free.set()

    def pause_writing(self) -> None:
        self._free.clear()

    def resume_writing(self) -> None:
        self._free.set()

    def _end(self, why: str) -> None:
        self.why = self.why or why
        _wake(self._hears)


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


def why_of(error: Exception) -> str:
    """The operating system's reason in its own words."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
