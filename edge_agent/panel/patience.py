"""How long the panel waits for a browser: for the rest of a request, and for what was sent to be read.

Knows uvicorn's protocol, which waits for ever for both; must not know what is asked.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

WHOLE_S = 20.0  # head and body together: 64 KiB over the worst line; browsers leave what they opened ahead after 10 s
UNREAD_S = 30.0  # a page in the background reads on; who reads nothing holds a place among the readers of events


class Patient(H11Protocol):
    """Patient for so long."""

    _whole: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_whole()
        self._is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._is_read()

    def _expect(self) -> None:
        """A request that was begun is awaited; between two of them uvicorn's own patience counts."""
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._is_whole()
        elif self._whole is None:
            self._whole = self.loop.call_later(WHOLE_S, self.transport.abort)

    def _is_whole(self) -> None:
        if self._whole is not None:
            self._whole.cancel()
            self._whole = None

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
