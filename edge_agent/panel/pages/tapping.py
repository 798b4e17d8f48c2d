"""A machine's line, live: what passes on it told in words, for those who serve machines, as long as they look.

Knows routes and what of the bytes may be seen; how a line is tapped is `upkeep.watching`, what a frame says is a
teller's affair. Words are found in a thread: neither the loop nor a lane waits for them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Send

from device_drivers.links.tap import Passing
from device_drivers.telling import Said, is_plain, teller
from device_drivers.telling.tellers import Direction
from edge_agent.audit.chain import Deed
from edge_agent.frames import in_words
from edge_agent.panel.branch import House, told
from edge_agent.panel.gate import Gate, Guest, Table, guest_of
from edge_agent.panel.pages.gatekeeping import Turned, here, look, note
from edge_agent.panel.pages.machines import machine
from edge_agent.panel.pages.render import language_of, page
from edge_agent.people.roles import Right
from edge_agent.texts import Texts
from edge_agent.upkeep.watching import HELD, NotWatched, Watcher, Watching

PACE_S = 0.2  # what passes meanwhile is told together
AGAIN_S = 60.0  # a browser that comes back so soon looks on: no new row in the audit
SHOWN_BYTES = 256
_STATUS = {"unknown": 404, "too_many": 503}


def routes(table: Table, gate: Gate, house: House) -> None:
    """Declares them."""
    looks = Looks(house)

    @table.route("GET", "/machines/{device}/tap", Right.SERVICE)
    async def show(request: Request, device: str) -> Response:
        twin, watching = house.twins().get(device), house.watching
        if twin is None or watching is None or device not in watching.devices:
            raise Turned(404, "no_device", device=device[:100])
        seq = await look(house, lambda tx: tx.last_seq())
        model: dict[str, Any] = {"machine": machine(twin), "most": HELD}
        return page(request, "tap.html", here(house, seq=seq), guest_of(request), **model)

    @table.route("GET", "/machines/{device}/tap/events", Right.SERVICE, response_class=StreamingResponse)
    async def events(request: Request, device: str) -> StreamingResponse:
        """What passes, from now on; ends with `event: end` when the reader's session or right does."""
        guest, watching = guest_of(request), house.watching
        try:
            if watching is None:
                raise NotWatched("unknown")
            watching.check(device, guest.token)
        except NotWatched as no:
            raise _turned(no, device) from no
        await looks.begin(guest, device)
        stream = Stream(gate, house, watching, guest, device, Texts(language_of(request)))
        return Sure(stream.told(looks), media_type="text/event-stream")


class Sure(StreamingResponse):
    """Its stream is closed with it, also when the reader went in the middle of a piece: a tap has no other end."""

    async def stream_response(self, send: Send) -> None:
        body = self.body_iterator
        assert isinstance(body, AsyncGenerator)
        async with aclosing(body):
            await super().stream_response(send)


def _turned(no: NotWatched, device: str) -> Turned:
    code = {"unknown": "no_device", "too_many": "tap_too_many"}[str(no)]
    return Turned(_STATUS[str(no)], code, device=device[:100])


@dataclass(frozen=True, slots=True)
class Looks:
    """Who looks where, so that the audit says once when somebody begins."""

    house: House
    _last: dict[tuple[str, str], float] = field(default_factory=dict)  # (session, device) -> seen so late

    async def begin(self, guest: Guest, device: str) -> None:
        """Raises Turned: the journal cannot keep it."""
        now = self.house.clock.steady()
        for old in [key for key, at in self._last.items() if now - at > AGAIN_S]:
            del self._last[old]
        if (guest.token, device) not in self._last:
            await note(self.house, Deed("device.watch", device, (guest.id,), guest.door))
        self.looking(guest, device)

    def looking(self, guest: Guest, device: str) -> None:
        self._last[guest.token, device] = self.house.clock.steady()


@dataclass(frozen=True, slots=True)
class Stream:
    """One reader's."""

    gate: Gate
    house: House
    watching: Watching
    guest: Guest
    device: str
    texts: Texts

    async def told(self, looks: Looks) -> AsyncGenerator[bytes, None]:
        news = asyncio.Event()
        with self.gate.sessions.listening(news.set):
            try:
                with self.watching.watch(self.device, self.guest.token, news.set) as watcher:
                    yield _event("begin", {})
                    async with aclosing(self._pieces(watcher, news, looks)) as pieces:
                        async for one in pieces:
                            yield one
            except NotWatched as no:  # others came first, in the instant between
                yield _event("end", {"reason": str(no)})

    async def _pieces(self, watcher: Watcher, news: asyncio.Event, looks: Looks) -> AsyncGenerator[bytes, None]:
        telling = Telling(self.watching.devices[self.device].kind, self.watching.kinds(self.device), self.texts)
        while not self.house.closing.is_set():
            news.clear()
            lost, passings = watcher.take()
            lines = await asyncio.to_thread(telling.lines, lost, passings) if passings else []
            if why := self.gate.ended(self.guest, Right.SERVICE):
                yield _event("end", {"reason": why})
                return
            looks.looking(self.guest, self.device)
            yield _event("", {"lost": self._lost(lost), "lines": lines}) if lines else b": \n\n"
            if lines:
                await asyncio.sleep(PACE_S)
            await told(news, self.house.closing)

    def _lost(self, count: int) -> str:
        return self.texts("panel.tap_lost", count=count) if count else ""


def _event(name: str, data: dict[str, Any]) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


class Telling:
    """Pieces of one line as a page shows them. `kinds`: of all devices on it."""

    def __init__(self, kind: str, kinds: frozenset[str], texts: Texts) -> None:
        self._kind = kind
        self._kinds = kinds
        self._texts = texts
        self._teller = teller(kind)
        self._first: float | None = None

    def lines(self, lost: int, passings: list[Passing]) -> list[dict[str, Any]]:
        """Time in seconds since the first, way, words; the bytes only where they hold nothing of a customer."""
        if lost:
            self._teller = teller(self._kind)  # what was begun before the gap does not go on behind it
        return [self._line(one) for one in passings]

    def _line(self, one: Passing) -> dict[str, Any]:
        self._first = one.t_s if self._first is None else self._first
        line: dict[str, Any] = {"t": f"{one.t_s - self._first:.3f}", "way": one.direction}
        if one.direction not in ("write", "read"):
            return line | {"says": self._texts(f"console.tap_{one.direction}", why=one.why)}
        way: Direction = "write" if one.direction == "write" else "read"
        said: list[Said] = self._teller.feed(way, one.data)
        line["says"] = " · ".join(in_words(each, self._texts) for each in said)
        count = len(one.data)
        if not all(is_plain(kind, way, said) for kind in self._kinds):
            return line | {"size": self._texts("panel.tap_veiled", count=count)}
        shown, rest = one.data[:SHOWN_BYTES], count - SHOWN_BYTES
        more = " " + self._texts("console.tap_more", count=rest) if rest > 0 else ""
        return line | {"size": self._texts("panel.tap_bytes", count=count), "hex": shown.hex(" ").upper() + more}
