"""The branch's events as server-sent events: in the journal's order, from wherever a reader left off.

Knows the form and Last-Event-ID, and that whoever reads may do so no longer than their access lasts; what an event is
stands in the contract.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse

from edge_agent.panel.branch import House
from edge_agent.panel.gate import Gate, Guest, Refused, Table, guest_of
from edge_agent.people.roles import Right

MAX_READERS = 16
_ID = re.compile(r"^([0-9a-f-]{36})-([0-9]{1,18})\Z")


def routes(table: Table, gate: Gate, house: House) -> None:
    """Declares the one."""
    hall = Hall(gate, house, Right.SEE)

    @table.route("GET", "/events", Right.SEE, response_class=StreamingResponse)
    async def events(
        request: Request,
        last: Annotated[str, Header(alias="Last-Event-ID", max_length=100)] = "",
        after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    ) -> StreamingResponse:
        """Everything that happens, each event once, with its `{journal}-{seq}` as id; `after`: behind that seq.

        Ends with `event: end` when the reader's session, token or right does.
        """
        return await hall.admit(guest_of(request), last, after)


@dataclass(frozen=True, slots=True)
class Hall:
    """The readers of one stream, each of whom needs the right as long as they stay."""

    gate: Gate
    house: House
    needs: Right
    bare: bool = False  # whether only that something happened is told, not what
    readers: set[object] = field(default_factory=set)

    async def admit(self, guest: Guest, last: str, after: int | None) -> StreamingResponse:
        """Raises Refused, StoreFailed."""
        if len(self.readers) >= MAX_READERS:
            raise Refused(503, "too_many_readers", headers={"retry-after": "5"})
        begin, gap = await _beginning(self.house, last, after)
        return StreamingResponse(self._stream(guest, begin, gap), media_type="text/event-stream")

    def _event(self, seq: int, payload: bytes) -> bytes:
        return b"id: %s-%d\ndata: %s\n\n" % (self.house.journal.id.encode(), seq, b"{}" if self.bare else payload)

    async def _stream(self, guest: Guest, after: int, gap: str) -> AsyncIterator[bytes]:
        reader, news = object(), asyncio.Event()
        self.readers.add(reader)
        try:
            with self.gate.sessions.listening(news.set):
                yield (gap or ": \n\n").encode()
                async with aclosing(self.house.events(after, news)) as pages:
                    async for page in pages:
                        for told in [self._event(*event) for event in page] or [b": \n\n"]:
                            if why := self.gate.ended(guest, self.needs):
                                yield b"event: end\ndata: %s\n\n" % json.dumps({"reason": why}).encode()
                                return
                            yield told
        finally:
            self.readers.discard(reader)


async def _beginning(house: House, last: str, after: int | None) -> tuple[int, str]:
    """The seq behind which to begin, and what to say first where the reader missed something."""
    first, newest = await house.reach()
    if not last:
        return (newest if after is None else max(after, first - 1)), ""
    found = _ID.match(last)
    if found is None:
        raise Refused(422, "invalid", "Last-Event-ID is not an id of this stream")
    if found[1] != house.journal.id:
        return first - 1, _gap(house, first, "journal")
    if int(found[2]) < first - 1:
        return first - 1, _gap(house, first, "removed")
    return min(int(found[2]), newest), ""


def _gap(house: House, first: int, why: str) -> str:
    """What came before is not told here: ask for the list of orders."""
    return f"event: gap\ndata: {json.dumps({'journal': house.journal.id, 'from': first, 'reason': why})}\n\n"
