"""Cells of a cabinet loaded and emptied by two people at the panel (STO-3).

Knows the form and what in it cannot be; what the books make of it is the intake's affair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from edge_agent.custody.stock import LOADABLE, Lot, lot_in
from edge_agent.journal.tx import Tx
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Table, guest_of
from edge_agent.panel.pages.gatekeeping import Turned, here, look
from edge_agent.panel.pages.render import page
from edge_agent.panel.pages.together import Wanted, done
from edge_agent.people.deciding import REPLENISH, Decision
from edge_agent.people.roles import Right

Loads = Sequence[Mapping[str, str]]


def routes(table: Table, house: House) -> None:
    """Declares them."""

    @table.route("GET", "/machines/{device}/load", Right.STOCK)
    async def ask(request: Request, device: str) -> Response:
        cells = _cells(house, device)

        def work(tx: Tx) -> dict[str, Any]:
            lots = [lot_in(tx, device, cell) for cell in cells]
            rows = tx.all("SELECT DISTINCT article FROM cells WHERE article IS NOT NULL ORDER BY article LIMIT 100")
            return {"lots": lots, "articles": [row["article"] for row in rows], "seq": tx.last_seq()}

        found = await look(house, work)
        seq = found.pop("seq")
        return page(request, "load.html", here(house, seq=seq), guest_of(request), device=device, free=free, **found)

    @table.route("POST", "/machines/{device}/load", Right.STOCK)
    async def load(request: Request, device: str, body: Wanted) -> Response:
        loads = loads_of(body)
        decision = Decision(device, {"cells": list(loads), "note": body.note}, noun=REPLENISH)
        return await done(request, house, decision, body, "done_load", device=device, count=len(loads))


def _cells(house: House, device: str) -> Sequence[str]:
    """Raises Turned: it is no cabinet of this branch."""
    place = next((place for place in house.deciding.branch.places if place.device == device), None)
    if place is None:
        raise Turned(404, "no_device", device=device[:100])
    if not place.cells:
        raise Turned(404, "no_cells", device=device)
    return tuple(place.cells)


def free(lot: Lot) -> bool:
    """Whether it may be loaded: no order has it, and nobody has to look at it first."""
    return lot.state in LOADABLE and lot.order_id is None


def loads_of(body: Wanted) -> Loads:
    """Raises Turned: the form would say something else than what was meant. All else the branch itself refuses."""
    articles, serials, emptied = (body.named(kind) for kind in ("article", "serial", "emptied"))
    loads: list[dict[str, str]] = []
    for cell in dict.fromkeys((*articles, *serials, *emptied)):
        article, serial = articles.get(cell, ""), serials.get(cell, "")
        if cell in emptied and (article or serial):
            raise Turned(422, "load_both", cell=cell[:40])
        if bool(article) != bool(serial):
            raise Turned(422, "load_half", cell=cell[:40])
        loads.append({"cell": cell} | ({"article": article, "serial": serial} if article else {}))
    if not loads:
        raise Turned(422, "load_nothing")
    return loads
