"""Receipts that were lost, late or half printed: asked about, proven, printed elsewhere, never on another's sheet."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.crash import Plan
from tests.harness.machines import READY_S
from tests.harness.matrix import each
from tests.harness.printing import PEOPLE, asked, asked_after_outage, begun, ended, names_on, printer, proof, receipt

pytestmark = pytest.mark.process

CARD_AND_SHEET = {"card_drawn": 1, "card_presented": 1, "sheet_out": 1}


# -- what goes wrong after the card was taken --------------------------------------------------------------------------

# All of a sheet, its id included, is in the printer long before its paper ends: what is not sent by then never is.
WHOLE = {"max_chunk_bytes": 16384, "act_max_s": 5.0}
SLOW = {"line_s": 0.15}
HALF = 14  # of its 29 lines and bands: two seconds for an agent that the box does not let run
DEAD = {"off_s": None, "at_line": 6}


async def receipt_lost(make_branch: BranchMaker, *more: Any) -> Branch:
    """The card is taken; the printer loses its power, and half a receipt with it, in the middle of the sheet."""
    branch = await begun(make_branch, printer(), *more)
    await branch.machines["receipt-1"].fault("power_loss", **DEAD)
    facts = await asked_after_outage(branch, "o-1")
    assert set(facts["choices"]) == {"done", "no_effect", "again", "by_hand", "skip"}
    assert facts["step"] == "receipt"
    return branch


@pytest.mark.rule("ORD-2")
@pytest.mark.rule("ORD-6")
@pytest.mark.rule("ORD-10")
async def test_people_let_a_lost_receipt_be_printed_elsewhere_or_go_on_without_it(make_branch: BranchMaker) -> None:
    without = [partial(go_without, make_branch, instead) for instead in ("by_hand", "skip")]
    await each([partial(print_elsewhere, make_branch), *without])


async def print_elsewhere(make_branch: BranchMaker) -> None:
    branch = await receipt_lost(make_branch, printer("receipt-2"))
    alone = await branch.resolve("o-1", "again", "li", device="receipt-2")
    assert (alone["status"], alone["code"]) == ("rejected", "unauthorized")
    await branch.resolve("o-1", "again", *PEOPLE, device="receipt-2")
    await ended(branch, "o-1", "completed")
    report = await branch.verdict()
    assert report.acts == CARD_AND_SHEET
    (sheet,) = branch.machines["receipt-2"].sheets()
    assert sheet["reprint"] == 1
    assert sheet["lines"][0].strip() == "重印 REPRINT 1"


async def go_without(make_branch: BranchMaker, instead: str) -> None:
    branch = await receipt_lost(make_branch)
    await branch.resolve("o-1", instead, "li")
    await ended(branch, "o-1", "partly_completed")
    assert await branch.serve("o-2") == "completed"
    report = await branch.verdict()
    assert report.acts == {"card_drawn": 2, "card_presented": 2, "sheet_out": 1, "void_slip": 1}


@pytest.mark.rule("ORD-8")
@pytest.mark.rule("ORD-10")
async def test_paper_a_free_cutter_or_a_closed_cover_bring_the_rest_and_its_proof(make_branch: BranchMaker) -> None:
    helped = [partial(help_it, make_branch, trouble) for trouble in HANDS]
    await each([partial(refilled, make_branch), partial(corrected_later, make_branch), *helped])


async def refilled(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch, printer(profile=WHOLE, options=SLOW), card=False)
    printer_1 = branch.machines["receipt-1"]
    await printer_1.fault("paper_end", at_line=HALF)
    facts = await asked(branch, "o-1", **receipt("of o-1"))
    assert facts["choices"]
    await printer_1.request("refill")
    await ended(branch, "o-1", "completed")
    report = await branch.verdict()
    assert proof(branch, "o-1", "print")["late"] is True
    assert names_on(branch, "o-1/print/1") == 1
    assert report.acts["sheet_out"] == 2, "the front part was taken out with the old paper"


async def corrected_later(make_branch: BranchMaker) -> None:
    """The late id comes when people have decided already: the end stays, the truth is told."""
    branch = await begun(make_branch, printer(profile=WHOLE, options=SLOW), card=False)
    printer_1 = branch.machines["receipt-1"]
    await printer_1.fault("paper_end", at_line=HALF)
    await asked(branch, "o-1", **receipt("of o-1"))
    await branch.resolve("o-1", "by_hand", "li")
    await ended(branch, "o-1", "partly_completed")
    await printer_1.request("refill")

    def corrected() -> list[dict[str, Any]]:
        return [e["data"] for e in branch.heard.events if e["type"] == "branchgate.order.corrected.v1"]

    await branch.heard.until(lambda: bool(corrected()), "the truth is told")
    (truth,) = corrected()
    assert (truth["order"], truth["state"], truth["truth"]) == ("o-1", "partly_completed", "done")
    await branch.verdict()
    assert names_on(branch, "o-1/print/1") == 1


HANDS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {  # fault and its words; what a hand does then
    "cutter_jam": ({}, "free_cutter", {}),
    "cover_open": ({"at_line": HALF}, "cover", {"open": False}),
}


async def help_it(make_branch: BranchMaker, trouble: str) -> None:
    args, hand, words = HANDS[trouble]
    branch = await begun(make_branch, printer(profile=WHOLE, options=SLOW), card=False)
    printer_1 = branch.machines["receipt-1"]
    await printer_1.fault(trouble, **args)
    await asked(branch, "o-1", **receipt("one line"))
    await printer_1.request(hand, **words)
    await ended(branch, "o-1", "completed")
    assert (await branch.verdict()).acts == {"sheet_out": 1}


@pytest.mark.rule("ORD-6")
async def test_paper_out_stays_the_reason_while_a_full_buffer_keeps_the_printer_silent(
    make_branch: BranchMaker,
) -> None:
    """Nobody looks for a cable where paper is missing; when it is there again, people are told why they are asked."""
    buffer = 4096
    narrow = printer(options={"buffer_bytes": buffer, "line_s": 0.2}, profile={"act_max_s": 5.0})
    branch = await begun(make_branch, narrow, card=False)
    heard, printer_1 = branch.heard, branch.machines["receipt-1"]
    await branch.submit("o-1", **receipt("of o-1"))
    while (await printer_1.request("state"))["buffered"] < 0.8 * buffer:  # noqa: ASYNC110 - a printer tells nobody that it is full
        await asyncio.sleep(READY_S)
    await printer_1.fault("paper_end")
    await heard.until(lambda: heard.state("o-1") == "waiting", "the order waits for the printer")
    assert (heard.orders["o-1"]["waiting_for"], heard.orders["o-1"]["reason"]) == ("device", "paper_out")
    await printer_1.request("refill")
    await ended(branch, "o-1", "needs_attention")
    asks = heard.orders["o-1"]
    assert (asks["reason"], asks["facts"]["evidence"]["verdict"]) == ("paper_out", "unproven")
    twins = [twin["data"] for twin in heard.twins]
    told = [(t["state"], t["reason"], t["storage"].get("paper", {}).get("paper")) for t in twins if "storage" in t]
    assert ("deviceBusy", "paper_out", "out") in told
    assert ("offline", "paper_out", None) in told
    assert not [twin for twin in told if twin[1:] == ("paper_out", "full")]


# -- two orders back to back -------------------------------------------------------------------------------------------

BANDS = 10  # of the seal's 240 rows


@pytest.mark.rule("PHY-2")
@pytest.mark.rule("ORD-10")
async def test_power_lost_at_each_band_of_an_image_and_the_next_receipt_is_clean(make_branch: BranchMaker) -> None:
    wrong: list[str] = []

    async def lose(band: int) -> None:
        fault = {"at": f"{band}th band", "fault": "power_loss", "args": {"off_s": None}}
        branch = await begun(make_branch, printer(faults=[fault]), card=False)
        async with branch.closing():
            try:
                await asked_after_outage(branch, "o-100", **receipt("of o-100"))
                await branch.resolve("o-100", "skip", "li")
                assert await branch.serve("o-200", **receipt("of o-200")) == "completed"
                report = await branch.verdict()
                assert report.acts["sheet_out"] == 1
            except AssertionError as error:
                wrong.append(f"band {band}: {error}")

    await each([partial(lose, band) for band in range(1, BANDS + 1)])
    assert not wrong, "\n\n".join(wrong[:4])


# -- a small buffer: the line itself stands still ----------------------------------------------------------------------


@pytest.mark.rule("DEV-2")
@pytest.mark.rule("ORD-6")
async def test_paper_ends_in_mid_image_the_line_stands_still_and_people_go_on(make_branch: BranchMaker) -> None:
    """The printer waits for the rest of an image and the host for the printer; the next sheet is clean all the same."""
    branch = await begun(make_branch, printer(options={"buffer_bytes": 4096}), card=False)
    printer_1 = branch.machines["receipt-1"]
    await printer_1.fault("paper_end", at_line=6)
    await branch.submit("o-100", **receipt("of o-100"))
    heard = branch.heard

    def stands() -> bool:
        told = heard.orders.get("o-100", {})
        return told.get("to") == "needs_attention" or (told.get("to"), told.get("waiting_for")) == ("waiting", "device")

    await heard.until(stands, "somebody is asked, or the printer is missed")
    words = {"step": "print", "attempt": "o-100/print/1", "choice": "skip", "people": ["/people/li"]}
    reply = await branch.scheduler.instruct(
        branch.scheduler.envelope(branch.name, "order.resolve", words, subject="o-100")
    )
    assert reply["status"] == "accepted", reply
    await ended(branch, "o-100", "partly_completed")
    await printer_1.request("refill")
    assert await branch.serve("o-200", **receipt("of o-200")) == "completed"
    await branch.verdict()
    assert names_on(branch, "o-200/print/1") == 1


# -- the agent dies in mid-sheet ---------------------------------------------------------------------------------------


async def die_in_mid_sheet(make_branch: BranchMaker, bug: str | None) -> Branch:
    """Killed right after the slice with the first order's text; people skip it, and the second is printed at once."""
    words = {"others": [printer(options={"line_s": 0.02})], "card": False}
    branch: Branch = await make_branch(**words)
    agent = await branch.start_agent(Plan(frame=b"of o-100".hex(" "), when="after"), bug=bug)
    await branch.born()
    branch.submitted.append("o-100")
    branch.scheduler.push(branch.name, submission(branch, "o-100"))
    assert await agent.wait() == -9
    await branch.start_agent(bug=bug)
    if await branch.settled("o-100") == "needs_attention":
        await branch.resolve("o-100", "skip", "li")
    assert await branch.serve("o-200", **receipt("of o-200")) == "completed"
    return branch


def submission(branch: Branch, order: str) -> dict[str, Any]:
    return branch.scheduler.envelope(branch.name, "order.submit", receipt(f"of {order}"), subject=order, id_=order)


@pytest.mark.rule("PHY-7")
async def test_no_line_of_a_dead_agents_sheet_stands_on_the_next(make_branch: BranchMaker) -> None:
    """And without the slip it would, and is caught."""

    async def rightly() -> None:
        report = await (await die_in_mid_sheet(make_branch, None)).verdict()
        assert report.acts["void_slip"] == 1

    async def wrongly() -> None:
        report = (await die_in_mid_sheet(make_branch, "leave_the_rest_inside")).judge()
        assert report.kinds & {"foreign_line", "mixed_sheet"}, report.table()

    await each([rightly, wrongly])
