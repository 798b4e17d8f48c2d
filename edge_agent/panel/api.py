"""The local API: orders, devices and events for the branch's own applications and pages, by the same door as everybody.

Knows routes and what each needs; what an order may be asked is the intake's affair.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud_bridge.messages.instructions import Document, OrdersRequest
from cloud_bridge.messages.words import Choice, Code, Name, OrderId, Sentence
from edge_agent.orders import listing
from edge_agent.orders.desk import Rejected
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Refused, Table, guest_of
from edge_agent.panel.masks import serves, veiled
from edge_agent.people.deciding import Decision
from edge_agent.people.roles import Right

Key = Annotated[str, Header(alias="Idempotency-Key", max_length=100, pattern=r"^[A-Za-z0-9._:-]*$")]
_STATUS = {
    Code.INVALID: 422,
    Code.UNAUTHORIZED: 403,
    Code.EXPIRED: 410,
    Code.UNKNOWN_ORDER: 404,
    Code.UNKNOWN_SCENE: 404,
    Code.UNKNOWN_DEVICE: 404,
    Code.OVERLOADED: 503,
}  # else 409: it cannot be, as things stand


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NewOrder(_Body):
    """An order of the branch: a scene and what it asks for."""

    scene: Name
    order: OrderId | None = Field(default=None, description="its id; made up unless given")
    parameters: dict[str, Any] = Field(default_factory=dict)
    customer: str = Field(default="", max_length=100)
    priority: int = Field(default=0, ge=-100, le=100)
    documents: list[Document] = Field(default_factory=list, max_length=8)


class Why(_Body):
    """A reason, for the record."""

    reason: Sentence = ""


class Proof(_Body):
    """One person with their own password, in this moment."""

    name: str = Field(max_length=400)
    password: str = Field(max_length=400)


class Resolution(_Body):
    """What was seen at the machine (ORD-6)."""

    step: Name
    attempt: str = Field(max_length=200)
    choice: Choice
    device: Name | None = None
    note: Sentence = ""
    people: list[Proof] = Field(min_length=1, max_length=4)
    second_at_centre: bool = Field(default=False, description="the second of two people is somebody at the centre")


def routes(table: Table, house: House) -> None:
    """Declares them."""
    _reading(table, house)
    _asking(table, house)


def _reading(table: Table, house: House) -> None:
    @table.route("GET", "/orders", Right.SEE)
    async def orders(
        state: Annotated[list[str] | None, Query(max_length=16)] = None,
        after: Annotated[str | None, Query(max_length=20)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
    ) -> dict[str, Any]:
        """Open orders, or those in the states named; `next` is the `after` of the page behind."""
        asked = OrdersRequest(states=state or [], after=after, limit=limit)
        try:
            return await house.journal.read(lambda tx: listing.page(tx, asked))
        except Rejected as no:
            raise Refused(422, "invalid", no.members()["message"]) from no

    @table.route("GET", "/orders/{order}", Right.SEE)
    async def one_order(request: Request, order: str) -> dict[str, Any]:
        """One order with steps, attempts and history; texts among its parameters are masked for who serves nobody."""
        try:
            found = await house.journal.read(lambda tx: listing.page(tx, OrdersRequest.model_construct(order=order)))
        except KeyError as error:
            raise Refused(404, "unknown_order") from error
        whole: dict[str, Any] = found["orders"][0]
        return whole if serves(guest_of(request)) else whole | {"parameters": veiled(whole["parameters"])}

    @table.route("GET", "/devices", Right.SEE)
    async def devices() -> dict[str, Any]:
        """The twins of all devices."""
        return {"devices": list(house.twins().values())}

    @table.route("GET", "/devices/{device}", Right.SEE)
    async def one_device(device: str) -> dict[str, Any]:
        """One device's twin."""
        if device not in house.twins():
            raise Refused(404, "unknown_device")
        return house.twins()[device]

    @table.route("GET", "/devices/{device}/readings", Right.SEE)
    async def readings(device: str) -> dict[str, Any]:
        """What the device observed last, one of each name, since the agent started: with its age in seconds."""
        if device not in house.twins():
            raise Refused(404, "unknown_device")
        last = house.readings(device)
        return {"readings": [{**one.members, "time": one.time, "age_s": round(one.age_s, 1)} for one in last]}


def _asking(table: Table, house: House) -> None:
    @table.route("POST", "/orders", Right.ORDERS, status_code=201)
    async def submit(request: Request, response: Response, body: NewOrder, key: Key = "") -> dict[str, Any]:
        """Submits an order. With the same Idempotency-Key and words it is one order, however often it is sent."""
        data = body.model_dump(mode="json", exclude={"order"}, exclude_none=True)
        guest = guest_of(request)
        subject = body.order or (f"{guest.id.rsplit('/', 1)[-1]}-{key}"[:100] if key else None)
        reply = await house.ask("order.submit", subject or f"b-{uuid.uuid4()}", data, guest.id, guest.door, key)
        return _told(reply, response)

    @table.route("POST", "/orders/{order}/resolution", Right.RESOLVE)
    async def resolve(request: Request, response: Response, order: OrderId, body: Resolution) -> dict[str, Any]:
        """Settles a step that asks for people, each of whom shows their own password in this very request."""
        data = body.model_dump(mode="json", exclude={"people", "second_at_centre"}, exclude_none=True)
        proofs = [(one.name, one.password) for one in body.people]
        decision = Decision(order, data, body.second_at_centre)
        return _told(await house.deciding.decide(decision, proofs, guest_of(request).door), response)

    @table.route("POST", "/orders/{order}/{verb}", Right.ORDERS)
    async def change(
        request: Request,
        response: Response,
        order: OrderId,
        verb: Literal["cancel", "hold", "release"],
        body: Why,
        key: Key = "",
    ) -> dict[str, Any]:
        """Cancels, holds or releases an order."""
        guest = guest_of(request)
        data = {"reason": body.reason}
        return _told(await house.ask(f"order.{verb}", order, data, guest.id, guest.door, key), response)


def _told(reply: dict[str, Any], response: Response) -> dict[str, Any]:
    """The reply as every scheduler gets it, under the status that says the same."""
    if reply["status"] == "rejected":
        response.status_code = _STATUS.get(Code(reply["code"]), 409)
    return reply
