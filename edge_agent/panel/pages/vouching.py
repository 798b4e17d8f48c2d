"""What two people say of the whole branch at the panel: its clock is right (INS-5), its machines hold this (ORD-12).

Knows the two forms and when each is asked; what counts of an answer is the intake's affair.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import AwareDatetime, Field

from cloud_bridge.envelope import rfc3339
from edge_agent.clock import Grade
from edge_agent.journal.tx import Tx
from edge_agent.orders.attesting import newest_trusted
from edge_agent.panel.branch import House
from edge_agent.panel.gate import Table, guest_of
from edge_agent.panel.pages.gatekeeping import Turned, here, look
from edge_agent.panel.pages.render import page
from edge_agent.panel.pages.together import TwoPeople, Wanted, done
from edge_agent.people.deciding import ADOPT, ATTEST, Decision
from edge_agent.people.roles import Right

LONGEST_S = 3600.0  # from the page to its answer: whoever looked an hour ago looks again


class Looked(TwoPeople):
    """What the page showed, and that it was right; `steady`: the steady clock's seconds at that moment."""

    shown: AwareDatetime
    steady: float = Field(ge=0, le=1e12)
    epoch: int = Field(ge=1)
    agrees: bool = False
    note: str = Field(default="", max_length=500)


class Counted(Wanted):
    """What lies in each machine, as `found:DEVICE`."""

    journal: str = Field(max_length=100)


def routes(table: Table, house: House) -> None:
    """Declares them."""
    _clock(table, house)
    _journal(table, house)


def _clock(table: Table, house: House) -> None:
    @table.route("GET", "/clock", Right.VOUCH)
    async def ask(request: Request) -> Response:
        now, grade = house.clock.look()
        found = await look(house, lambda tx: (newest_trusted(tx), int(tx.meta("epoch", "1")), tx.last_seq()))
        newest, epoch, seq = found
        behind = rfc3339(newest) if newest is not None and now < newest else ""
        model: dict[str, Any] = {"shown": rfc3339(now), "steady": house.clock.steady(), "epoch": epoch}
        model |= {"grade": grade.value, "asked": grade is Grade.UNKNOWN, "behind": behind}
        return page(request, "clock.html", here(house, seq=seq), guest_of(request), **model)

    @table.route("POST", "/clock", Right.VOUCH)
    async def attest(request: Request, body: Looked) -> Response:
        if not body.agrees:
            raise Turned(422, "clock_agrees")
        time = _now_of(body, house.clock.steady())
        data = {"journal": house.journal.id, "epoch": body.epoch, "time": time, "note": body.note}
        return await done(request, house, Decision(None, data, noun=ATTEST), body, "done_clock")


def _now_of(body: Looked, steady_s: float) -> str:
    """What their own clock says by now, if the page's was right when they looked. Raises Turned: too long ago."""
    passed = steady_s - body.steady
    if not 0 <= passed <= LONGEST_S:
        raise Turned(422, "clock_moved")
    return rfc3339(_later(body.shown, passed))


def _later(moment: datetime, seconds: float) -> datetime:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError as error:
        raise Turned(422, "clock_moved") from error


def _journal(table: Table, house: House) -> None:
    @table.route("GET", "/adopt", Right.VOUCH)
    async def ask(request: Request) -> Response:
        def work(tx: Tx) -> dict[str, Any]:
            rows = tx.all("SELECT device, attempt FROM lanes WHERE shut = 1 AND reason = 'journal_lost'")
            lost = {row["device"]: row["attempt"] for row in rows}
            return {"lost": lost, "adopted": bool(tx.adopted), "seq": tx.last_seq()}

        found = await look(house, work)
        seq = found.pop("seq")
        return page(request, "adopt.html", here(house, seq=seq), guest_of(request), devices=_holding(house), **found)

    @table.route("POST", "/adopt", Right.VOUCH)
    async def adopt(request: Request, body: Counted) -> Response:
        counted = [{"device": device, "found": what} for device, what in body.named("found").items()]
        data = {"journal": body.journal, "counted": counted, "note": body.note}
        return await done(request, house, Decision(None, data, noun=ADOPT), body, "done_adopt")


def _holding(house: House) -> list[str]:
    return [place.device for place in house.deciding.branch.places if place.holds_articles]
