"""What waits in the mouth is taken back before it is declared void; nothing else may find a ticket there."""

from __future__ import annotations

from typing import Any

import pytest

from device_drivers.device import Outcome, Whereabouts
from device_drivers.errors import DeviceRefused
from tests.device_drivers.escpos.bench import job
from tests.device_drivers.escpos.test_against_simulator import Branch, branch
from tests.virtual_time import virtual_time

TICKET = job(1, "A001", step="print")
NEXT = job(2, "A002", step="print")
VOID = {"order": "O-1", "step": "print.undo", "attempt": "O-1/print.undo/1", "undoes": ["O-1/print/1"]}
KIOSK: dict[str, Any] = {"presenter": True, "customer": {"policy": "leave"}}


def moved(it: Branch) -> list[tuple[str, int]]:
    """What became of the papers in the mouth, by their number."""
    ways = ("ticket_retracted", "ticket_pushed_out", "ticket_taken")
    return [(effect.act, effect.detail["sheet"]) for effect in it.effects if effect.act in ways]


async def void(it: Branch) -> Any:
    arming = await it.arm("void_receipt", **VOID)
    return it.settled(await it.driver.act("void_receipt", VOID, arming))


@virtual_time
async def test_a_ticket_in_the_mouth_is_taken_back_and_then_its_slip() -> None:
    async with branch({"presenter": True, "retract_hex": "1D 65 02"}, **KIOSK) as it:
        assert (await it.tried(await it.arm("print_ticket", **TICKET), **TICKET)).item is Whereabouts.MOUTH
        with pytest.raises(DeviceRefused, match="ticket_in_mouth"):
            await it.arm("print_ticket", **job(2, "A002", step="print"))
        verdict = await void(it)
        assert (verdict.outcome, verdict.item) == (Outcome.DONE, Whereabouts.BIN)
        assert moved(it) == [("ticket_retracted", 1), ("ticket_retracted", 2)]
        assert [sheet["void"] for sheet in it.sheets()] == [False, True]
        await it.arm("print_ticket", **job(2, "A002", step="print"))


@virtual_time
async def test_where_nothing_waits_nothing_is_taken_back_but_the_slip() -> None:
    async with branch({"presenter": True, "retract_hex": "1D 65 02"}, **KIOSK) as it:
        await it.tried(await it.arm("print_ticket", **TICKET), **TICKET)
        it.control("customer", take=True)
        arming = await it.arm("void_receipt", **VOID)
        assert (arming.readings["mouth"], arming.readings["retracts"]) == (False, True)
        assert (await it.driver.act("void_receipt", VOID, arming)).item is Whereabouts.BIN
        assert moved(it) == [("ticket_taken", 1), ("ticket_retracted", 2)]


@virtual_time
async def test_without_a_command_for_it_a_slip_waits_for_the_mouth() -> None:
    async with branch({"presenter": True}, **KIOSK) as it:
        await it.tried(await it.arm("print_ticket", **TICKET), **TICKET)
        with pytest.raises(DeviceRefused, match="ticket_in_mouth"):
            await it.arm("void_receipt", **VOID)
        it.control("customer", take=True)
        assert (await void(it)).item is Whereabouts.MOUTH
        assert moved(it) == [("ticket_taken", 1)]


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize("act", ["print_ticket", "print_receipt"])
@virtual_time
async def test_a_sheet_in_a_mouth_that_was_empty_came_out(act: str) -> None:
    """Its id was never sent: the process died behind the cut."""
    async with branch({"presenter": True, "pulse": False}, **KIOSK) as it:
        arming = await it.arm(act, **TICKET)
        it.cut_after(arming.readings["bytes"])
        verdict = await it.tried(arming, act=act, **TICKET)
        assert (verdict.outcome, verdict.reason, verdict.item) == (Outcome.DONE, "processed", Whereabouts.MOUTH)
        assert len(it.sheets()) == 1
        it.control("customer", take=True)
        assert (await it.tried(await it.arm("print_ticket", **NEXT), act="print_ticket", **NEXT)).reason == "printed"
        assert [(sheet["attempts"], sheet["void"]) for sheet in it.sheets()] == [
            (["O-1/print/1"], False),
            (["O-2/print/1"], False),
        ]


@virtual_time
async def test_half_a_sheet_is_in_no_mouth_and_what_lay_there_before_proves_nothing() -> None:
    async with branch({"presenter": True, "pulse": False}, **KIOSK) as it:
        first = await it.arm("print_receipt", **TICKET)
        it.cut_after(first.readings["bytes"] // 2)
        assert (await it.tried(first, **TICKET)).outcome is Outcome.UNKNOWN
        second = await it.arm("print_receipt", **NEXT)
        assert second.readings["left"], "a slip comes out before it"
        it.cut_after(second.readings["bytes"] - 40)
        verdict = await it.tried(second, **NEXT)
        assert (verdict.outcome, it.originals("O-2/print/1")) == (Outcome.UNKNOWN, [])
