"""The course of a card order: every command at every point, every outcome, every way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.orders import course
from edge_agent.orders.course import NotNow
from edge_agent.orders.reading import next_on_device, queue_is_stale
from edge_agent.orders.record import set_lane
from edge_agent.orders.rows import AttemptRow, LaneRow
from edge_agent.orders.times import Now
from tests.edge_agent.orders import points as at_point
from tests.edge_agent.orders.points import ASKING, BEFORE_RETURN, OPEN, PAST_RETURN, Way, play_on
from tests.edge_agent.parts import DEVICE, Book, at


def name(way: Way) -> str:
    return getattr(way, "__name__", "?")


async def test_the_whole_way_is_told_step_by_step(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.completed(book)
        assert book.told("order.changed", "from", "to", "waiting_for") == [
            (None, "accepted", None),
            ("accepted", "running", None),
            ("running", "waiting", "customer"),
            ("waiting", "completed", None),
        ]
        steps = [(e["data"]["step"], e["data"]["to"]) for e in book.events("step.changed")]
        assert steps == [
            *(("draw", to) for to in ("armed", "acting", "done")),
            *(("present", to) for to in ("armed", "acting", "done")),
            *(("take", to) for to in ("armed", "acting", "waiting", "done")),
        ]
        assert book.events("order.changed")[-1]["data"]["facts"] == {"taken": "witnessed"}
        assert book.lane().holder is None


# -- cancel ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-7")
@pytest.mark.parametrize("way", BEFORE_RETURN, ids=name)
async def test_a_cancel_before_the_point_of_no_return_ends_as_cancelled(tmp_path: Path, way: Way) -> None:
    async with Book(tmp_path) as book:
        await way(book)
        drawn = book.states()["draw"] not in ("pending", "no_effect")  # what runs is settled first: it will be done
        reply = await book.ask("order.cancel", {"reason": "changed_his_mind"}, subject="o1")
        assert reply["status"] == "accepted"
        assert await play_on(book) == "cancelled"
        assert book.states().get("draw.undo") == ("done" if drawn else None)
        assert book.states()["draw"] == ("compensated" if drawn else book.states()["draw"])
        assert book.states()["present"] in ("skipped", "no_effect")
        assert book.lane().holder is None
        assert book.order().reason == "changed_his_mind"


@pytest.mark.rule("ORD-7")
@pytest.mark.parametrize("way", PAST_RETURN, ids=name)
async def test_a_cancel_past_the_point_of_no_return_is_too_late_and_changes_nothing(tmp_path: Path, way: Way) -> None:
    async with Book(tmp_path) as book:
        await way(book)
        before = (book.order(), book.states(), len(book.events()))
        reply = await book.ask("order.cancel", subject="o1")
        assert (reply["status"], reply["code"]) == ("rejected", "too_late")
        assert (book.order(), book.states(), len(book.events())) == before


async def test_an_order_whose_every_act_turns_out_needless_ends(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        for item in ("transport", "mouth", "customer"):
            await book.unneeded("done", item)
        assert (book.order().state, set(book.states().values())) == ("completed", {"skipped"})
        assert book.told("order.changed", "to") == ["accepted", "running", "completed"]
        assert book.lane().holder is None


@pytest.mark.rule("ORD-7")
async def test_a_card_that_stood_in_the_gate_before_it_was_presented_is_past_the_point_too(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.drawn(book)
        await book.unneeded("done", "mouth")
        assert book.states()["present"] == "skipped"
        assert (await book.ask("order.cancel", subject="o1"))["code"] == "too_late"
        assert await play_on(book) == "completed"


@pytest.mark.rule("ORD-7")
async def test_what_runs_when_the_cancel_comes_is_settled_first(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_acting(book)
        await book.ask("order.cancel", subject="o1")
        assert (book.order().state, book.states()["draw"]) == ("cancelling", "acting")
        await book.settle("no_effect", "stock")
        assert (book.order().state, book.states()["draw"]) == ("cancelled", "no_effect")


@pytest.mark.rule("ORD-7")
async def test_the_cancel_is_decided_in_the_transaction_that_would_arm(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        await book.alter("UPDATE orders SET goal = 'cancel', goal_reason = 'x' WHERE id = 'o1'")
        assert await book.arm() == NotNow("moved_on")
        assert book.order().state == "cancelled"
        assert book.one("SELECT 1 FROM attempts") is None


# -- hold and release --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", OPEN, ids=name)
async def test_a_hold_arms_no_further_act_and_a_release_lets_it_go_on(tmp_path: Path, way: Way) -> None:
    async with Book(tmp_path) as book:
        await way(book)
        assert (await book.ask("order.hold", {"reason": "wait"}, subject="o1"))["status"] == "accepted"
        before = book.one("SELECT count(*) FROM attempts WHERE act IN ('draw_card', 'present_card')")
        stands = await play_on(book)
        after = book.one("SELECT count(*) FROM attempts WHERE act IN ('draw_card', 'present_card')")
        assert before is not None
        assert after is not None
        assert after[0] == before[0]
        row = book.order()
        assert stands in ("held", "needs_attention") or row.ended
        assert stands != "held" or row.held
        if not row.ended:
            assert (await book.ask("order.release", subject="o1"))["status"] == "accepted"
            assert book.order().state != "held"
            assert await play_on(book) == ("needs_attention" if stands == "needs_attention" else "completed")


async def test_a_hold_while_the_customer_is_awaited_does_not_stop_the_waiting(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.presented(book)
        await book.ask("order.hold", subject="o1")
        assert isinstance(await book.arm(), AttemptRow)
        assert (book.order().state, book.order().waiting_for) == ("waiting", "customer")


async def test_a_hold_during_an_act_without_effect_says_held(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_acting(book)
        await book.ask("order.hold", subject="o1")
        assert book.order().state == "running"
        await book.settle("no_effect", "stock")
        assert book.order().state == "held"
        await book.ask("order.release", subject="o1")
        assert await play_on(book) == "completed"


@pytest.mark.parametrize("way", BEFORE_RETURN, ids=name)
async def test_a_held_order_can_be_cancelled(tmp_path: Path, way: Way) -> None:
    async with Book(tmp_path) as book:
        await way(book)
        await book.ask("order.hold", subject="o1")
        await book.ask("order.cancel", subject="o1")
        assert await play_on(book) == "cancelled"


@pytest.mark.rule("ORD-4")
async def test_a_hold_is_looked_at_in_the_transaction_that_arms(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        await book.alter("UPDATE orders SET held = 1 WHERE id = 'o1'")
        assert await book.arm() == NotNow("held")
        assert book.order().state == "held"
        assert book.one("SELECT 1 FROM attempts") is None


@pytest.mark.rule("ORD-4")
async def test_a_step_whose_turn_has_passed_is_not_armed(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.drawn(book)
        assert await book.arm(step="draw") == NotNow("moved_on")
        assert await book.arm(step="take") == NotNow("moved_on")


async def test_what_became_needless_after_its_turn_changes_nothing(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_acting(book)
        before = len(book.events())
        await book.unneeded("done", "customer")
        assert len(book.events()) == before


async def test_release_of_what_is_not_held_is_refused(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        assert (await book.ask("order.release", subject="o1"))["code"] == "invalid"


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize(
    "way", [at_point.accepted, at_point.draw_no_effect, at_point.drawn, at_point.present_no_effect], ids=name
)
@pytest.mark.parametrize("held", [False, True])
async def test_a_deadline_between_two_acts_undoes_what_was_done(tmp_path: Path, way: Way, held: bool) -> None:
    async with Book(tmp_path) as book:
        await _with_deadline(book, way)
        if held:
            await book.ask("order.hold", subject="o1")
        book.wall.seconds = 61
        drawn = book.states()["draw"] == "done"
        await book.do(lambda tx: course.expire(tx, book.order()))
        assert await play_on(book) == "expired"
        assert book.states().get("draw.undo") == ("done" if drawn else None)
        assert book.order().reason == "deadline_passed"
        assert book.lane().holder is None


@pytest.mark.rule("ORD-4")
@pytest.mark.parametrize("way", [at_point.accepted, at_point.drawn], ids=name)
async def test_the_deadline_is_looked_at_in_the_transaction_that_arms(tmp_path: Path, way: Way) -> None:
    async with Book(tmp_path) as book:
        await _with_deadline(book, way)
        book.wall.seconds = 60
        assert await book.arm() == NotNow("expired")
        assert book.order().goal == "expire"
        assert await play_on(book) == "expired"


async def test_a_deadline_does_not_end_what_was_armed_before_it(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await _with_deadline(book, at_point.presented)
        book.wall.seconds = 3600
        assert await play_on(book) == "completed"


async def test_a_capture_is_armed_after_the_deadline_and_without_a_clock(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await _with_deadline(book, at_point.not_taken)
        book.wall.seconds, book.wall.known = 3600, False
        assert await play_on(book) == "failed"
        assert book.states()["draw.undo"] == "done"


async def _with_deadline(book: Book, way: Way) -> None:
    """The same way, for an order that has a minute."""
    book.given = {"deadline": at(60)}
    await way(book)


@pytest.mark.rule("ORD-4")
@pytest.mark.rule("INS-5")
async def test_without_a_clock_an_order_with_a_deadline_waits_for_it(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        book.wall.known = False
        await book.submit(deadline=at(60))
        assert await book.arm() == NotNow("clock_unknown")
        assert (book.order().state, book.order().waiting_for) == ("waiting", "clock")
        book.wall.known = True
        assert await play_on(book) == "completed"


@pytest.mark.rule("INS-5")
async def test_without_a_clock_an_order_without_times_runs(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        book.wall.known = False
        await book.submit()
        assert await play_on(book) == "completed"


@pytest.mark.rule("ORD-1")
async def test_not_before_is_looked_at_in_the_transaction_that_arms(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit(not_before=at(30))
        assert book.order().state == "scheduled"
        assert await book.arm() == NotNow("too_early")
        book.wall.seconds = 30
        assert await play_on(book) == "completed"


@pytest.mark.rule("ORD-4")
@pytest.mark.rule("ORD-12")
async def test_nothing_is_armed_in_a_journal_that_lost_its_adoption(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        await book.do(lambda tx: tx.set_meta("adopted", ""))
        assert await book.arm() == NotNow("journal_new")
        assert (book.order().state, book.order().reason) == ("waiting", "journal_new")


# -- outcomes ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-3")
@pytest.mark.parametrize("way", [at_point.draw_no_effect, at_point.present_no_effect], ids=name)
async def test_after_an_evidenced_no_effect_an_act_is_armed_once_more_and_not_twice(tmp_path: Path, way: Way) -> None:
    async with Book(tmp_path) as book:
        await way(book)
        step = book.order().step or ""
        assert await book.act() == step
        row = await book.settle("no_effect", "stock" if step == "draw" else "transport")
        assert row.goal == "fail"
        assert book.step(step).armings == 2
        assert await play_on(book) == "failed"
        assert book.step(step).armings == 2
        assert book.states().get("draw.undo") == (None if step == "draw" else "done")


@pytest.mark.rule("ORD-3")
async def test_after_a_doubt_that_turned_out_as_no_effect_it_is_armed_once_more(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_in_doubt(book)
        await book.settle("no_effect", "stock")
        assert await play_on(book) == "completed"
        assert book.step("draw").armings == 2


@pytest.mark.rule("ORD-3")
@pytest.mark.parametrize(
    "way", [at_point.draw_in_doubt, at_point.present_in_doubt, at_point.capture_in_doubt], ids=name
)
async def test_what_is_in_doubt_is_never_armed_again(tmp_path: Path, way: Way) -> None:
    async with Book(tmp_path) as book:
        await way(book)
        armings = book.step(book.order().step or "").armings
        with pytest.raises(ValueError, match="cannot go from in_doubt to armed"):
            await book.arm()
        assert book.step(book.order().step or "").armings == armings


@pytest.mark.rule("ORD-11")
async def test_a_card_that_the_machine_took_back_by_itself_fails_the_order_and_is_not_captured(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.present_acting(book)
        row = await book.settle("done", "bin", facts={"retained": True}, reason="retained")
        assert (row.state, row.reason) == ("failed", "retained")
        assert "draw.undo" not in book.states()
        assert book.events("order.changed")[-1]["data"]["facts"] == {"retained": True}
        assert book.lane().holder is None


async def test_a_draw_whose_card_went_into_the_bin_fails_without_a_capture(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_acting(book)
        row = await book.settle("failed", "bin", reason="retained_by_machine")
        assert (row.state, row.reason) == ("failed", "retained_by_machine")
        assert "draw.undo" not in book.states()


@pytest.mark.rule("ORD-11")
async def test_a_card_gone_when_the_capture_is_armed_was_taken_late(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.not_taken(book)
        row = await book.unneeded("done", "customer", taken="inferred")
        assert (row.state, row.reason) == ("completed", "taken_late")
        assert book.states() == {"draw": "done", "present": "done", "take": "failed", "draw.undo": "skipped"}
        assert book.one("SELECT 1 FROM attempts WHERE act = 'capture_card'") is None
        assert book.events("order.changed")[-1]["data"]["facts"] == {"taken": "inferred"}


@pytest.mark.rule("ORD-11")
async def test_a_card_gone_when_the_capture_came_was_taken_late(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.capturing(book)
        row = await book.settle("done", "customer")  # of how it went the machine says nothing
        assert (row.state, row.reason) == ("completed", "taken_late")
        assert book.events("order.changed")[-1]["data"]["facts"] == {"taken": "inferred"}
        assert book.states()["draw"] == "done"


async def test_a_card_that_vanished_before_it_was_presented_completes_nothing(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await _with_deadline(book, at_point.drawn)
        await book.ask("order.hold", subject="o1")
        book.wall.seconds = 61
        await book.do(lambda tx: course.expire(tx, book.order()))
        row = await book.unneeded("done", "customer", taken="inferred")
        assert row.state == "expired"


@pytest.mark.rule("ORD-6")
async def test_a_card_gone_when_people_chose_to_capture_it_completes_nothing_but_is_told(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.present_asks(book)
        await book.resolve("o1", "present", "capture", "zhang")
        row = await book.unneeded("done", "customer", taken="inferred")
        assert (row.state, row.reason) == ("failed", "decided_capture")
        assert book.events("order.changed")[-1]["data"]["facts"] == {"taken": "inferred"}


@pytest.mark.rule("PHY-7")
async def test_a_needless_capture_of_which_nobody_can_say_where_the_card_is_asks_people(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.not_taken(book)
        await book.unneeded("unknown", "unknown")
        assert book.order().state == "needs_attention"
        assert book.lane().shut
        reply = await book.resolve("o1", "draw.undo", "failed", "zhang", k=0)
        assert reply["status"] == "accepted", reply
        assert (book.order().state, book.states()["draw.undo"]) == ("failed", "skipped")
        assert book.states()["draw"] == "done"
        assert not book.lane().shut


@pytest.mark.rule("ORD-7")
async def test_a_capture_without_effect_is_armed_once_more_then_asks(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.capturing(book)
        await book.settle("no_effect", "mouth")
        assert await book.act() == "draw.undo"
        await book.settle("no_effect", "mouth")
        assert book.order().state == "needs_attention"
        assert _asked(book) == ["no_effect", "failed"]
        await book.resolve("o1", "draw.undo", "failed", "zhang", k=2)
        assert book.order().state == "failed"
        assert book.step("draw.undo").armings == 2


@pytest.mark.rule("ORD-7")
async def test_a_capture_that_went_wrong_is_for_people_even_if_the_machine_does_not_mind(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.capturing(book)
        await book.settle("failed", "mouth", lane_shut=False)
        assert book.order().state == "needs_attention"
        assert book.lane().shut
        assert _asked(book) == ["failed"]


async def test_after_a_draw_that_was_never_sent_others_may_use_the_machine(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_acting(book)
        await book.settle("no_effect", facts={"sent": False})
        assert book.lane().holder is None


@pytest.mark.rule("PHY-7")
async def test_a_card_that_left_while_it_was_presented_keeps_the_machine_until_the_end(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.present_acting(book)
        await book.settle("done", "customer", facts={"taken": "inferred"})
        await book.submit("o2", priority=100)
        assert await book.arm("o2") == NotNow("device_busy")  # its card would be taken for the first one's
        assert await play_on(book) == "completed"
        assert isinstance(await book.arm("o2"), AttemptRow)


@pytest.mark.rule("PHY-7")
async def test_a_shut_lane_keeps_others_out(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_asks(book)
        await book.submit("o2", priority=100)
        assert await book.arm("o2") == NotNow("lane_shut")
        await book.resolve("o1", "draw", "failed", "zhang")
        assert isinstance(await book.arm("o2"), AttemptRow)


@pytest.mark.rule("PHY-7")
@pytest.mark.rule("ORD-12")
async def test_a_lane_shut_for_the_sake_of_a_lost_journal_arms_for_nobody(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        lost = LaneRow(DEVICE, shut=True, reason="journal_lost", attempt="x/draw/1")
        await book.do(lambda tx: set_lane(tx, lost))
        assert await book.arm() == NotNow("lane_shut")
        assert book.one("SELECT 1 FROM attempts") is None


@pytest.mark.rule("PHY-7")
async def test_orders_behind_a_shut_lane_say_so_also_one_that_was_begun(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_no_effect(book)  # it keeps its turn, and nothing of it is in the machine
        await book.submit("o2", priority=100)
        await book.act("o2")
        await book.settle("failed", "transport", order="o2", reason="card_jam", lane_shut=True)
        await book.submit("o3")
        await book.do(lambda tx: course.tell_queue(tx, DEVICE))
        says = [(book.order(o).state, book.order(o).waiting_for, book.order(o).reason) for o in ("o1", "o3")]
        assert says == [("waiting", "device", "lane_shut")] * 2
        assert not book.look(lambda tx: queue_is_stale(tx, DEVICE))
        await book.resolve("o2", "draw", "failed", "zhang")
        assert book.look(lambda tx: queue_is_stale(tx, DEVICE))
        await book.do(lambda tx: course.tell_queue(tx, DEVICE))
        assert [book.order(o).state for o in ("o1", "o3")] == ["running", "scheduled"]


async def test_a_refused_capture_of_a_cancelled_order_says_what_it_waits_for(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.drawn(book)
        await book.ask("order.cancel", subject="o1")
        await book.do(lambda tx: course.wait(tx, book.order(), "device", "error_bin_full"))
        assert (book.order().state, book.order().waiting_for) == ("waiting", "device")
        assert book.order().reason == "error_bin_full"
        await book.act()
        assert book.order().state == "cancelling"
        assert await play_on(book) == "cancelled"


async def test_an_order_says_once_what_it_waits_for(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        for reason in ("no_device", "no_device", "line_lost"):
            await book.do(lambda tx, why=reason: course.wait(tx, book.order(), "device", why))  # type: ignore[misc]
        assert book.told("order.changed", "to", "reason")[1:] == [("waiting", "no_device"), ("waiting", "line_lost")]
        await book.do(lambda tx: course.wait(tx, book.order(), "stock", "stacker_empty"))
        assert book.told("order.changed", "waiting_for")[-1] == "stock"


# -- people ------------------------------------------------------------------------------------------------------------

CHOICES = [
    (at_point.draw_asks, {"done": "completed", "no_effect": "completed", "failed": "failed", "capture": "failed"}),
    (at_point.draw_jammed, {"failed": "failed", "capture": "failed"}),
    (at_point.present_asks, {"done": "completed", "no_effect": "completed", "failed": "failed", "capture": "failed"}),
    (at_point.take_asks, {"done": "completed", "no_effect": "completed", "failed": "failed", "capture": "failed"}),
    (at_point.capture_asks, {"done": "failed", "no_effect": "failed", "failed": "failed"}),
]
DECISIONS = [(way, choice, end) for way, ends in CHOICES for choice, end in ends.items()]


def _asked(book: Book) -> list[str]:
    asked: list[str] = book.events("order.changed")[-1]["data"]["facts"]["choices"]
    return asked


def _where(book: Book) -> tuple[str, int]:
    attempt = (book.lane().attempt or "").split("/")
    return attempt[1], int(attempt[2])


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize(("way", "ends"), CHOICES, ids=[name(way) for way, _ in CHOICES])
async def test_the_question_names_attempt_and_choices(tmp_path: Path, way: Way, ends: dict[str, str]) -> None:
    async with Book(tmp_path) as book:
        await way(book)
        asked = book.events("order.changed")[-1]["data"]
        assert asked["to"] == "needs_attention"
        assert asked["facts"]["attempt"] == book.lane().attempt
        assert sorted(asked["facts"]["choices"]) == sorted(ends)
        assert book.lane().shut
        assert book.lane().holder == "o1"


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize(("way", "choice", "end"), DECISIONS, ids=[f"{name(w)}-{c}" for w, c, _ in DECISIONS])
@pytest.mark.parametrize("cancelled", [False, True])
async def test_each_decision_leads_to_its_end(tmp_path: Path, way: Way, choice: str, end: str, cancelled: bool) -> None:
    async with Book(tmp_path) as book:
        await way(book)
        if cancelled and (await book.ask("order.cancel", subject="o1"))["status"] == "accepted":
            end = "cancelled"
        step, k = _where(book)
        reply = await book.resolve("o1", step, choice, "zhang", "li", k=k)
        assert reply["status"] == "accepted", reply
        assert not book.lane().shut
        assert await play_on(book) == end
        assert book.lane().holder is None
        if choice == "capture":
            assert book.states()["draw.undo"] == "done"
        if choice == "failed":
            assert book.states().get("draw.undo") in (None, "failed")
        decided = [e["data"] for e in book.events() if e["data"].get("by")]
        assert decided
        assert all(d["by"] == ["/people/zhang", "/people/li"] and not d["authenticated"] for d in decided)


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize(("way", "choice", "end"), DECISIONS, ids=[f"{name(w)}-{c}" for w, c, _ in DECISIONS])
async def test_what_makes_safe_takes_one_person_and_all_else_two(
    tmp_path: Path, way: Way, choice: str, end: str
) -> None:
    async with Book(tmp_path) as book:
        await way(book)
        step, k = _where(book)
        reply = await book.resolve("o1", step, choice, "zhang", k=k)
        if choice in ("failed", "capture"):
            assert reply["status"] == "accepted"
        else:
            assert reply["code"] == "unauthorized"
            assert book.order().state == "needs_attention"


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize(
    "second",
    ["zhang", "/people/zhang", " zhang ", "/people/ zhang", "ZHANG", "/people/zhang/", "ｚhang", "zha\u200bng"],
)
async def test_one_person_under_two_spellings_is_one(tmp_path: Path, second: str) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_asks(book)
        reply = await book.resolve("o1", "draw", "done", "zhang", second)
        assert reply["status"] == "rejected"
        assert book.order().state == "needs_attention"


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize(
    "name_", ["centre", "/schedulers/centre", "schedulers/centre", "/people/centre", "CENTRE", " ", "/people/"]
)
async def test_a_scheduler_is_never_one_of_the_people(tmp_path: Path, name_: str) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_asks(book)
        reply = await book.resolve("o1", "draw", "done", "zhang", name_)
        assert reply["code"] == "invalid"
        assert (await book.resolve("o1", "draw", "failed", name_))["code"] == "invalid"


@pytest.mark.rule("ORD-6")
async def test_a_person_who_asks_may_be_one_who_looked(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_asks(book)
        reply = await book.resolve("o1", "draw", "done", "zhang", "li", source="/people/zhang")
        assert reply["status"] == "accepted"


@pytest.mark.rule("ORD-6")
async def test_only_the_attempt_that_asks_can_be_decided(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_asks(book)
        assert (await book.resolve("o1", "draw", "failed", "zhang", k=2))["code"] == "conflict"
        assert (await book.resolve("o1", "present", "failed", "zhang"))["code"] == "conflict"
        assert (await book.resolve("o1", "dance", "failed", "zhang"))["code"] == "unknown_order"
        assert (await book.resolve("o9", "draw", "failed", "zhang"))["code"] == "unknown_order"
        assert (await book.resolve("o1", "draw", "failed", "zhang"))["status"] == "accepted"
        assert (await book.resolve("o1", "draw", "failed", "zhang", id="again"))["result"]["corrected"] is True


@pytest.mark.rule("ORD-6")
async def test_a_choice_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_jammed(book)
        reply = await book.resolve("o1", "draw", "done")
        assert reply["code"] == "invalid"
        assert "failed, capture" in reply["message"]


@pytest.mark.rule("ORD-6")
async def test_people_may_allow_one_more_attempt_of_what_was_tried_twice(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.capturing(book)
        await book.settle("no_effect", "mouth")
        await book.act()
        await book.settle("no_effect", "mouth")
        assert (await book.resolve("o1", "draw.undo", "no_effect", k=2))["status"] == "accepted"
        assert await play_on(book) == "failed"
        assert book.step("draw.undo").armings == 3


@pytest.mark.parametrize("way", ASKING, ids=name)
async def test_a_hold_before_the_decision_holds_after_it(tmp_path: Path, way: Way) -> None:
    async with Book(tmp_path) as book:
        await way(book)
        await book.ask("order.hold", subject="o1")
        step, k = _where(book)
        choice = "done" if "done" in _asked_of(book) else "failed"
        await book.resolve("o1", step, choice, k=k)
        stands = await play_on(book)
        if way is at_point.draw_asks:
            assert stands == "held"
            await book.ask("order.release", subject="o1")
            assert await play_on(book) == "completed"
        else:
            assert book.order().ended


def _asked_of(book: Book) -> list[str]:
    return next(
        e["data"]["facts"]["choices"] for e in book.events("order.changed") if e["data"]["to"] == "needs_attention"
    )


# -- after the end -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-8")
async def test_after_the_end_the_state_stays_and_the_truth_is_told(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_asks(book)
        await book.resolve("o1", "draw", "failed", "zhang")
        assert book.order().state == "failed"
        reply = await book.resolve("o1", "draw", "done", "zhang", "li", id="later")
        assert reply["result"] == {"state": "failed", "corrected": True}
        assert book.order().state == "failed"
        told = book.events("order.corrected")[-1]["data"]
        assert (told["truth"], told["state"], told["attempt"]) == ("done", "failed", "o1/draw/1")
        assert told["by"] == ["/people/zhang", "/people/li"]


@pytest.mark.rule("ORD-8")
async def test_a_correction_names_an_attempt_that_there_was_and_keeps_the_rule_of_two(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.completed(book)
        assert (await book.resolve("o1", "present", "no_effect", "zhang"))["code"] == "unauthorized"
        assert (await book.resolve("o1", "present", "no_effect", k=7))["code"] == "conflict"
        assert book.events("order.corrected") == []
        assert (await book.resolve("o1", "present", "no_effect"))["status"] == "accepted"


@pytest.mark.rule("ORD-2")
async def test_an_end_is_final_for_every_command(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.completed(book)
        for noun in ("order.cancel", "order.hold", "order.release"):
            assert (await book.ask(noun, subject="o1"))["code"] == "terminal"


# -- whose turn --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-1")
async def test_the_turn_goes_by_priority_then_by_acceptance(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        for order, priority in (("low", -1), ("first", 0), ("second", 0), ("high", 5)):
            await book.submit(order, priority=priority)
        await book.submit("later", priority=100, not_before=at(60))
        turns = []
        for _ in range(5):
            row = book.look(lambda tx: next_on_device(tx, "card-1", Now(at(0))))
            if row is None:
                break
            turns.append(row.id)
            await book.ask("order.hold", subject=row.id)
        assert turns == ["high", "first", "second", "low"]
        timely = book.look(lambda tx: next_on_device(tx, "card-1", Now(at(60))))
        assert timely is not None
        assert timely.id == "later"
        assert book.look(lambda tx: next_on_device(tx, "card-1", Now())) is None
