"""Settling a question at the panel (ORD-6): what is asked again before it counts, and what came of it in words.

Knows the form and how the intake's answer is told; what a choice makes of an order is the intake's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import Field

from cloud_bridge.messages.words import TWO_PEOPLE, Choice, Name, OrderId, Sentence
from edge_agent.journal.tx import Tx
from edge_agent.orders.reading import find_step
from edge_agent.orders.rows import OrderRow
from edge_agent.orders.titles import Titles, titles_of
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Table, guest_of
from edge_agent.panel.pages import reading
from edge_agent.panel.pages.gatekeeping import Turned, here, look
from edge_agent.panel.pages.reading import Question
from edge_agent.panel.pages.render import page
from edge_agent.panel.pages.together import TwoPeople, decided, names
from edge_agent.people.deciding import Decision
from edge_agent.people.roles import Right


class Settled(TwoPeople):
    """The form as it comes back."""

    step: Name
    attempt: str = Field(max_length=200)
    choice: Choice
    note: Sentence = ""
    device: str = Field(default="", max_length=100)
    second_at_centre: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked of whom."""

    question: Question
    choice: str
    second: bool  # whether a second person must be at this form
    decided_by: str  # who decided the same already and waits for another
    devices: tuple[str, ...]  # that could do it instead


def form_of(question: Question, choice: str, who: str, twins: dict[str, dict[str, Any]]) -> Form:
    """Pure: how many people this choice takes at this form."""
    before = next((one.person for one in question.approvals if one.choice == choice and one.person != who), "")
    role = question.step.role
    others = (name for name, twin in twins.items() if twin.get("role") == role and name != question.step.device)
    devices = tuple(sorted(others)) if choice == Choice.AGAIN else ()
    two = choice in {one.value for one in TWO_PEOPLE}
    return Form(question, choice, two and not before, before.removeprefix("/people/") if two else "", devices)


def routes(table: Table, house: House) -> None:
    """Declares them."""

    @table.route("GET", "/orders/{order}/settle", Right.RESOLVE)
    async def ask(request: Request, order: str) -> Response:
        guest, query = guest_of(request), request.query_params
        question, titles, seq = await _asked(house, order)
        choice = query.get("choice", "")
        stale = question is None or query.get("attempt", question.attempt) != question.attempt
        if question is None or stale or choice not in question.choices:
            gone: dict[str, Any] = {"order": order, "question": question, "titles": titles}
            return page(request, "stale.html", here(house, seq=seq), guest, 409, **gone)
        form = form_of(question, choice, guest.id, house.twins())
        return page(request, "settle.html", here(house, seq=seq), guest, form=form, titles=titles)

    @table.route("POST", "/orders/{order}/settle", Right.RESOLVE)
    async def settle(request: Request, order: OrderId, body: Settled) -> Response:
        data = body.model_dump(mode="json", include={"step", "attempt", "choice", "note"})
        data |= {"device": body.device} if body.device else {}
        reply = await decided(request, house, Decision(order, data, body.second_at_centre), body)
        return await _told(request, order, body, reply)

    async def _told(request: Request, order: str, body: Settled, reply: dict[str, Any]) -> Response:
        if reply["status"] == "rejected":
            question, titles, seq = await _asked(house, order)
            if reply["code"] in ("conflict", "terminal"):
                model: dict[str, Any] = {"order": order, "question": question, "titles": titles}
                return page(request, "stale.html", here(house, seq=seq), guest_of(request), 409, **model)
            raise Turned.by(reply)
        row, act, titles, seq = await look(house, lambda tx: _after(tx, order, body.step))
        result = reply.get("result") or {}
        model = {"order": row, "choice": body.choice.value, "step": body.step, "act": act, "result": result}
        model |= {"people": names(request, body), "titles": titles}
        return page(request, "settled.html", here(house, seq=seq), guest_of(request), **model)


async def _asked(house: House, order: str) -> tuple[Question | None, dict[str, Titles], int]:
    """What is asked of it now, with its titles, and the seq at which that was so. Raises Turned: no such order."""

    def work(tx: Tx) -> tuple[OrderRow | None, Question | None, dict[str, Titles], int]:
        row = reading.known(tx, order)
        question = reading.question_of(tx, house.clock, row) if row else None
        return row, question, titles_of(tx, [order]), tx.last_seq()

    row, question, titles, seq = await look(house, work)
    if row is None:
        raise Turned(404, "no_order", order=order[:100])
    return question, titles, seq


def _after(tx: Tx, order: str, step: str) -> tuple[OrderRow | None, str, dict[str, Titles], int]:
    """The order and the step's act as they stand now, and the seq at which that is so."""
    found = find_step(tx, order, step)
    return reading.known(tx, order), found.act if found else step, titles_of(tx, [order]), tx.last_seq()
