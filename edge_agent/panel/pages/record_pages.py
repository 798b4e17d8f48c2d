"""The pages of the record and of people: who did what and whether its chain holds; who may come in here.

Knows routes and forms; what may be changed, by whom, and how it is kept is the staff's affair.
"""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any, Literal

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cloud_bridge.ports import StoreFailed
from edge_agent.audit import proof
from edge_agent.audit.opened import NoJournal
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Table, guest_of
from edge_agent.panel.pages.gatekeeping import Turned, here, look
from edge_agent.panel.pages.render import page
from edge_agent.people.register import PeopleRefused, Person
from edge_agent.people.roles import Right, Role, Trust

LAST = 100


class Wish(BaseModel):
    """A change of people; `own` is the password of whoever asks, in this moment."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    wish: Literal["add", "role", "password", "disable", "enable", "unlock", "trust", "revoke"]
    name: str = Field(max_length=400)
    own: str = Field(max_length=400)
    role: Role = Role.TELLER
    display: str = Field(default="", max_length=100)
    password: str = Field(default="", max_length=400)
    trust: Trust = Trust.READER


def routes(table: Table, house: House) -> None:
    """Declares them."""
    _audit(table, house)
    _people(table, house)


def _audit(table: Table, house: House) -> None:
    @table.route("GET", "/audit", Right.AUDIT)
    async def show(request: Request) -> Response:
        query = request.query_params
        wanted = proof.Wanted(LAST, query.get("who", "")[:100], query.get("what", "")[:200], query.get("act", "")[:60])
        try:
            rows = await asyncio.to_thread(proof.rows, house.journal.folder, wanted)
            verdict = await asyncio.to_thread(proof.prove, house.journal.folder) if query.get("prove") else None
        except (NoJournal, sqlite3.Error) as error:
            raise Turned(503, "store_failed") from error
        seq = await look(house, lambda tx: tx.last_seq())
        model: dict[str, Any] = {"rows": list(reversed(rows)), "verdict": verdict, "wanted": wanted}
        return page(request, "audit.html", here(house, seq=seq), guest_of(request), **model)


def _people(table: Table, house: House) -> None:
    @table.route("GET", "/people", Right.PEOPLE)
    async def show(request: Request) -> Response:
        seq = await look(house, lambda tx: tx.last_seq())
        model: dict[str, Any] = {"people": house.staff.listed(), "roles": [role.value for role in Role]}
        trusts = [Trust.DISPLAY, *(one for one in Trust if one is not Trust.DISPLAY)]
        model |= {"applications": house.staff.applications(), "trusts": [one.value for one in trusts]}
        return page(request, "people.html", here(house, seq=seq), guest_of(request), **model)

    @table.route("POST", "/people", Right.PEOPLE)
    async def change(request: Request, body: Wish) -> Response:
        guest = guest_of(request)
        assert isinstance(guest.who, Person)
        try:
            person = await house.staff.sign_in.check(guest.who.name, body.own, guest.door)
            token = await _done(house, person, guest.door, body)
        except PeopleRefused as no:
            raise Turned(
                403 if no.code in ("wrong_credentials", "locked") else 422, f"people.{no.code}", **no.places
            ) from no
        except StoreFailed as error:
            raise Turned(503, "store_failed") from error
        if token:
            given: dict[str, Any] = {"name": body.name, "token": token, "trust": body.trust.value}
            return page(request, "token.html", here(house), guest, site=str(request.base_url).rstrip("/"), **given)
        return page(request, "told.html", here(house), guest, code="", places={"name": body.name}, done="done_people")


async def _done(house: House, person: Person, door: str, body: Wish) -> str:
    """A new application's token, else nothing to show. Raises PeopleRefused, StoreFailed."""
    staff, actor = house.staff, house.staff.actor(person, door)
    if body.wish == "add":
        await staff.add(actor, body.name, body.role, body.password, body.display)
    elif body.wish == "role":
        await staff.set_role(actor, body.name, body.role)
    elif body.wish == "password":
        await staff.set_password(actor, body.name, body.password)
    elif body.wish == "trust":
        return await staff.add_application(actor, body.name, body.trust)
    elif body.wish == "revoke":
        await staff.remove_application(actor, body.name)
    elif body.wish == "unlock":
        await staff.unlock(actor, body.name)
    else:
        await staff.set_disabled(actor, body.name, disabled=body.wish == "disable")
    return ""
