"""The screen on the wall over HTTP: its page, its stream, and the form at which a browser becomes that screen.

Knows a display's token and the cookie that keeps it; what is drawn is the wall's affair. Nobody signs in here, nothing
can be changed, and a restart of the agent shuts no screen off: its token stands in the register of people.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Header, Query, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from edge_agent.audit.chain import Deed
from edge_agent.journal.tx import Tx
from edge_agent.orders.reading import find_step
from edge_agent.orders.titles import titles_of
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Gate, Guest, Open, Refused, Table, from_here, guest_of
from edge_agent.panel.pages import now, reading
from edge_agent.panel.pages.door import MOST_BYTES
from edge_agent.panel.pages.gatekeeping import Turned, here, look, note
from edge_agent.panel.pages.render import page
from edge_agent.panel.pages.wall import wall
from edge_agent.panel.stream import Hall
from edge_agent.people.roles import Right

COOKIE = "branchgate_wall"
PATH = "/wall"
LONGEST_S = 400 * 86400  # as long as browsers keep any; each look renews it


class Shut(Exception):
    """No display of this branch. `given`: whether a token came."""

    def __init__(self, *, given: bool) -> None:
        super().__init__()
        self.given = given


class WallGate(Gate):
    """The same gate, for displays alone; whoever is none is asked for its token."""

    def guest(self, request: Request) -> Guest | None:
        return self.display(request.cookies.get(COOKIE, "")) if from_here(request) else None

    def display(self, token: str) -> Guest | None:
        known = self.staff.register.application_of(token) if token and not self.staff.altered else None
        return Guest(known) if known is not None and known.may(Right.WALL) else None

    def check(self, request: Request, needs: Right | Open) -> None:
        """Raises Shut."""
        try:
            super().check(request, needs)
        except Refused as no:
            raise Shut(given=COOKIE in request.cookies) from no


def routes(app: FastAPI, gate: Gate, house: House, *, tls: bool) -> None:
    """Declares them."""
    door = WallGate(gate.staff, gate.sessions)
    table = Table(app, door, PATH)
    _page(table, house, tls=tls)
    _stream(table, door, house)
    _opening(table, door, house, tls=tls)

    @app.exception_handler(Shut)
    async def shut(request: Request, no: Shut) -> Response:
        return page(request, "wall_door.html", here(house), None, 401, given=no.given)


def _page(table: Table, house: House, *, tls: bool) -> None:
    @table.route("GET", "", Right.WALL)
    async def show(request: Request) -> Response:
        def work(tx: Tx) -> dict[str, Any]:
            asked, running = reading.questions(tx, house.clock), reading.running(tx)
            titles = titles_of(tx, [one.order.id for one in asked] + [one.id for one in running])
            steps = [(one, find_step(tx, one.id, one.step) if one.step else None) for one in running]
            found = {"questions": asked, "waits": reading.waits(tx), "running": steps}
            return found | {"titles": titles, "adopted": bool(tx.adopted), "seq": tx.last_seq()}

        found = await look(house, work)
        seq, titles = found.pop("seq"), found.pop("titles")
        locked = tuple(one["name"] for one in house.staff.listed() if one["locked"])
        state: dict[str, Any] = {"store": house.journal.store, "clock": house.clock.grade().value}
        about = now.House(**state, adopted=found.pop("adopted"), altered=house.staff.altered, locked=locked)
        model = wall(**found, twins=list(house.twins().values()), house=about)
        more: dict[str, Any] = {"wall": model, "link": house.link(), "titles": titles}
        answer = page(request, "wall.html", here(house, seq=seq), None, **more)
        _keep(answer, request.cookies.get(COOKIE, ""), tls=tls)
        return answer


def _stream(table: Table, door: Gate, house: House) -> None:
    hall = Hall(door, house, Right.WALL, bare=True)

    @table.route("GET", "/events", Right.WALL, response_class=StreamingResponse)
    async def events(
        request: Request,
        last: Annotated[str, Header(alias="Last-Event-ID", max_length=100)] = "",
        after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    ) -> StreamingResponse:
        """That something happened, and its number: nothing of what it was."""
        return await hall.admit(guest_of(request), last, after)


def _opening(table: Table, door: WallGate, house: House, *, tls: bool) -> None:
    @table.route("POST", "", Open.NOBODY)  # whoever brings a display's token is that display
    async def begin(request: Request) -> Response:
        if not from_here(request):
            raise Turned(403, "csrf")
        given = parse_qs((await request.body())[:MOST_BYTES].decode("utf-8", "replace"))
        token = given.get("token", [""])[0].strip()
        guest = door.display(token)
        if guest is None:
            raise Shut(given=True)
        if token != request.cookies.get(COOKIE):  # another browser than before, or its first time
            await note(house, Deed("wall.begin", guest.id, (guest.id,), "panel", proven=True))
        answer = RedirectResponse(f"{PATH}#", 303)  # the mark alone: else the address would keep the token
        _keep(answer, token, tls=tls)
        return answer


def _keep(answer: Response, token: str, *, tls: bool) -> None:
    answer.set_cookie(COOKIE, token, max_age=LONGEST_S, httponly=True, samesite="strict", secure=tls, path=PATH)
