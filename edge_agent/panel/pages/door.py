"""Signing in and out as pages: one form that needs no script, and static files that anybody may have.

Knows sessions and credentials; what the branch does stands in other pages.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from edge_agent.panel.branch import House
from edge_agent.panel.gate import COOKIE, Gate, Open, Table, from_here, guest_of
from edge_agent.panel.pages.gatekeeping import Turned, after, here
from edge_agent.panel.pages.render import page, static
from edge_agent.panel.signing import begun
from edge_agent.people.register import PeopleRefused

DOOR = "panel"
MOST_BYTES = 4096


def routes(table: Table, gate: Gate, house: House, *, tls: bool) -> None:
    """Declares them."""

    @table.route("GET", "/static/{name}", Open.NOBODY)  # the same for all, and nothing of the branch in it
    async def file(name: str) -> Response:
        found = static(name)
        if found is None:
            raise Turned(404, "not_found")
        return found

    @table.route("GET", "/sign-in", Open.NOBODY)  # before anybody signed in
    async def show(request: Request) -> Response:
        return _form(request, house, after(request.query_params.get("next", "/")))

    @table.route("POST", "/sign-in", Open.NOBODY)  # whoever signs in is nobody yet; failures and delays count
    async def begin(request: Request) -> Response:
        if not from_here(request):  # nobody shall sign somebody else in unawares
            raise Turned(403, "csrf")
        given = parse_qs((await request.body())[:MOST_BYTES].decode("utf-8", "replace"), keep_blank_values=True)
        name, password, onward = (given.get(key, [""])[0] for key in ("name", "password", "next"))
        try:
            person = await house.staff.sign_in.check(name, password, DOOR)
        except PeopleRefused as no:
            return _form(request, house, after(onward), name=name[:40], no=no)
        await begun(house, person)
        gate.sessions.end(request.cookies.get(COOKIE, ""))  # whoever sat here before
        token, _ = gate.sessions.begin(person.id)
        answer = RedirectResponse(after(onward), 303)
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=tls, path="/")
        return answer

    @table.route("POST", "/sign-out", Open.ANYBODY)  # one's own session
    async def end(request: Request) -> Response:
        gate.sessions.end(guest_of(request).token)
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(COOKIE, path="/")
        return answer


def _form(request: Request, house: House, onward: str, *, name: str = "", no: PeopleRefused | None = None) -> Response:
    status = 200 if no is None else {"too_soon": 429, "locked": 423, "busy": 503}.get(no.code, 401)
    ready = house.staff.is_set_up and not house.staff.altered
    model = {"next": onward, "name": name, "no": no, "ready": ready, "altered": house.staff.altered}
    return page(request, "sign_in.html", here(house), None, status, **model)
