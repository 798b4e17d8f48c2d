"""A machine exercised at the panel: what it can be tried with, by whom, and the order that does it.

Knows the form and how a hindrance is told; the order goes the way of the command line, and its own page tells the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from edge_agent.orders.desk import Place
from edge_agent.orders.exercising import EXERCISES, WORDS, Exercise, acts_of, exercise_of, hindrance, in_words
from edge_agent.orders.reading import orders_at
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Table, guest_of
from edge_agent.panel.pages.gatekeeping import Turned, here, look
from edge_agent.panel.pages.render import language_of, page
from edge_agent.panel.pages.together import TwoPeople, answered
from edge_agent.people.roles import Right
from edge_agent.texts import Texts


class Wish(TwoPeople):
    """One act, and that nothing is in its way. One person asks; what gives something out is released by two later."""

    act: str = Field(max_length=100)
    clear: bool = False


def routes(table: Table, house: House) -> None:
    """Declares them."""

    @table.route("GET", "/machines/{device}/exercise", Right.SERVICE)
    async def ask(request: Request, device: str) -> Response:
        place, offered = _place(house, device), offers(house, device)
        if not offered:
            raise Turned(404, "no_exercises", device=device)
        no, seq = await _hindered(house, place, next(iter(offered.values())))
        hindered = in_words(Texts(language_of(request)), *no) if no else ""
        model: dict[str, Any] = {"device": device, "offers": offered, "hindered": hindered, "words": WORDS}
        return page(request, "exercise.html", here(house, seq=seq), guest_of(request), **model)

    @table.route("POST", "/machines/{device}/exercise", Right.SERVICE)
    async def exercise(request: Request, device: str, body: Wish) -> Response:
        place, guest, texts = _place(house, device), guest_of(request), Texts(language_of(request))
        wanted = exercise_of(place.role, body.act, place.acts)
        if wanted is None:
            raise Turned(422, "people.no_exercise", device=device, act=texts.word("act", body.act))
        if not body.clear:
            raise Turned(422, "exercise_clear")
        no, _ = await _hindered(house, place, wanted)
        if no:
            raise Turned(422, "exercise_hindered", why=in_words(texts, *no))
        reply = await answered(house.deciding.exercise(device, body.act, body.proofs(guest), guest.door))
        if reply["status"] == "rejected":
            raise Turned.by(reply, 422)
        return RedirectResponse(f"/orders/{quote(reply['order'])}", 303)


def offers(house: House, device: str) -> Mapping[str, Exercise]:
    """Each act that this machine can be exercised with, as the command line has them."""
    place = _find(house, device)
    return {act: EXERCISES[place.role, act] for act in acts_of(place.role, place.acts)} if place else {}


def _find(house: House, device: str) -> Place | None:
    return next((place for place in house.deciding.branch.places if place.device == device), None)


def _place(house: House, device: str) -> Place:
    """Raises Turned: this branch has no such machine."""
    place = _find(house, device)
    if place is None:
        raise Turned(404, "no_device", device=device[:100])
    return place


async def _hindered(house: House, place: Place, exercise: Exercise) -> tuple[tuple[str, str] | None, int]:
    """What stands in the way, and the seq at which that is so. Raises Turned."""
    orders, seq = await look(house, lambda tx: ([one.id for one in orders_at(tx, place.device)], tx.last_seq()))
    of_role = [one for one in house.deciding.branch.places if one.role == place.role]
    alike = [one.device for one in of_role if exercise.reaches(place.at, one.at)]
    return hindrance(house.twins().get(place.device), alike, lambda: orders), seq
