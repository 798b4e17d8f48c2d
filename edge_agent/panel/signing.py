"""Signing in and out at the panel: the cookie, its CSRF token, and what whoever is signed in may do.

Knows sessions and people; pages for it stand elsewhere.
"""

from __future__ import annotations

import logging
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud_bridge.ports import StoreFailed
from edge_agent.audit.chain import Deed, record
from edge_agent.panel.branch import House
from edge_agent.panel.gate import COOKIE, Gate, Guest, Open, Refused, Table, from_here, guest_of
from edge_agent.people.register import Person
from edge_agent.people.roles import MAY, Role, Trust

log = logging.getLogger(__name__)
DOOR = "panel"


class Credentials(BaseModel):
    """Who somebody is, and that they are."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(max_length=400)
    password: str = Field(max_length=400)


def routes(table: Table, gate: Gate, house: House, *, tls: bool) -> None:
    """Declares them."""

    @table.route("POST", "/session", Open.NOBODY)  # whoever signs in is nobody yet; failures and delays count
    async def begin(request: Request, response: Response, body: Credentials) -> dict[str, Any]:
        """Signs in; the answer's `csrf` goes into the header X-CSRF-Token of whatever changes something."""
        if not from_here(request):  # nobody shall sign somebody else in unawares
            raise Refused(403, "csrf")
        person = await house.staff.sign_in.check(body.name, body.password, DOOR)
        await begun(house, person)
        gate.sessions.end(request.cookies.get(COOKIE, ""))  # whoever sat here before
        token, session = gate.sessions.begin(person.id)
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=tls, path="/")
        return shown(Guest(person, token, session))

    @table.route("GET", "/session", Open.ANYBODY)  # one's own name and rights
    async def who(request: Request) -> dict[str, Any]:
        """Who asks, and what they may."""
        return shown(guest_of(request))

    @table.route("DELETE", "/session", Open.ANYBODY, status_code=204)  # one's own session
    async def end(request: Request, response: Response) -> None:
        """Signs out."""
        gate.sessions.end(guest_of(request).token)
        response.delete_cookie(COOKIE, path="/")


async def begun(house: House, person: Person) -> None:
    """In the audit, where anything can be written: people must get in to see why nothing can (OUT-4)."""
    deed = Deed("session.begin", person.id, (person.id,), DOOR, proven=True)
    try:
        await house.journal.write(lambda tx: record(tx, house.clock, deed))
    except StoreFailed as error:
        log.error("%s signed in, which is not in the journal: %s", person.id, error)


def shown(guest: Guest) -> dict[str, Any]:
    """A guest as their page sees them."""
    role: Role | Trust = guest.who.role if isinstance(guest.who, Person) else guest.who.trust
    members: dict[str, Any] = {"who": guest.id, "role": role.value, "may": sorted(right.value for right in MAY[role])}
    if isinstance(guest.who, Person):
        members["display"] = guest.who.display
    return members | ({"csrf": guest.session.csrf} if guest.session else {})
