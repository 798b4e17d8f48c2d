"""The gate as pages have it: whoever is not known is shown the sign-in, whoever may not reads so in words.

Knows gate and refusals; must not know any page's content.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from cloud_bridge.ports import StoreFailed
from edge_agent.audit.chain import Deed, record
from edge_agent.journal.tx import Tx
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Gate, Guest, Open, Refused
from edge_agent.panel.pages.render import Here, onward, page
from edge_agent.people.register import Person
from edge_agent.people.roles import Right

T = TypeVar("T")
_LOOKS = frozenset({"GET", "HEAD"})


class Turned(Exception):
    """A page is not shown, or nothing was done: a key of the texts' family `panel.no`."""

    def __init__(self, status: int, code: str, **places: object) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.places = places
        self.reply: dict[str, Any] = {}  # that of the instruction that was refused

    @classmethod
    def by(cls, reply: dict[str, Any], status: int = 409) -> Self:
        """The branch refused what was asked of it; 422 keeps whatever was typed in its form."""
        turned = cls(status, f"code.{reply['code']}")
        turned.reply = reply
        return turned


class PageGate(Gate):
    """The same gate, for people alone; what it refuses is told by a page."""

    def check(self, request: Request, needs: Right | Open) -> None:
        """Raises Turned."""
        try:
            super().check(request, needs)
        except Refused as no:
            raise Turned(no.status, no.error) from no
        guest: Guest | None = request.state.guest
        if guest is not None and not isinstance(guest.who, Person):
            raise Turned(403, "not_allowed")


async def look(house: House, work: Callable[[Tx], T]) -> T:
    """What the journal says. Raises Turned: it cannot be read at the moment."""
    try:
        return await house.journal.read(work)
    except StoreFailed as error:
        raise Turned(503, "store_failed") from error


async def note(house: House, deed: Deed) -> None:
    """Into the audit, before it is done; where nothing can be written at all (OUT-4) it goes on without.

    Raises Turned: the journal failed just now.
    """
    if house.journal.read_only:
        return
    try:
        await house.journal.write(lambda tx: record(tx, house.clock, deed))
    except StoreFailed as error:
        raise Turned(503, "store_failed") from error


def here(house: House, asked: int = 0, seq: int = 0) -> Here:
    return Here(house.branch, house.journal.id, seq, house.clock.now(), asked)


def refusals(app: FastAPI, gate: Gate, house: House, apart: str) -> None:
    """How each is told. What lies under `apart` is for programs, and keeps its own form."""

    @app.exception_handler(Turned)
    async def turned(request: Request, no: Turned) -> Response:
        looks = request.method in _LOOKS
        if no.code == "sign_in" and looks:
            return RedirectResponse(f"/sign-in?next={onward(request)}", 303)
        guest = getattr(request.state, "guest", None)
        model: dict[str, Any] = {"code": no.code, "places": no.places, "reply": no.reply, "done": "", "looks": looks}
        model["alone"] = no.status == 422  # in a form the cause is enough: what to send again is the form itself
        return page(request, "told.html", here(house), guest, no.status, **model)

    otherwise = app.exception_handlers[HTTPException]

    @app.exception_handler(HTTPException)
    async def astray(request: Request, no: HTTPException) -> Response:
        """An address of no page, typed or kept from long ago."""
        if request.method not in _LOOKS or no.status_code != 404 or request.url.path.startswith(apart):
            return await otherwise(request, no)  # type: ignore[no-any-return, misc]
        with suppress(Refused):
            request.state.guest = gate.guest(request)
        return await turned(request, Turned(404, "not_found"))


def after(path: str) -> str:
    """Where to go once signed in: a page of ours, whatever the address said."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain else "/"
