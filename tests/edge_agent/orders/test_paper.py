"""Orders of several devices: the turn goes from lane to lane, and back, or stops for people where it cannot go back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import Arming, Outcome, Verdict, Whereabouts
from edge_agent.journal.tx import Tx
from edge_agent.orders import course
from edge_agent.orders.course import NotNow
from edge_agent.orders.record import set_lane
from edge_agent.orders.rows import AttemptRow, LaneRow
from tests.edge_agent.orders.paper_scenes import PRINTERS, WAYS, paper_book, play_until
from tests.edge_agent.orders.points import play_on
from tests.edge_agent.parts import Book, Json, at

PRINTER, OTHER = PRINTERS


def asked(book: Book) -> Json:
    facts: Json = book.events("order.changed")[-1]["data"]["facts"]
    return facts


async def choose(book: Book, choice: str, *people: str, order: str = "o1", **data: Any) -> Json:
    """A decision on what the order asks about."""
    row = book.order(order)
    step = book.step(row.step or "", order)
    seen = {"step": step.name, "attempt": f"{order}/{step.name}/{step.armings}", "choice": choice}
    return await book.ask("order.resolve", {**seen, "people": list(people) or ["zhang", "li"], **data}, subject=order)


async def fail(book: Book, step: str, outcome: str = "failed", item: str = "unknown", **more: Any) -> None:
    """That step is tried and ends so."""
    await play_until(book, step)
    await book.act()
    await book.settle(outcome, item, **more)


async def in_doubt(book: Book, step: str) -> None:
    await play_until(book, step)
    await book.act()
    await book.doubt()
    await book.settle("unknown", lane_shut=True, reason="unproven")


# -- from lane to lane -------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-2")
@pytest.mark.parametrize("scene", WAYS)
async def test_the_turn_goes_from_device_to_device(tmp_path: Path, scene: str) -> None:
    async with paper_book(tmp_path, scene) as book:
        await book.submit()
        devices = {"receipt": PRINTER, "ticket": PRINTER}
        for step in WAYS[scene]:
            await play_until(book, step)
            assert book.order().device == devices.get(step, "card-1")
        assert await play_on(book) == "completed"
        assert [book.lane(device).holder for device in ("card-1", PRINTER)] == [None, None]


async def test_a_printer_is_free_for_others_while_the_card_is_handed_over(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_between") as book:
        await book.submit("o1")
        await play_until(book, "receipt")
        await book.act()
        assert book.lane(PRINTER).holder == "o1"
        await book.settle("done", "customer")
        assert book.lane(PRINTER).holder is None
        assert book.lane().holder == "o1"


async def test_an_order_waits_for_a_device_that_another_has(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit("o1")
        await book.do(lambda tx: course.wait(tx, book.order("o1"), "device", "line_lost"))  # any state at all
        await book.do(lambda tx: _hold(tx, PRINTER, "o9"))
        await play_until(book, "take")
        await book.arm()
        await book.settle("done", "customer")
        row = book.order()
        assert (row.state, row.waiting_for, row.reason, row.device) == ("waiting", "device", "device_busy", PRINTER)
        assert await book.arm() == NotNow("device_busy")
        await book.do(lambda tx: _hold(tx, PRINTER, None))
        assert await play_on(book) == "completed"


def _hold(tx: Tx, device: str, holder: str | None) -> None:
    set_lane(tx, LaneRow(device, holder=holder))


async def test_a_device_shut_meanwhile_is_waited_for_and_said_to_be_open_again(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await book.do(lambda tx: set_lane(tx, LaneRow(PRINTER, shut=True, reason="x", attempt="o9/receipt/1")))
        await play_until(book, "take")
        await book.arm()
        await book.settle("done", "customer")
        assert (book.order().state, book.order().reason) == ("waiting", "lane_shut")
        await book.do(lambda tx: set_lane(tx, LaneRow(PRINTER)))
        await book.do(lambda tx: course.tell_queue(tx, PRINTER))
        assert book.order().state == "running"


# -- what fails before anything was handed over ------------------------------------------------------------------------


@pytest.mark.rule("ORD-7")
async def test_a_receipt_that_fails_before_the_card_was_presented_captures_the_card(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_between") as book:
        await book.submit()
        await fail(book, "receipt", reason="paper_end")
        assert book.order().device == "card-1"
        assert await play_on(book) == "failed"
        assert book.order().reason == "paper_end"
        assert book.states() | {"draw.undo": "done", "draw": "compensated", "present": "skipped"} == book.states()
        assert [book.lane(device).holder for device in ("card-1", PRINTER)] == [None, None]


@pytest.mark.rule("ORD-7")
@pytest.mark.parametrize("scene", ["paper_first", "paper_between"])
async def test_a_receipt_is_void_when_its_card_was_not_handed_over(tmp_path: Path, scene: str) -> None:
    async with paper_book(tmp_path, scene) as book:
        await book.submit()
        await play_until(book, "present")
        await book.ask("order.cancel", subject="o1")
        undone = []
        while not book.order().ended:
            step = book.order().step or ""
            undone.append((step, book.order().device))
            await book.act()
            await book.settle("done", "bin" if step == "draw.undo" else "customer")
        assert undone == [("draw.undo", "card-1"), ("receipt.undo", PRINTER)]
        assert book.order().state == "cancelled"
        assert (book.states()["draw"], book.states()["receipt"]) == ("compensated", "compensated")


@pytest.mark.rule("ORD-7")
@pytest.mark.parametrize("scene", ["paper_first", "paper_between"])
async def test_a_card_found_taken_keeps_its_receipt(tmp_path: Path, scene: str) -> None:
    async with paper_book(tmp_path, scene) as book:
        await book.submit()
        await fail(book, "take", item="mouth", reason="not_taken")
        assert book.order().step == "draw.undo"
        await book.unneeded("done", "customer", taken="inferred")
        row = book.order()
        assert (row.state, row.reason) == ("completed", "taken_late")
        assert book.states()["receipt"] == "done"
        assert book.states()["receipt.undo"] == "skipped"


@pytest.mark.rule("ORD-7")
async def test_a_card_found_taken_gets_its_receipt_after_all(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await fail(book, "take", item="mouth", reason="not_taken")
        await book.unneeded("done", "customer", taken="inferred")
        assert (book.order().state, book.order().step) == ("running", "receipt")
        assert await play_on(book) == "completed"
        assert book.order().reason == "taken_late"
        assert book.events("order.changed")[-1]["data"]["facts"]["taken"] == "inferred"
        assert book.states()["receipt"] == "done"


async def test_a_card_left_standing_is_captured_and_gets_no_receipt(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await fail(book, "take", item="mouth", reason="not_taken")
        await book.act()
        await book.settle("done", "bin")
        assert (book.order().state, book.order().reason) == ("failed", "not_taken")
        assert book.states()["receipt"] == "skipped"


@pytest.mark.rule("ORD-3")
@pytest.mark.parametrize("scene", ["ticket_first", "ticket_last"])
async def test_what_may_be_repeated_is_armed_once_more_after_it_failed(tmp_path: Path, scene: str) -> None:
    async with paper_book(tmp_path, scene) as book:
        await book.submit()
        await fail(book, "ticket", reason="unproven")
        assert (book.order().state, book.order().step, book.states()["ticket"]) == ("running", "ticket", "failed")
        assert await play_on(book) == "completed"
        assert book.step("ticket").armings == 2
        moves = [(e["data"]["from"], e["data"]["to"]) for e in book.events("step") if e["data"]["step"] == "ticket"]
        assert ("failed", "armed") in moves


@pytest.mark.rule("ORD-3")
async def test_what_failed_twice_is_not_tried_a_third_time(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "ticket_first") as book:
        await book.submit()
        await fail(book, "ticket", reason="unproven")
        await fail(book, "ticket", reason="unproven")
        assert (book.order().state, book.order().reason) == ("failed", "unproven")
        assert book.step("ticket").armings == 2


@pytest.mark.rule("ORD-3")
async def test_a_receipt_that_failed_is_not_repeated_by_the_machine(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_first") as book:
        await book.submit()
        await fail(book, "receipt", reason="card_jam")
        assert (book.order().state, book.step("receipt").armings) == ("failed", 1)


@pytest.mark.rule("ORD-7")
async def test_a_void_slip_that_fails_twice_asks_and_keeps_no_machine(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_first") as book:
        await book.submit()
        await play_until(book, "draw")
        await book.ask("order.cancel", subject="o1")
        await fail(book, "receipt.undo")
        assert book.order().state == "cancelling"
        await fail(book, "receipt.undo")
        assert asked(book)["choices"] == ["again", "by_hand", "skip"]
        assert not book.lane(PRINTER).shut
        assert (await choose(book, "by_hand", "zhang"))["status"] == "accepted"
        assert book.order().state == "cancelled"
        assert book.states()["receipt"] == "done"


@pytest.mark.parametrize("scene", ["paper_first", "paper_between"])
async def test_what_is_always_refused_fails_the_order_before_the_return(tmp_path: Path, scene: str) -> None:
    async with paper_book(tmp_path, scene) as book:
        await book.submit()
        await play_until(book, "receipt")
        await book.do(lambda tx: course.give_up(tx, "o1", "receipt", "unsupported_data"))
        assert await play_on(book) == "failed"
        assert book.order().reason == "unsupported_data"
        assert book.states()["receipt"] == "skipped"
        assert book.step("receipt").armings == 0
        assert [book.lane(device).holder for device in ("card-1", PRINTER)] == [None, None]


@pytest.mark.parametrize("armed", [False, True])
async def test_what_is_refused_says_what_is_to_be_mended(tmp_path: Path, armed: bool) -> None:
    where = {"where": "text", "character": "x"}
    async with paper_book(tmp_path, "ticket_last" if armed else "ticket_first") as book:
        await book.submit()
        if armed:
            await fail(book, "ticket")
        await play_until(book, "ticket")
        await book.do(lambda tx: course.give_up(tx, "o1", "ticket", "unsupported_data", where))
        if armed:
            assert asked(book)["evidence"] == where
        else:
            told = [e["data"] for e in book.events("step") if e["data"]["step"] == "ticket"][-1]
            assert (told["to"], told["facts"]) == ("skipped", {"sent": False, **where})


# -- what is known of a doubt's cause ----------------------------------------------------------------------------------


async def doubted(book: Book, step: str, cause: str) -> None:
    await book.submit()
    await play_until(book, step)
    await book.act()
    await book.do(lambda tx: course.doubt(tx, "o1", step, cause))


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("cause", ["paper_out", "cover_open", "cutter_jam", "no_answer", "line_lost", "held_up"])
async def test_people_are_told_what_brought_the_doubt_not_only_that_nothing_proves_it(
    tmp_path: Path, cause: str
) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await doubted(book, "receipt", cause)
        await book.settle("unknown", lane_shut=True, reason="unproven", facts={"sheet": "ab"})
        assert (book.order().state, book.order().reason) == ("needs_attention", cause)
        assert asked(book)["evidence"] == {"sheet": "ab", "verdict": "unproven"}
        assert book.lane(PRINTER).reason == "unproven"  # what is mended since is no news of the device any more


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("cause", ["unproven", "restarted"])
async def test_where_no_cause_is_known_nothing_proves_it(tmp_path: Path, cause: str) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await doubted(book, "receipt", cause)
        await book.settle("unknown", lane_shut=True, reason="unproven")
        assert book.order().reason == "unproven"
        assert asked(book)["evidence"] == {}


@pytest.mark.rule("ORD-6")
async def test_a_device_that_was_away_meanwhile_is_the_cause(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await doubted(book, "receipt", "unproven")
        await book.do(lambda tx: course.wait(tx, book.order("o1"), "device", "no_answer"))
        await book.settle("unknown", lane_shut=True, reason="unproven")
        assert (book.order().reason, asked(book)["evidence"]) == ("no_answer", {"verdict": "unproven"})


@pytest.mark.rule("ORD-6")
async def test_what_the_device_names_itself_is_not_overruled_by_what_it_said_before(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await doubted(book, "receipt", "no_answer")
        await book.settle("unknown", lane_shut=True, reason="cover_open", facts={"verdict": "unproven"})
        assert book.order().reason == "cover_open"
        assert book.lane(PRINTER).reason == "unproven"


async def test_a_ticket_that_fails_by_a_doubt_names_its_cause(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "ticket_first") as book:
        await doubted(book, "ticket", "paper_out")
        await book.settle("failed", reason="unproven")
        event = book.events("step")[-1]["data"]
        assert (event["reason"], event["facts"]) == ("paper_out", {"verdict": "unproven"})
        await fail(book, "ticket", reason="unproven")  # nothing was in doubt there
        assert book.order().reason == "unproven"


# -- what fails past the point of no return ----------------------------------------------------------------------------

PAST: list[tuple[str, Json, list[str], bool]] = [
    ("failed", {"reason": "paper_end"}, ["again", "by_hand", "skip"], False),
    ("failed", {"reason": "card_jam", "lane_shut": True}, ["again", "by_hand", "skip"], True),
    ("unknown", {"reason": "unproven", "lane_shut": True}, ["done", "no_effect", "again", "by_hand", "skip"], True),
]


@pytest.mark.rule("ORD-7")
@pytest.mark.parametrize(("outcome", "more", "choices", "shut"), PAST, ids=["failed", "jam", "doubt"])
async def test_past_the_return_a_failed_receipt_asks_and_takes_no_card_back(
    tmp_path: Path, outcome: str, more: Json, choices: list[str], shut: bool
) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await fail(book, "receipt", outcome, **more)
        assert (book.order().state, book.order().goal) == ("needs_attention", "finish")
        assert (asked(book)["choices"], asked(book)["device"]) == (choices, PRINTER)
        assert (book.lane(PRINTER).shut, book.lane(PRINTER).holder) == (shut, "o1" if shut else None)
        assert "draw.undo" not in book.states()


@pytest.mark.rule("ORD-2")
@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("instead", ["by_hand", "skip"])
@pytest.mark.parametrize(("outcome", "more", "choices", "shut"), PAST, ids=["failed", "jam", "doubt"])
async def test_one_person_may_let_an_order_go_on_without_its_receipt(
    tmp_path: Path, outcome: str, more: Json, choices: list[str], shut: bool, instead: str
) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await fail(book, "receipt", outcome, **more)
        assert (await choose(book, instead, "zhang"))["status"] == "accepted"
        ended = book.events("order.changed")[-1]["data"]
        assert (ended["to"], ended["reason"]) == ("partly_completed", f"decided_{instead}")
        assert ended["facts"]["left_out"] == [{"step": "receipt", "instead": instead}]
        assert book.lane(PRINTER) == LaneRow(PRINTER)
        await book.submit("o2")
        await play_until(book, "receipt", "o2")
        assert isinstance(await book.arm("o2"), AttemptRow)  # its device is free for others


@pytest.mark.rule("ORD-2")
async def test_an_order_that_goes_on_without_a_sheet_does_what_is_left(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "two_sheets") as book:
        await book.submit()
        await fail(book, "receipt")
        await choose(book, "skip", "zhang")
        assert (book.order().state, book.order().step) == ("running", "ticket")
        assert await play_on(book) == "partly_completed"
        assert book.states()["ticket"] == "done"


@pytest.mark.rule("ORD-2")
async def test_an_end_names_each_step_that_people_went_without(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "two_sheets") as book:
        await book.submit()
        await fail(book, "receipt")
        await choose(book, "skip", "zhang")
        await fail(book, "ticket")
        await fail(book, "ticket")  # the machine itself tried a ticket once more
        await choose(book, "by_hand", "zhang")
        ended = book.events("order.changed")[-1]["data"]
        assert ended["to"] == "partly_completed"
        assert ended["facts"]["left_out"] == [
            {"step": "receipt", "instead": "skip"},
            {"step": "ticket", "instead": "by_hand"},
        ]


@pytest.mark.rule("ORD-6")
async def test_doing_it_again_takes_two_people_and_repeats_the_act(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await in_doubt(book, "receipt")
        assert (await choose(book, "again", "zhang"))["code"] == "unauthorized"
        assert (await choose(book, "again", "zhang", "li"))["status"] == "accepted"
        assert (book.order().device, book.lane(PRINTER).shut) == (PRINTER, False)
        assert await play_on(book) == "completed"
        assert book.step("receipt").armings == 2
        rows = book.look(lambda tx: tx.all("SELECT state, decided FROM attempts WHERE step = 'receipt' ORDER BY id"))
        assert [tuple(row) for row in rows] == [("failed", 1), ("done", 0)]


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize(
    ("device", "choice", "code"),
    [
        ("paper-9", "again", "unknown_device"),
        ("card-1", "again", "no_device_for_role"),
        (OTHER, "skip", "invalid"),
        (OTHER, "done", "invalid"),
    ],
)
async def test_another_device_must_be_there_and_fit(tmp_path: Path, device: str, choice: str, code: str) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await in_doubt(book, "receipt")
        assert (await choose(book, choice, device=device))["code"] == code
        assert book.order().state == "needs_attention"


@pytest.mark.rule("ORD-6")
async def test_again_elsewhere_waits_for_nothing_of_the_first_device(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "two_sheets") as book:
        await book.submit()
        await in_doubt(book, "receipt")
        assert (await choose(book, "again", device=OTHER))["status"] == "accepted"
        assert (book.order().state, book.order().device) == ("running", OTHER)
        assert book.lane(PRINTER) == LaneRow(PRINTER)
        attempt = await book.arm()
        assert isinstance(attempt, AttemptRow)
        assert (attempt.id, attempt.device) == ("o1/receipt/2", OTHER)
        await book.settle("done", "customer")
        assert book.order().device == OTHER  # the ticket comes where the receipt came
        assert await play_on(book) == "completed"


@pytest.mark.rule("ORD-6")
async def test_a_sheet_in_doubt_whose_printer_is_dark_may_be_printed_elsewhere(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await play_until(book, "receipt")
        await book.act()
        await book.doubt()
        assert (await choose(book, "again", device=OTHER))["code"] == "conflict"  # its device may still answer
        await book.do(lambda tx: course.wait(tx, book.order(), "device", "line_lost"))
        assert (await choose(book, "failed", "zhang"))["code"] == "invalid"
        assert (await choose(book, "again", device=OTHER))["status"] == "accepted"
        assert await play_on(book) == "completed"


@pytest.mark.rule("ORD-2")
async def test_a_held_order_whose_last_step_is_needless_is_completed(tmp_path: Path) -> None:
    """The hold comes while the lane reads the machine: the card is gone already, or the sheet cannot be printed."""
    async with paper_book(tmp_path, "paper_first") as book:
        await book.submit()
        await play_until(book, "take")
        await book.ask("order.hold", subject="o1")
        assert book.order().state == "held"
        await book.unneeded("done", "customer")
        assert book.order().state == "completed"


@pytest.mark.rule("ORD-8")
async def test_a_card_found_taken_is_handed_over_whatever_became_of_its_presenting(tmp_path: Path) -> None:
    """Then the receipt can only be asked about: completed would say that it was printed."""
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await play_until(book, "present")
        await book.do(lambda tx: course.give_up(tx, "o1", "present", "invalid_params"))
        await book.act()
        await book.settle("done", "customer")
        await play_until(book, "receipt")
        await book.do(lambda tx: course.give_up(tx, "o1", "receipt", "unsupported_data"))
        assert (book.order().state, book.order().step) == ("needs_attention", "receipt")


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("lacking", ["device", "stock"])
@pytest.mark.parametrize("choice", ["by_hand", "skip", "again"])
async def test_a_sheet_that_waits_for_a_broken_printer_may_be_decided(
    tmp_path: Path, choice: str, lacking: str
) -> None:
    """The card is with the customer: neither cancelling nor the printer will ever end this order."""
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await play_until(book, "receipt")
        assert (await choose(book, "skip", "zhang"))["code"] == "conflict"  # its turn has just come
        await book.do(lambda tx: course.wait(tx, book.order(), lacking, "line_lost"))
        assert (await choose(book, "again", "zhang"))["code"] == "unauthorized"
        assert (await choose(book, "failed"))["code"] == "invalid"
        if choice == "again":
            assert (await choose(book, "again", device=OTHER))["status"] == "accepted"
            late = await book.do(lambda tx: course.arm(tx, "o1", "receipt", Arming({}), book.clock, device=PRINTER))
            assert late == NotNow("moved_on"), "the printer came back, and read its status for nothing"
            assert await play_on(book) == "completed"
        else:
            assert (await choose(book, choice, "zhang"))["status"] == "accepted"
            assert book.order().state == "partly_completed"


async def test_what_can_still_be_undone_is_cancelled_and_not_decided_while_it_waits(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await book.do(lambda tx: course.wait(tx, book.order(), "device", "line_lost"))
        assert (await choose(book, "skip", "zhang"))["code"] == "conflict"


async def test_a_card_in_doubt_whose_machine_is_dark_is_not_decided_before_it_was_asked(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await book.act()
        await book.doubt()
        await book.do(lambda tx: course.wait(tx, book.order(), "device", "line_lost"))
        assert (await choose(book, "failed", "zhang"))["code"] == "conflict"


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize(("choice", "end"), [("done", "completed"), ("no_effect", "completed")])
async def test_people_may_say_what_became_of_a_sheet(tmp_path: Path, choice: str, end: str) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await in_doubt(book, "receipt")
        assert (await choose(book, choice, "zhang"))["code"] == "unauthorized"
        assert (await choose(book, choice))["status"] == "accepted"
        assert await play_on(book) == end
        assert book.step("receipt").armings == (1 if choice == "done" else 2)


@pytest.mark.rule("ORD-6")
async def test_what_is_always_refused_past_the_return_is_for_people(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await play_until(book, "receipt")
        await book.do(lambda tx: course.give_up(tx, "o1", "receipt", "unsupported_data"))
        assert (book.order().state, book.order().reason) == ("needs_attention", "unsupported_data")
        assert asked(book)["attempt"] == "o1/receipt/0"
        assert not book.lane(PRINTER).shut
        assert (await choose(book, "again", device=OTHER))["status"] == "accepted"
        await book.do(lambda tx: course.give_up(tx, "o1", "receipt", "unsupported_data"))
        assert (await choose(book, "by_hand", "zhang"))["status"] == "accepted"
        assert book.order().state == "partly_completed"
        assert book.states()["receipt"] == "skipped"


@pytest.mark.rule("ORD-1")
async def test_past_the_return_a_deadline_arms_nothing_and_asks(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit(deadline=at(60))
        await play_until(book, "receipt")
        book.wall.seconds = 61
        assert await book.arm() == NotNow("expired")
        assert (book.order().state, book.order().reason) == ("needs_attention", "deadline_passed")
        assert asked(book)["choices"] == ["by_hand", "skip"]
        assert (await choose(book, "again"))["code"] == "invalid"
        assert (await choose(book, "by_hand", "zhang"))["status"] == "accepted"
        assert book.order().state == "partly_completed"


@pytest.mark.rule("ORD-1")
async def test_before_the_return_a_deadline_undoes_what_was_done(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_between") as book:
        await book.submit(deadline=at(60))
        await play_until(book, "receipt")
        book.wall.seconds = 61
        assert await book.arm() == NotNow("expired")
        assert await play_on(book) == "expired"
        assert book.states()["draw"] == "compensated"


async def test_past_the_return_two_sheets_without_effect_ask(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await fail(book, "receipt", "no_effect")
        assert book.order().state == "running"
        await fail(book, "receipt", "no_effect")
        assert asked(book)["choices"] == ["again", "by_hand", "skip"]
        await choose(book, "again")
        assert await play_on(book) == "completed"
        assert book.step("receipt").armings == 3


# -- truth that comes late ---------------------------------------------------------------------------------------------

PROOF = Verdict(Outcome.DONE, "printed", Whereabouts.CUSTOMER, {"evidence": "printed"}, memory={"open_job": None})
NOTHING = Verdict(Outcome.NO_EFFECT, "not_printed", facts={"evidence": "processed"})


async def prove(book: Book, verdict: Verdict = PROOF, attempt: str = "o1/receipt/1", times: int = 2) -> None:
    for _ in range(times):
        await book.do(lambda tx: course.prove(tx, attempt, verdict))


@pytest.mark.rule("ORD-8")
@pytest.mark.parametrize("held", [False, True])
async def test_proof_before_the_decision_settles_the_doubt_and_opens_the_lane(tmp_path: Path, held: bool) -> None:
    async with paper_book(tmp_path, "two_sheets") as book:
        await book.submit()
        await in_doubt(book, "receipt")
        if held:
            await book.ask("order.hold", subject="o1")
        await prove(book)
        assert book.states()["receipt"] == "done"
        assert book.lane(PRINTER) == LaneRow(PRINTER)
        assert book.order().state == ("held" if held else "running")
        if held:
            await book.ask("order.release", subject="o1")
        assert await play_on(book) == "completed"
        assert book.events("order.corrected") == []


@pytest.mark.rule("ORD-8")
async def test_proof_that_nothing_was_printed_lets_it_be_printed_once_more(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await in_doubt(book, "receipt")
        await prove(book, NOTHING)
        assert (book.order().state, book.states()["receipt"]) == ("running", "no_effect")
        assert await play_on(book) == "completed"


@pytest.mark.rule("ORD-8")
async def test_proof_before_the_return_goes_on_and_a_cancelled_order_voids_it(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_between") as book:
        await book.submit()
        await in_doubt(book, "receipt")
        assert asked(book)["choices"] == ["done", "no_effect", "failed"]
        await book.ask("order.cancel", subject="o1")
        await prove(book)
        assert book.order().state == "cancelling"
        assert await play_on(book) == "cancelled"
        assert book.states() | {"draw": "compensated", "receipt": "compensated"} == book.states()


@pytest.mark.rule("ORD-8")
@pytest.mark.parametrize("choice", ["again", "by_hand", "done", "no_effect"])
@pytest.mark.parametrize("proof", [PROOF, NOTHING], ids=["printed", "nothing"])
async def test_proof_after_the_decision_changes_nothing_and_is_told_once(
    tmp_path: Path, choice: str, proof: Verdict
) -> None:
    async with paper_book(tmp_path, "two_sheets") as book:
        await book.submit()
        await in_doubt(book, "receipt")
        await choose(book, choice)
        before = (book.order(), book.states())
        await prove(book, proof)
        assert (book.order(), book.states()) == before
        (told,) = [event["data"] for event in book.events("order.corrected")]
        assert (told["attempt"], told["truth"], told["state"]) == ("o1/receipt/1", proof.outcome.value, "running")
        assert told["facts"]["evidence"]
        await play_on(book)
        await prove(book, proof)
        assert len(book.events("order.corrected")) == 1


@pytest.mark.rule("ORD-8")
async def test_proof_after_the_end_is_told_once_and_the_driver_forgets(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await in_doubt(book, "receipt")
        await book.alter("INSERT INTO memories VALUES (?, ?)", PRINTER, '{"open_job": "o1/receipt/1"}')
        await choose(book, "skip", "zhang")
        await prove(book)
        await book.restart()
        await prove(book)
        assert book.order().state == "partly_completed"
        assert book.told("order.corrected", "state", "truth") == [("partly_completed", "done")]
        memory = book.one("SELECT memory FROM memories WHERE device = ?", PRINTER)
        assert memory is not None
        assert memory[0] == "{}"


@pytest.mark.rule("ORD-8")
async def test_a_second_truth_about_a_repeated_ticket_is_told(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "ticket_last") as book:
        await book.submit()
        await fail(book, "ticket", reason="unproven")
        await prove(book, attempt="o1/ticket/1")
        assert await play_on(book) == "completed"
        assert book.told("order.corrected", "attempt", "truth") == [("o1/ticket/1", "done")]


@pytest.mark.rule("ORD-8")
async def test_what_was_told_already_is_no_news(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        assert await play_on(book) == "completed"
        before = len(book.events())
        await prove(book)
        await prove(book, Verdict(Outcome.UNKNOWN, "unproven"))
        await prove(book, attempt="o9/receipt/1")
        assert len(book.events()) == before


@pytest.mark.rule("ORD-8")
async def test_an_answer_that_comes_after_people_decided_is_not_taken_for_the_next_attempt(tmp_path: Path) -> None:
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit()
        await in_doubt(book, "receipt")
        await choose(book, "again", device=OTHER)
        await book.act()
        await book.do(lambda tx: course.settle_attempt(tx, "o1/receipt/1", NOTHING))
        assert book.states()["receipt"] == "acting"
        assert book.told("order.corrected", "truth") == ["no_effect"]


@pytest.mark.rule("ORD-1")
async def test_a_deadline_that_several_find_passed_asks_people_once(tmp_path: Path) -> None:
    """The timekeeper asked while the lane had its device look: what the lane finds then is no fault of its own."""
    async with paper_book(tmp_path, "paper_last") as book:
        await book.submit(deadline=at(100))
        await play_until(book, "receipt")
        book.wall.seconds = 101
        await book.do(lambda tx: course.expire(tx, book.order()))
        assert (book.order().state, book.order().reason) == ("needs_attention", "deadline_passed")
        assert await book.arm() == NotNow("moved_on")
        assert (await book.do(lambda tx: course.expire(tx, book.order()))).state == "needs_attention"
        assert book.told("order.changed", "to", order="o1").count("needs_attention") == 1
        book.wall.seconds = 50  # a clock that was set back does not take back the question
        assert await book.arm() == NotNow("moved_on")
