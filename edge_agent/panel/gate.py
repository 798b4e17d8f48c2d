"""Who asks, and whether they may: an application by its token, a person by their session.

Every route declares what it needs, by `Table.route` alone; an application with a route that does not is never built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute

from edge_agent.panel.sessions import Session, Sessions
from edge_agent.people.register import Application, Person
from edge_agent.people.roles import Right
from edge_agent.people.staff import Staff

COOKIE = "branchgate"
CSRF = "x-csrf-token"
NEEDS = "x-branchgate-needs"  # in each route's OpenAPI entry
_SAFE = frozenset({"GET", "HEAD"})
F = TypeVar("F", bound=Callable[..., Any])


class Open(StrEnum):
    """What a route needs that no right is asked for; whoever writes one says why it may be open."""

    NOBODY = "nobody"  # before anybody signed in
    ANYBODY = "anybody"  # who is known, whatever they may


class Refused(Exception):
    """An answer other than what was asked for: a status and a stable word."""

    def __init__(self, status: int, error: str, message: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.message = message
        self.headers = headers or {}


class Undeclared(Exception):
    """A route that does not say what it needs."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who asks."""

    who: Person | Application
    token: str = ""  # of the session
    session: Session | None = None

    @property
    def id(self) -> str:
        return self.who.id

    @property
    def door(self) -> str:
        return "panel" if isinstance(self.who, Person) else "api"


class Gate:
    """One for the whole application."""

    def __init__(self, staff: Staff, sessions: Sessions) -> None:
        self.staff = staff
        self.sessions = sessions

    def guest(self, request: Request) -> Guest | None:
        """Raises Refused: a session without its CSRF token, or from another page in the same browser."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme:
            known = self.staff.register.application_of(token) if scheme.lower() == "bearer" else None
            return Guest(known) if known and not self.staff.altered else None
        token = request.cookies.get(COOKIE, "")
        session = self.sessions.find(token)
        person = self.staff.register.find(session.person) if session else None
        if session is None or person is None or person.disabled:
            return None
        if not from_here(request):
            raise Refused(403, "csrf")
        if request.method not in _SAFE and not session.is_meant(request.headers.get(CSRF, "")):
            raise Refused(403, "csrf")
        return Guest(person, token, session)

    def ended(self, guest: Guest, needs: Right) -> str:
        """Why who was let in may stay no longer; empty while they may. A look-up, and no use of a session."""
        register, who = self.staff.register, guest.who
        if isinstance(who, Application):
            now: Person | Application | None = register.applications.get(who.name)
            if self.staff.altered or now is None or now != who:
                return "revoked"
        else:
            now = register.find(who.id) if self.sessions.stands(guest.token) else None
            if now is None:
                return "signed_out"
        return "" if now.may(needs) else "not_allowed"

    def check(self, request: Request, needs: Right | Open) -> None:
        """Raises Refused."""
        guest = self.guest(request) if needs is not Open.NOBODY else None
        if needs is not Open.NOBODY and guest is None:
            raise Refused(401, "sign_in", headers={"www-authenticate": "Bearer"})
        request.state.guest = guest  # known even where it may not: a refusal is told to somebody
        if isinstance(needs, Right) and guest is not None and not guest.who.may(needs):
            raise Refused(403, "not_allowed")


def from_here(request: Request) -> bool:
    """Not from another page in the same browser. Links from elsewhere may lead here; they carry no origin."""
    origin = request.headers.get("origin", "")
    site = request.headers.get("sec-fetch-site", "same-origin") if request.method not in _SAFE else "none"
    return site in ("same-origin", "none") and (not origin or urlsplit(origin).netloc == request.headers.get("host"))


class Table:
    """The routes of one part of the application."""

    def __init__(self, app: FastAPI, gate: Gate, prefix: str) -> None:
        self._app = app
        self._gate = gate
        self._prefix = prefix

    def route(self, method: str, path: str, needs: Right | Open, **more: Any) -> Callable[[F], F]:
        """Declares a route: who may use it stands beside its path."""

        def check(request: Request) -> None:
            self._gate.check(request, needs)

        def declare(endpoint: F) -> F:
            extra = {NEEDS: needs.value}
            asks = [Depends(check)]
            self._app.add_api_route(
                self._prefix + path, endpoint, methods=[method], dependencies=asks, openapi_extra=extra, **more
            )
            return endpoint

        return declare


def declared(app: FastAPI) -> dict[tuple[str, str], str]:
    """(method, path) -> what it needs, of every route. Raises Undeclared."""
    found: dict[tuple[str, str], str] = {}
    for route in app.routes:
        needs = (route.openapi_extra or {}).get(NEEDS) if isinstance(route, APIRoute) else None
        if not isinstance(route, APIRoute) or needs is None:
            raise Undeclared(f"{getattr(route, 'path', route)} does not say what it needs: use Table.route")
        found |= {(method, route.path): str(needs) for method in route.methods or ()}
    return found


def guest_of(request: Request) -> Guest:
    """Whoever passed the gate."""
    guest = request.state.guest
    assert isinstance(guest, Guest), "the route is open, so nobody passed"
    return guest
