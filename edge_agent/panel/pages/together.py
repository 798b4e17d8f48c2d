"""What two people do at the panel with their own passwords: how their names come in, and how a refusal is told (ORD-6).

Knows the two fields of each person and the people's answers; what they do together stands in other pages.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cloud_bridge.ports import StoreFailed
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Guest, guest_of
from edge_agent.panel.pages.gatekeeping import Turned, here
from edge_agent.panel.pages.render import language_of, page
from edge_agent.people.deciding import Decision
from edge_agent.people.register import PeopleRefused, Person, spelled


class TwoPeople(BaseModel):
    """Whoever is signed in, and whoever stands beside them."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    password: str = Field(max_length=400)
    second_name: str = Field(default="", max_length=400)
    second_password: str = Field(default="", max_length=400)

    def proofs(self, guest: Guest) -> list[tuple[str, str]]:
        """Each with their own password, in this moment: a session proves nothing here."""
        assert isinstance(guest.who, Person), "applications are shown no page"
        second = [(self.second_name, self.second_password)] if self.second_name or self.second_password else []
        return [(guest.who.name, self.password), *second]


class Wanted(TwoPeople):
    """A form with fields of its own, one for each of what it asks about: `KIND:NAME`."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    note: str = Field(default="", max_length=500)

    def named(self, kind: str) -> dict[str, str]:
        """What was written of each, without what was left empty. Raises Turned: it is no text."""
        found = {}
        for field, value in (self.model_extra or {}).items():
            of, colon, name = field.partition(":")
            if not isinstance(value, str):
                raise Turned(422, "form")
            if colon and of == kind and value.strip():
                found[name] = value.strip()
        return found


async def decided(request: Request, house: House, decision: Decision, people: TwoPeople) -> dict[str, Any]:
    """The reply's data, whatever it says. Raises Turned: they are not who they say, or may not."""
    guest = guest_of(request)
    return await answered(house.deciding.decide(decision, people.proofs(guest), guest.door))


async def answered(asked: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """What people asked of the branch, each with their own password. Raises Turned, as `decided`."""
    try:
        return await asked
    except PeopleRefused as no:
        raise Turned(403, f"people.{no.code}", **no.places) from no
    except StoreFailed as error:
        raise Turned(503, "store_failed") from error


def names(request: Request, people: TwoPeople) -> str:
    """Who they were, as a page names them."""
    comma = "、" if language_of(request) == "zh" else ", "
    return comma.join(spelled(name) for name, _ in people.proofs(guest_of(request)))


async def done(
    request: Request, house: House, decision: Decision, people: TwoPeople, told: str, **places: object
) -> Response:
    """The page of what came of it. Raises Turned: whatever was typed stays in its form then."""
    reply = await decided(request, house, decision, people)
    if reply["status"] == "rejected":
        raise Turned.by(reply, 422)
    model: dict[str, Any] = {"code": "", "places": {"people": names(request, people), **places}, "done": told}
    return page(request, "told.html", here(house), guest_of(request), **model)
