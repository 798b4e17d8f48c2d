"""A machine looked at now, because somebody at the panel asks: its next regular look may be many seconds away.

Knows the button and how long somebody waits at it; the lane asks the machine, between two steps, and nothing moves.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from edge_agent.audit.chain import Deed
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Table, guest_of
from edge_agent.panel.pages.gatekeeping import Turned, here, note
from edge_agent.panel.pages.render import language_of, page
from edge_agent.people.roles import Right
from edge_agent.texts import Texts

PATIENCE_S = 10.0  # as the texts say; a lane that waits for a customer takes longer, and shows it by itself


def routes(table: Table, house: House) -> None:
    """Declares them."""

    @table.route("POST", "/machines/{device}/look", Right.RESOLVE)
    async def look_now(request: Request, device: str) -> Response:
        if house.probe is None or device not in house.twins():
            raise Turned(404, "no_device", device=device[:100])
        guest = guest_of(request)
        await note(house, Deed("device.probe", device, (guest.id,), guest.door))
        try:
            async with asyncio.timeout(PATIENCE_S):
                await house.probe(device)
        except TimeoutError as late:
            raise Turned(503, "look_late", device=device) from late
        twin, word = house.twins()[device], Texts(language_of(request)).word
        told = [word("device_state", str(twin.get("state"))), word("reason", str(twin.get("reason") or ""))]
        places: dict[str, Any] = {"device": device, "state": " · ".join(one for one in told if one)}
        return page(request, "told.html", here(house), guest, code="", places=places, done="done_look")
