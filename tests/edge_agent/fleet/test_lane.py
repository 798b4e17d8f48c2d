"""A lane with a driver that does as it is told: the order of settling, asking, arming, committing and acting."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import Outcome, Verdict
from device_drivers.errors import DeviceRefused
from edge_agent.fleet.lane import BACKOFF_MAX_S
from edge_agent.fleet.queue import Job
from edge_agent.journal.ring import Ring
from edge_agent.journal.tx import Tx
from edge_agent.orders import course
from edge_agent.orders.reading import get_step
from edge_agent.orders.rows import By, OrderRow
from tests.edge_agent.bench import Bench
from tests.edge_agent.machine import NEVER, Machine
from tests.edge_agent.parts import at
from tests.virtual_time import virtual_time


def now() -> float:
    return asyncio.get_running_loop().time()


@virtual_time
async def test_a_card_is_drawn_handed_over_and_taken(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        await bench.submit()
        await bench.until("completed")
        assert bench.machine.acts() == ["card_drawn", "card_presented"]
        bench.verdict()


@pytest.mark.rule("ORD-7")
@virtual_time
async def test_a_card_left_standing_is_captured_by_an_armed_and_evidenced_step(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.machine.customer_s = NEVER
        began = now()
        await bench.submit(parameters={"take_s": 7})
        row = await bench.until("failed")
        assert row.reason == "not_taken"
        assert now() - began >= 7
        assert bench.machine.acts() == ["card_drawn", "card_presented", "card_captured"]
        bench.verdict()


# -- settle first, write first -----------------------------------------------------------------------------------------


@pytest.mark.rule("PHY-1")
@virtual_time
async def test_nothing_is_asked_before_the_device_has_settled(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        began = now()
        await bench.when(lambda: bool(bench.driver.asked_at))
        assert bench.driver.asked_at[0] - began >= bench.driver.settle_s - 1e-6


@pytest.mark.rule("PHY-1")
@virtual_time
async def test_after_silence_nothing_is_asked_before_the_device_has_settled(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("silent_done")
        await bench.submit()
        await bench.when(lambda: "act draw_card" in bench.driver.calls)
        sent = now()
        bench.driver.asked_at.clear()
        await bench.when(lambda: bool(bench.driver.asked_at))
        assert bench.driver.asked_at[0] - sent >= bench.driver.settle_s - 1e-6
        first = bench.driver.calls.index("act draw_card") + 1
        assert bench.driver.calls[first] == "reconcile draw_card"
        await bench.until("completed")
        bench.verdict()


def armed_on_disk(bench: Bench) -> list[tuple[str, str]]:
    """Attempts and their readings as another process finds them in the file."""
    other = sqlite3.connect(f"file:{bench.journal.path}?mode=ro", uri=True)
    rows = other.execute("SELECT id, arming FROM attempts WHERE state IN ('armed', 'acting')").fetchall()
    other.close()
    return [(str(attempt), str(arming)) for attempt, arming in rows]


@pytest.mark.rule("ORD-4")
@pytest.mark.rule("ORD-12")
@pytest.mark.rule("PHY-6")
@virtual_time
async def test_each_attempt_is_on_disk_with_its_readings_before_the_driver_has_it(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        seen: list[tuple[str, str]] = []

        async def look(act: str) -> None:
            [(attempt, arming)] = armed_on_disk(bench)
            with closing(Ring(bench.journal.folder / "armed.ring")) as ring:
                assert attempt in ring.entries
            assert '"bin": 0' in arming
            seen.append((act, attempt))

        bench.machine.customer_s = NEVER
        bench.driver.before_act = look
        await bench.submit(parameters={"take_s": 1})
        await bench.until("failed")
        acts = [("draw_card", "o1/draw/1"), ("present_card", "o1/present/1"), ("capture_card", "o1/draw.undo/1")]
        assert seen == acts
        bench.verdict()


@virtual_time
async def test_a_lane_that_did_not_wait_for_its_commit_would_be_found_out(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        seen: list[list[tuple[str, str]]] = []

        async def look(_act: str) -> None:
            seen.append(armed_on_disk(bench))

        async def write_later(work: Callable[[Tx], Any], *, patient: bool = False) -> Any:
            bench.journal._db.execute("BEGIN")
            result = work(Tx(bench.journal._db, bench.wall.now))
            bench.journal._db.execute("ROLLBACK")
            bench.journal.post(work)
            return result

        bench.driver.before_act = look
        await bench.submit()
        bench.journal.write = write_later  # type: ignore[method-assign]
        await bench.when(lambda: bool(seen))
        assert seen[0] == []


@pytest.mark.rule("ORD-4")
@virtual_time
async def test_what_cannot_be_written_is_not_done(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        await bench.submit()
        bench.disk.full = True
        await bench.while_s(60)
        assert bench.machine.acts() == []
        bench.disk.full = False
        await bench.until("completed")
        bench.verdict()


# -- outcomes of an act ------------------------------------------------------------------------------------------------

ENDS = [
    ("ok", "completed", ["card_drawn", "card_presented"]),
    ("silent_done", "completed", ["card_drawn", "card_presented"]),
    ("silent_not", "completed", ["card_drawn", "card_presented"]),
    ("refused", "completed", ["card_drawn", "card_presented"]),
    ("lost_track", "needs_attention", []),
    ("jam", "needs_attention", ["card_drawn"]),
    ("fault", "needs_attention", ["card_drawn"]),
]


@pytest.mark.rule("ORD-5")
@pytest.mark.rule("ORD-9")
@pytest.mark.rule("PHY-2")
@pytest.mark.parametrize(("word", "end", "acts"), ENDS, ids=[word for word, _, _ in ENDS])
@virtual_time
async def test_each_outcome_of_a_draw_leads_to_its_end(tmp_path: Path, word: str, end: str, acts: list[str]) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan(word)
        await bench.submit()
        await bench.until(end)
        assert bench.machine.acts() == acts
        attempts = sum(call == "act draw_card" for call in bench.driver.calls)
        assert attempts == (2 if word in ("silent_not", "refused") else 1)
        assert bench.lane().shut == (end == "needs_attention")
        bench.verdict()


@pytest.mark.rule("ORD-5")
@virtual_time
async def test_silence_is_told_as_in_doubt_and_settled_by_evidence(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("silent_done")
        await bench.submit()
        await bench.until("completed")
        draw = [
            (e["data"]["from"], e["data"]["to"]) for e in bench.events("step.changed") if e["data"]["step"] == "draw"
        ]
        assert draw == [("pending", "armed"), ("armed", "acting"), ("acting", "in_doubt"), ("in_doubt", "done")]


@pytest.mark.rule("ORD-3")
@virtual_time
async def test_two_evidenced_no_effects_end_the_order_without_a_third_attempt(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("silent_not", "silent_not")
        await bench.submit()
        await bench.until("failed")
        assert bench.machine.acts() == []
        assert sum(call == "act draw_card" for call in bench.driver.calls) == 2
        bench.verdict()


@virtual_time
async def test_where_a_fault_left_the_card_is_told(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("fault")
        await bench.submit()
        await bench.until("needs_attention")
        assert bench.step("draw").item == "transport"


@pytest.mark.rule("ORD-3")
@virtual_time
async def test_an_act_that_was_not_sent_is_done_when_the_line_is_back(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("unsent")
        await bench.submit()
        row = await bench.until("waiting")
        assert (row.waiting_for, row.reason) == ("device", "line_lost")
        assert bench.states()["draw"] == "no_effect"
        bench.driver.up = True
        await bench.until("completed")
        assert bench.machine.acts() == ["card_drawn", "card_presented"]
        bench.verdict()


@pytest.mark.rule("ORD-5")
@pytest.mark.parametrize(("word", "acts"), [("cut_done", 1), ("cut_not", 0)])
@virtual_time
async def test_a_line_cut_in_mid_act_is_settled_when_it_is_back(tmp_path: Path, word: str, acts: int) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan(word)
        await bench.submit()
        row = await bench.until("waiting")
        assert (row.waiting_for, bench.states()["draw"]) == ("device", "in_doubt")
        assert len(bench.machine.acts()) == acts
        await bench.while_s(300)
        assert bench.states()["draw"] == "in_doubt"
        bench.driver.up = True
        await bench.until("completed")
        assert bench.machine.acts() == ["card_drawn", "card_presented"]
        bench.verdict()


@pytest.mark.rule("ORD-5")
@virtual_time
async def test_a_line_lost_while_the_customer_is_awaited_goes_on_waiting_afterwards(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.machine.customer_s = 40
        await bench.submit(parameters={"take_s": 60})
        await bench.until("waiting")
        bench.driver.up = False
        await bench.while_s(5)
        assert bench.order().waiting_for == "customer"
        bench.driver.up = True
        await bench.until("completed")
        assert [call for call in bench.driver.calls if call.startswith("watch")] == ["watch fresh", "watch resumed"]
        bench.verdict()


@virtual_time
async def test_a_cancel_in_doubt_is_settled_and_undone_when_the_device_is_back(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("cut_done")
        await bench.submit()
        await bench.until("waiting")
        assert (await bench.ask("order.cancel", subject="o1"))["status"] == "accepted"
        assert bench.order().state == "cancelling"
        await bench.until("waiting")  # still: for the device
        bench.driver.up = True
        await bench.until("cancelled")
        assert bench.machine.acts() == ["card_drawn", "card_captured"]
        bench.verdict()


@pytest.mark.rule("PHY-7")
@virtual_time
async def test_a_no_in_place_of_an_answer_about_a_doubt_is_for_people(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("silent_done")
        bench.driver.reconciles.append(DeviceRefused("invalid_arming"))
        await bench.submit()
        row = await bench.until("needs_attention")
        assert row.reason == "invalid_arming"
        assert bench.lane().shut
        assert bench.only_lane.faults == 0


@virtual_time
async def test_a_fault_of_ours_in_an_act_leaves_a_doubt_and_is_counted(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:

        async def stumble(act: str) -> None:
            bench.driver.during_act = bench.driver.before_act
            raise ZeroDivisionError

        bench.driver.during_act = stumble
        await bench.submit()
        await bench.until("completed")
        assert bench.only_lane.faults == 1
        assert ("acting", "in_doubt") in bench.told("step.changed", "from", "to")
        assert bench.machine.acts() == ["card_drawn", "card_presented"]


@pytest.mark.rule("ORD-11")
@virtual_time
async def test_a_card_taken_as_the_capture_is_armed_sends_no_capture(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.machine.customer_s = NEVER

        async def take(act: str) -> None:
            if act == "capture_card":
                bench.machine.take()

        bench.driver.before_arm = take
        await bench.submit(parameters={"take_s": 1})
        row = await bench.until("completed")
        assert row.reason == "taken_late"
        assert bench.machine.acts() == ["card_drawn", "card_presented"]
        bench.verdict()


@pytest.mark.rule("PHY-7")
@virtual_time
async def test_a_capture_found_needless_without_knowing_why_shuts_the_lane(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.machine.customer_s = NEVER
        await bench.submit(parameters={"take_s": 3})
        await bench.until("waiting")
        await bench.while_s(2)
        bench.driver.up = False
        bench.machine.remove()
        bench.machine.bin = 7  # somebody worked at the machine
        bench.driver.up = True
        await bench.until("needs_attention")
        assert bench.twins[-1]["lane"] == "shut"
        assert bench.only_lane.faults == 0


@pytest.mark.rule("ORD-7")
@pytest.mark.parametrize("noun", ["cancel", "hold"])
@virtual_time
async def test_a_command_that_comes_while_the_device_is_asked_wins_over_the_arming(tmp_path: Path, noun: str) -> None:
    async with Bench(tmp_path) as bench:

        async def ask(_act: str) -> None:
            bench.driver.after_arm = _never
            assert (await bench.ask(f"order.{noun}", subject="o1"))["status"] == "accepted"

        bench.driver.after_arm = ask
        await bench.submit()
        await bench.until("cancelled" if noun == "cancel" else "held")
        await bench.while_s(30)
        assert bench.machine.acts() == []
        assert bench.one("SELECT 1 FROM attempts") is None


# -- restart in each state ---------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-5")
@pytest.mark.rule("ORD-9")
@pytest.mark.parametrize("act", ["draw_card", "present_card", "capture_card"])
@pytest.mark.parametrize("moment", ["before", "during"])
@virtual_time
async def test_a_death_in_each_act_does_it_at_most_once(tmp_path: Path, act: str, moment: str) -> None:
    async with Bench(tmp_path) as bench:
        died = asyncio.Event()

        async def die(name: str) -> None:
            if name == act:
                died.set()
                await asyncio.Event().wait()

        if moment == "before":
            bench.driver.before_act = die
        else:
            bench.driver.during_act = die
        bench.machine.customer_s = NEVER
        await bench.submit(parameters={"take_s": 1})
        await died.wait()
        await bench.restart()  # while the machine still moves
        await bench.until("failed")
        assert bench.machine.acts() == ["card_drawn", "card_presented", "card_captured"]
        assert ("restarted", "in_doubt") in bench.told("step.changed", "reason", "to")
        bench.verdict()


@pytest.mark.rule("ORD-5")
@virtual_time
async def test_what_was_armed_and_not_begun_is_in_doubt_after_a_restart(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.driver.up = False
        await bench.submit()
        await bench.arm()
        await bench.restart()
        assert bench.states()["draw"] == "armed"
        await bench.when(
            lambda: bench.states()["draw"] == "in_doubt"
        )  # told at once, whether the device is there or not
        bench.driver.up = True
        await bench.until("completed")
        assert bench.step("draw").armings == 2
        bench.verdict()


@pytest.mark.rule("ORD-5")
@virtual_time
async def test_a_restart_while_the_customer_is_awaited_begins_the_timer_anew(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.machine.customer_s = NEVER
        await bench.submit(parameters={"take_s": 30})
        await bench.until("waiting")
        await bench.while_s(25)
        await bench.restart()
        began = now()
        await bench.until("failed")
        assert now() - began >= 30
        assert bench.states()["draw.undo"] == "done"
        assert "in_doubt" not in bench.told("step.changed", "to")
        bench.verdict()


@pytest.mark.rule("ORD-5")
@virtual_time
async def test_a_restart_while_people_are_asked_asks_the_machine_nothing_of_it(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("lost_track")
        await bench.submit()
        await bench.until("needs_attention")
        told = len(bench.events("order.changed"))
        await bench.restart()
        await bench.while_s(60)
        assert len(bench.events("order.changed")) == told
        assert bench.driver.calls[:2] == ["connect", "probe"]
        assert set(bench.driver.calls) == {"connect", "probe"}
        assert bench.twins[-1]["lane"] == "shut"
        assert bench.only_lane.faults == 0


@pytest.mark.parametrize("stand", ["accepted", "held", "scheduled", "waiting"])
@virtual_time
async def test_a_restart_changes_nothing_of_what_was_not_begun(tmp_path: Path, stand: str) -> None:
    async with Bench(tmp_path) as bench:
        bench.driver.up = False
        await bench.submit(not_before=at(1000) if stand == "scheduled" else None)
        if stand == "held":
            await bench.ask("order.hold", subject="o1")
        if stand == "waiting":
            await bench.until("waiting")
        before = bench.order()
        await bench.restart()
        assert bench.order() == before


# -- stopping ----------------------------------------------------------------------------------------------------------


@virtual_time
async def test_a_stop_waits_for_the_act_under_way_and_begins_no_other(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        await bench.submit()
        await bench.when(lambda: "act draw_card" in bench.driver.calls)
        await bench.only_lane.stop(8)
        assert bench.states()["draw"] == "done"
        await bench.while_s(60)
        assert bench.machine.acts() == ["card_drawn"]
        await bench.restart()
        await bench.until("completed")
        bench.verdict()


@virtual_time
async def test_a_stop_does_not_wait_for_a_customer(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.machine.customer_s = NEVER
        await bench.submit()
        await bench.until("waiting")
        began = now()
        await bench.only_lane.stop(8)
        assert now() == began


@virtual_time
async def test_a_stop_gives_up_on_an_act_that_takes_too_long(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.driver.during_act = lambda _act: asyncio.sleep(60)
        await bench.submit()
        await bench.when(lambda: "act draw_card" in bench.driver.calls)
        began = now()
        await bench.only_lane.stop(8)
        assert now() - began == pytest.approx(8)
        await bench.restart()
        await bench.until("completed")
        bench.verdict()


@virtual_time
async def test_a_stop_just_before_a_step_begins_it_no_more(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        await bench.while_s(2)
        lane = bench.only_lane
        stopped: list[asyncio.Task[None]] = []

        async def stop_meanwhile(job: Job) -> bool:
            stopped.append(asyncio.create_task(lane.stop(8)))
            await asyncio.sleep(0)
            return True

        lane._work.was_shut = True
        lane._work.recover = stop_meanwhile  # type: ignore[method-assign]  # the last wait before a step
        await bench.submit()
        await bench.when(lambda: bool(stopped) and stopped[0].done())
        await bench.while_s(30)
        assert bench.machine.acts() == []
        assert bench.one("SELECT 1 FROM attempts") is None


# -- being woken -------------------------------------------------------------------------------------------------------


@virtual_time
async def test_whatever_concerns_a_lane_wakes_it_at_once(tmp_path: Path) -> None:
    async with Bench(tmp_path, idle_poll_s=10_000) as bench:
        await bench.while_s(3)
        for order in ("o1", "o2"):
            bench.plan("jam" if order == "o2" else "ok")
            await bench.submit(order)
            await bench.ask("order.hold", subject=order)
            await bench.while_s(60)
            began = now()
            await bench.ask("order.release", subject=order)
            await bench.until("completed", "needs_attention", order=order)
            assert now() - began < 10
        bench.machine.remove()
        await bench.submit("o3")
        await bench.submit("o4", not_before=at(5))
        began = now()
        await bench.resolve("o2", "draw", "failed", "zhang")
        await bench.until("completed", order="o3")
        bench.wall.seconds = 5
        await bench.until("completed", order="o4")
        assert now() - began < 20


# -- a lane that was shut ----------------------------------------------------------------------------------------------


@pytest.mark.rule("PHY-7")
@virtual_time
async def test_a_shut_lane_serves_nobody_until_people_decided_and_then_recovers_its_device(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("jam")
        await bench.submit("o1")
        await bench.until("needs_attention")
        await bench.submit("o2", priority=100)
        await bench.while_s(60)
        assert (bench.order("o2").state, bench.order("o2").reason) == ("waiting", "lane_shut")
        assert bench.twins[-1]["lane"] == "shut"
        assert "recover" not in bench.driver.calls
        bench.machine.remove()
        await bench.resolve("o1", "draw", "failed", "zhang")
        await bench.until("completed", order="o2")
        assert bench.driver.calls.count("recover") == 1
        assert bench.twins[-1]["lane"] == "open"
        bench.verdict()


@pytest.mark.rule("ORD-6")
@virtual_time
async def test_a_capture_that_people_chose_is_done_by_the_machine(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("jam")
        await bench.submit()
        await bench.until("needs_attention")
        await bench.resolve("o1", "draw", "capture", "zhang")
        await bench.until("failed")
        assert bench.machine.acts() == ["card_drawn", "card_captured"]
        bench.verdict()


@virtual_time
async def test_a_lane_opened_while_the_agent_was_away_recovers_its_device_too(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("jam")
        await bench.submit("o1")
        await bench.until("needs_attention")
        bench.machine.remove()
        await bench.restart()
        await bench.while_s(0.1)  # it settles still
        await bench.resolve("o1", "draw", "failed", "zhang")
        await bench.submit("o2")
        await bench.until("completed", order="o2")
        assert bench.driver.calls.count("recover") == 1


@virtual_time
async def test_people_who_decide_before_the_lane_looks_do_not_save_the_device_its_recovery(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        settle = course.settle_attempt

        def settle_and_decide(tx: Tx, attempt: str, verdict: Verdict) -> OrderRow:
            row = settle(tx, attempt, verdict)
            bench.machine.remove()
            if row.state == "needs_attention":
                step = get_step(tx, row.id, attempt.split("/")[1])
                row = course.decide(tx, row, step, "failed", By(("/people/zhang",)))
            return row

        bench.plan("jam")
        await bench.submit("o1")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(course, "settle_attempt", settle_and_decide)
            await bench.until("failed")
        await bench.submit("o2")
        await bench.until("completed", order="o2")
        assert bench.driver.calls.count("recover") == 1


async def _never(_act: str) -> None:
    return None


@virtual_time
async def test_a_device_that_will_not_recover_lets_the_order_wait_and_is_asked_again(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.plan("jam")
        await bench.submit("o1")
        await bench.until("needs_attention")
        bench.driver.recover_refuses = True
        bench.machine.remove()
        await bench.resolve("o1", "draw", "failed", "zhang")
        await bench.submit("o2")
        row = await bench.until("waiting", order="o2")
        assert (row.waiting_for, row.reason) == ("device", "card_jam")
        bench.driver.recover_refuses = False
        await bench.until("completed", order="o2")
        assert bench.only_lane.faults == 0
        bench.verdict()


# -- lost and back -----------------------------------------------------------------------------------------------------


def presences(bench: Bench) -> list[str]:
    return [e["data"]["state"] for e in bench.events("device.changed")]


@pytest.mark.rule("DEV-2")
@virtual_time
async def test_a_lost_device_is_told_once_and_once_when_it_is_back(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        await bench.while_s(20)
        assert presences(bench) == []
        bench.driver.up = False
        await bench.while_s(120)
        assert presences(bench) == ["offline"]
        assert bench.twins[-1]["state"] == "offline"
        bench.driver.up = True
        await bench.while_s(60)
        assert presences(bench) == ["offline", "online"]
        assert bench.twins[-1]["state"] == "online"


@pytest.mark.rule("DEV-2")
@virtual_time
async def test_a_restart_does_not_tell_the_same_loss_again_but_tells_the_return(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.driver.up = False
        await bench.while_s(60)
        await bench.restart()
        await bench.while_s(60)
        assert presences(bench) == ["offline"]
        await bench.restart()
        bench.driver.up = True
        await bench.while_s(60)
        assert presences(bench) == ["offline", "online"]


@pytest.mark.rule("DEV-2")
@virtual_time
async def test_a_loose_plug_is_told_as_flapping_and_as_back_when_it_holds_still(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.idle_poll_s = 0.5
        await bench.restart()
        for _ in range(10):
            bench.driver.up = False
            await bench.while_s(1)
            bench.driver.up = True
            await bench.while_s(8)
        assert 4 <= len(presences(bench)) <= 6
        assert presences(bench)[-1] == "offline"
        await bench.while_s(90)
        assert presences(bench)[-1] == "online"
        assert bench.events("device.changed")[-1]["data"]["facts"]["changes"] >= 10


@virtual_time
async def test_an_order_whose_device_is_away_waits_and_says_so_once(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.driver.up = False
        await bench.submit()
        await bench.while_s(300)
        assert bench.told("order.changed", "to", "waiting_for", "reason") == [
            ("accepted", None, ""),
            ("waiting", "device", "no_device"),
        ]
        bench.driver.up = True
        await bench.until("completed")
        bench.verdict()


@virtual_time
async def test_a_dead_device_is_tried_again_and_again_and_ever_more_seldom(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.driver.up = False
        await bench.while_s(600)
        tries = bench.driver.calls.count("connect")
        assert 600 / BACKOFF_MAX_S <= tries <= 600 / BACKOFF_MAX_S + 12


@virtual_time
async def test_a_device_that_refuses_lets_the_order_wait_and_is_not_flooded(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.driver.refuses = "shutter_open"
        await bench.submit()
        row = await bench.until("waiting")
        assert (row.waiting_for, row.reason) == ("device", "shutter_open")
        bench.driver.calls.clear()
        await bench.while_s(100)
        assert bench.driver.calls.count("arm draw_card") <= 25
        assert len(bench.events("order.changed")) == 2
        bench.driver.refuses = ""
        await bench.until("completed")


@virtual_time
async def test_an_empty_stacker_is_waited_for_as_stock(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.machine.cards = 0
        await bench.submit()
        row = await bench.until("waiting")
        assert (row.waiting_for, row.reason) == ("stock", "stacker_empty")
        bench.machine.cards = 5
        await bench.until("completed")


@virtual_time
async def test_without_clock_and_device_an_order_does_not_change_its_mind_about_what_it_waits_for(
    tmp_path: Path,
) -> None:
    async with Bench(tmp_path) as bench:

        async def both_go(_act: str) -> None:
            bench.driver.during_act = _never
            bench.wall.known, bench.driver.refuses = False, "shutter_open"

        bench.driver.during_act = both_go
        await bench.submit(deadline=at(100))
        await bench.while_s(120)
        assert bench.states()["draw"] == "done"
        assert bench.told("order.changed", "to").count("waiting") == 1
        bench.wall.known, bench.driver.refuses = True, ""
        await bench.until("completed")
        bench.verdict()


# -- lanes beside each other, and the disk -----------------------------------------------------------------------------


@virtual_time
async def test_a_dead_device_and_one_that_hangs_slow_no_other_lane(tmp_path: Path) -> None:
    machines = {name: Machine(name) for name in ("card-1", "card-2", "card-3")}
    async with Bench(tmp_path, machines=machines) as bench:
        await bench.while_s(3)
        bench.drivers["card-1"].up = False
        bench.drivers["card-2"].during_act = lambda _act: asyncio.Event().wait()  # type: ignore[assignment,return-value]
        for number in range(3):
            await bench.submit(f"o{number}")
        devices = {bench.order(f"o{n}").device: f"o{n}" for n in range(3)}
        assert set(devices) == set(machines)
        began = now()
        await bench.until("completed", order=devices["card-3"])
        assert now() - began < 5
        assert bench.order(devices["card-1"]).state == "waiting"
        assert bench.states(devices["card-2"])["draw"] == "acting"


@pytest.mark.rule("ORD-9")
@pytest.mark.parametrize("nth", range(1, 14))
@virtual_time
async def test_a_disk_that_is_full_at_any_commit_loses_and_doubles_nothing(tmp_path: Path, nth: int) -> None:
    async with Bench(tmp_path) as bench:
        bench.machine.customer_s = NEVER
        await bench.submit(parameters={"take_s": 2})
        bench.disk.commits = 0

        def fill() -> None:
            bench.disk.full = nth <= bench.disk.commits < nth + 3

        bench.disk.hook = fill
        await bench.until("failed")
        assert bench.machine.acts() == ["card_drawn", "card_presented", "card_captured"]
        bench.verdict()


@virtual_time
async def test_a_device_lost_while_the_disk_is_full_is_told_when_there_is_room_again(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        await bench.while_s(5)
        bench.disk.full, bench.driver.up = True, False
        await bench.while_s(60)
        bench.disk.full = False
        await bench.while_s(60)
        assert presences(bench) == ["offline"]


@virtual_time
async def test_a_full_disk_at_the_very_start_of_a_lane_is_outlived(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        bench.driver.up = False
        await bench.submit()
        await bench.arm()
        await bench.restart()
        bench.disk.full = True
        await bench.while_s(30)
        bench.disk.full, bench.driver.up = False, True
        await bench.until("completed")
        bench.verdict()


@virtual_time
async def test_a_verdict_that_could_not_be_written_is_asked_for_again(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:

        async def fill(_act: str) -> None:
            bench.driver.during_act, bench.disk.full = _never, True

        bench.driver.during_act = fill
        await bench.submit()
        await bench.while_s(30)
        assert bench.states()["draw"] in ("armed", "acting")
        bench.disk.full = False
        await bench.until("completed")
        assert bench.machine.acts() == ["card_drawn", "card_presented"]
        assert ("restarted", "in_doubt") in bench.told("step.changed", "reason", "to")
        bench.verdict()


@virtual_time
async def test_a_settled_attempt_is_not_settled_twice(tmp_path: Path) -> None:
    async with Bench(tmp_path) as bench:
        await bench.submit()
        await bench.until("completed")
        before = len(bench.events())
        again = Verdict(Outcome.NO_EFFECT, "late")
        await bench.do(lambda tx: course.settle(tx, "o1", "draw", again))
        await bench.do(lambda tx: course.doubt(tx, "o1", "draw", "late"))
        assert len(bench.events()) == before
