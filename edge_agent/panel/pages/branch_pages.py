"""The pages that show the branch: Now, Orders, one order, Machines, one machine.

Knows routes, and which question each page puts to the journal; what is drawn of the answers is in the views.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from cloud_bridge.messages.words import OrderId
from cloud_bridge.ports import StoreFailed
from edge_agent.custody.stock import lots_at
from edge_agent.journal.tx import Tx
from edge_agent.orders import listing
from edge_agent.orders.states import ENDS, Order
from edge_agent.orders.titles import Titles, titles_of
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Guest, Table, guest_of
from edge_agent.panel.masks import masked, serves, veiled
from edge_agent.panel.pages import now, reading, timeline
from edge_agent.panel.pages.exercising import offers
from edge_agent.panel.pages.gatekeeping import Turned, here, look
from edge_agent.panel.pages.machines import machine
from edge_agent.panel.pages.reading import PAGE, Wanted
from edge_agent.panel.pages.render import page
from edge_agent.people.roles import Right

LATEST = 14
GROUPS: dict[str, tuple[str, ...]] = {
    "open": tuple(sorted(set(Order) - ENDS)),
    "attention": (Order.NEEDS_ATTENTION,),
    "ended": tuple(sorted(ENDS)),
}


def routes(table: Table, house: House) -> None:
    """Declares them."""
    _now(table, house)
    _orders(table, house)
    _machines(table, house)


def _now(table: Table, house: House) -> None:
    @table.route("GET", "/", Right.SEE)
    async def show(request: Request) -> Response:
        guest = guest_of(request)

        def work(tx: Tx) -> dict[str, Any]:
            asked: dict[str, Any] = {"questions": reading.questions(tx, house.clock), "waits": reading.waits(tx)}
            asked |= {"running": reading.running(tx), "latest": reading.latest(tx, LATEST)}
            orders = [one.order.id for one in (*asked["questions"], *asked["waits"])]
            orders += [one.id for one in asked["running"]] + [e["order"] for e in asked["latest"] if e["order"]]
            return asked | {"titles": titles_of(tx, orders), "seq": tx.last_seq(), "adopted": bool(tx.adopted)}

        found = await look(house, work)
        seq, titles, adopted = found.pop("seq"), found.pop("titles"), found.pop("adopted")
        model = now.now(**found, twins=list(house.twins().values()), house=_house(house, guest, adopted=adopted))
        asked = len(model.questions)
        return page(request, "now.html", here(house, asked, seq), guest, now=model, titles=titles, link=house.link())


def _house(house: House, guest: Guest, *, adopted: bool) -> now.House:
    locked = tuple(one["name"] for one in house.staff.listed() if one["locked"])
    return now.House(
        house.journal.store,
        house.clock.grade().value,
        adopted,
        house.staff.altered,
        locked,
        guest.who.may(Right.PEOPLE),
        guest.who.may(Right.VOUCH),
    )


def _orders(table: Table, house: House) -> None:
    @table.route("GET", "/orders", Right.SEE)
    async def found(request: Request) -> Response:
        guest, query = guest_of(request), request.query_params
        group = query.get("which", "all")
        words, before = query.get("q", "").strip()[:100], query.get("before", "")
        number = int(before) if before.isdigit() and len(before) < 16 else None
        wanted = Wanted(words, GROUPS.get(group, ()), number, customers=serves(guest))

        def work(tx: Tx) -> tuple[list[reading.Line], dict[str, Titles], int]:
            lines = reading.find(tx, wanted)
            return lines, titles_of(tx, [line.order.id for line in lines]), tx.last_seq()

        lines, titles, seq = await look(house, work)
        model: dict[str, Any] = {
            "titles": titles,
            "q": words,
            "which": group,
            "groups": ("all", *GROUPS),
            "serves": serves(guest),
        }
        model |= {
            "lines": lines[:PAGE],
            "masked": masked,
            "next": lines[PAGE - 1].order.n if len(lines) > PAGE else None,
        }
        return page(request, "orders.html", here(house, seq=seq), guest, **model)

    @table.route("GET", "/orders/{order}", Right.SEE)
    async def one(request: Request, order: str) -> Response:
        guest = guest_of(request)

        def work(tx: Tx) -> dict[str, Any]:
            row = reading.known(tx, order)
            if row is None:
                raise Turned(404, "no_order", order=order[:100])
            more: dict[str, Any] = {
                "customer": reading.customer_of(tx, order),
                "documents": reading.documents_of(tx, order),
            }
            more |= {"titles": titles_of(tx, [order])}
            more |= {"question": reading.question_of(tx, house.clock, row), "seq": tx.last_seq()}
            return {"order": row, "story": listing.story(tx, row), **more}

        found = await look(house, work)
        seq, story, row = found.pop("seq"), found["story"], found["order"]
        shown = serves(guest)
        found["customer"] = found["customer"] if shown else masked(found["customer"])
        found["parameters"] = row.parameters if shown else veiled(row.parameters)
        found["entries"] = timeline.timeline(story["history"])
        return page(request, "order.html", here(house, seq=seq), guest, masked=not shown, **found)

    @table.route("POST", "/orders/{order}/{verb}", Right.ORDERS)
    async def change(request: Request, order: OrderId, verb: str) -> Response:
        if verb not in ("cancel", "hold", "release"):
            raise Turned(404, "not_found")
        guest = guest_of(request)
        try:
            reply = await house.ask(f"order.{verb}", order, {"reason": ""}, guest.id, guest.door, "")
        except StoreFailed as error:
            raise Turned(503, "store_failed") from error
        if reply["status"] == "rejected":
            raise Turned.by(reply)
        return page(request, "told.html", here(house), guest, code="", places={"order": order}, done=f"done_{verb}")


def _machines(table: Table, house: House) -> None:
    @table.route("GET", "/machines", Right.SEE)
    async def floor(request: Request) -> Response:
        machines = [machine(twin, house.readings(name)) for name, twin in sorted(house.twins().items())]
        seq = await look(house, lambda tx: tx.last_seq())
        return page(request, "machines.html", here(house, seq=seq), guest_of(request), machines=machines)

    @table.route("GET", "/machines/{device}", Right.SEE)
    async def one(request: Request, device: str) -> Response:
        twin = house.twins().get(device)
        if twin is None:
            raise Turned(404, "no_device", device=device[:100])

        def work(tx: Tx) -> dict[str, Any]:
            more: dict[str, Any] = {"counts": reading.counts_of(tx, device), "inputs": reading.inputs_of(tx, device)}
            return more | {"lots": lots_at(tx, device), "latest": reading.latest_of(tx, device), "seq": tx.last_seq()}

        found = await look(house, work)
        seq = found.pop("seq")
        shown, found["offers"] = machine(twin, house.readings(device)), offers(house, device)
        found["askable"] = house.probe is not None
        return page(request, "machine.html", here(house, seq=seq), guest_of(request), machine=shown, **found)
