"""More than a branch can take: ten thousand instructions at once; brokers that are slow, or dead and still there."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.broker import Broker
from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.scheduler import REACH_S, Scheduler
from tests.harness.valve import FREE, Valve
from tests.harness.wan import SETTINGS, TOPICS, LinkedBench
from tests.scenarios.test_outage import calm, lay, pile_up
from tests.virtual_time import virtual_time

__all__ = ["calm"]  # a fixture of these tests

FLOOD = 10_000
AGAIN = 1_000  # of them are sent twice
OPEN = 20
TURNS = 40  # of the loop, from a lane's look at its machine to its act


# -- ten thousand at once ----------------------------------------------------------------------------------------------


@pytest.mark.rule("INS-7")
@pytest.mark.rule("INS-3")
@pytest.mark.rule("INS-4")
@virtual_time
async def test_each_of_ten_thousand_orders_is_answered_once_and_none_is_done_twice(tmp_path: Path, calm: None) -> None:
    async with LinkedBench(tmp_path, fast=True, max_open=OPEN) as bench:
        wan = bench.wan
        await bench.when(lambda: len(wan.beats()) > 0)
        scene = {"scene": "collect_card"}
        numbers = [*range(FLOOD), *range(AGAIN)]
        sent = [wan.ask("order.submit", scene, subject=f"o{n}", id_=f"flood-{n}") for n in numbers]
        await bench.when(lambda: len(wan.up) > FLOOD and len(wan.replies()) == FLOOD + AGAIN)
        assert all(message.acked for message in sent)
        assert bench.door is not None
        assert bench.door.most <= SETTINGS.receive_maximum
        assert wan.in_hand <= 2 * SETTINGS.batch

        replies = [up.data for up in wan.replies()]
        first = [reply for reply in replies if not reply.get("repeat")]
        assert Counter(reply["instruction"] for reply in first) == Counter(f"flood-{n}" for n in range(FLOOD))
        accepted = [reply["order"] for reply in first if reply["status"] == "accepted"]
        assert len(accepted) == OPEN
        assert {reply["code"] for reply in first if reply["status"] == "rejected"} == {"overloaded"}
        words = {reply["instruction"]: reply for reply in first}
        repeats = [reply for reply in replies if reply.get("repeat")]
        assert repeats == [{**words[reply["instruction"]], "repeat": True} for reply in repeats]
        assert len(repeats) == AGAIN

        bench.submitted |= set(accepted)
        for order in accepted:
            await bench.until("completed", order=order)
        assert bench.machine.acts().count("card_drawn") == OPEN
        await bench.when(lambda: bench.unsent() == 0)
        await bench.submit("after")
        await bench.until("completed", order="after")
        bench.verdict()


@pytest.mark.rule("INS-7")
@virtual_time
async def test_an_order_under_way_waits_for_no_flood(tmp_path: Path) -> None:
    """Turns and instructions are counted from the lane's look at its machine to its act: its arming lies between."""
    async with LinkedBench(tmp_path, fast=True) as bench:
        wan, seen = bench.wan, list[tuple[str, int, int]]()
        await bench.when(lambda: len(wan.beats()) > 0)
        turns = 0
        began: tuple[int, int] = (0, 0)
        ticking: asyncio.Task[None] | None = None

        async def tick() -> None:
            nonlocal turns
            for _ in range(100 * TURNS):  # for ever, and time itself would wait: its loop always has something to do
                turns += 1
                await asyncio.sleep(0)

        async def looked(act: str) -> None:
            nonlocal began, ticking
            assert bench.door is not None
            for _ in range(FLOOD // 2):
                wan.ask("orders.request", {})
            began, ticking = (turns, bench.door.begun), asyncio.create_task(tick())

        async def acts(act: str) -> None:
            assert bench.door is not None
            assert ticking is not None
            seen.append((act, turns - began[0], bench.door.begun - began[1]))
            ticking.cancel()

        bench.driver.after_arm, bench.driver.before_act = looked, acts
        await bench.submit()
        await bench.when(lambda: len(seen) == 2)
        bench.driver.after_arm = bench.driver.before_act = _nothing
        await bench.until("completed")
        assert [act for act, _, _ in seen] == ["draw_card", "present_card"]
        for act, passed, taken in seen:
            assert passed <= TURNS, f"{act} waited for {passed} turns of the loop"
            assert taken <= 2 * SETTINGS.receive_maximum, f"{act} waited for {taken} instructions"
        await bench.when(lambda: len(wan.replies()) == FLOOD + 1)
        bench.verdict()


async def _nothing(_act: str) -> None:
    return None


@pytest.mark.rule("DEV-4")
@virtual_time
async def test_twins_are_coalesced_while_a_backlog_goes_up_and_no_event_is(tmp_path: Path) -> None:
    async with LinkedBench(tmp_path, fast=True) as bench:
        wan = bench.wan
        await bench.when(lambda: len(wan.beats()) > 0)
        assert bench.bridge is not None
        await bench.do(lambda tx: lay(tx, 500))
        changes = 0
        while bench.unsent():
            for _ in range(10):
                changes += 1
                twin = {"data": {"n": changes}}
                bench.bridge.put_twin("card-1", json.dumps(twin).encode())
            await bench.while_s(0.01)
        await bench.while_s(1)
        twins = [up.data["n"] for up in wan.up if up.topic == TOPICS.device("card-1")]
        assert changes > 1000
        assert twins == sorted(set(twins))
        assert twins[-1] == changes, "the newest is told"
        assert len(twins) < changes / 10, "what was replaced meanwhile is not"
        assert [up.data["seq"] for up in wan.events()] == list(range(1, bench.last_seq() + 1))


@pytest.mark.rule("DEV-4")
@virtual_time
async def test_readings_are_shed_while_a_backlog_goes_up_and_the_next_one_counts_them(tmp_path: Path) -> None:
    async with LinkedBench(tmp_path, fast=True) as bench:
        wan, made = bench.wan, 0
        await bench.when(lambda: len(wan.beats()) > 0)
        await bench.do(lambda tx: lay(tx, 500))
        while bench.unsent():
            made += 1
            reading = {"name": "in", "raw": made, "unit": "people", "delta": 1}
            bench.readings.put("door-1", {"device": "door-1", "kind": "k", "role": "r", "readings": [reading]})
            await bench.while_s(0.01)
        await bench.while_s(2)
        told = [up.topic for up in wan.up if up.topic in (TOPICS.events, TOPICS.readings("door-1"))]
        looks = [up.data for up in wan.up if up.topic == TOPICS.readings("door-1")]
        assert made > 300
        assert 0 < len(looks) < made / 2, "they do not take the backlog's way"
        assert looks[-1]["readings"][0]["raw"] == made, "the newest is told"
        assert sum(look.get("shed", 0) for look in looks) + len(looks) == made, "none is left out in silence"
        assert [up.data["seq"] for up in wan.events()] == list(range(1, bench.last_seq() + 1))
        assert told[0] == TOPICS.events


# -- the same with a broker and a machine ------------------------------------------------------------------------------

PROCESS_FLOOD = 1_500


@pytest.mark.process
@pytest.mark.rule("INS-7")
async def test_a_flood_through_a_broker_while_a_card_is_served(make_branch: BranchMaker, tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        async with Scheduler(broker.port, tmp_path) as scheduler:
            words: dict[str, Any] = {"port": broker.port, "scheduler": scheduler, "config": "[orders]\nmax_open = 2\n"}
            branch: Branch = await make_branch(**words)
            await branch.start_agent()
            await branch.born()
            await branch.submit("a")
            await branch.until_ledger("card_drawn")
            many = [f"f{n}" for n in range(PROCESS_FLOOD)]
            for order in many:
                scene = {"scene": "collect_card", "parameters": {"take_s": 30}}
                message = scheduler.envelope(branch.name, "order.submit", scene, subject=order, id_=f"i-{order}")
                scheduler.push(branch.name, message)
            await branch.until_ledger("card_presented")
            await branch.heard.until(lambda: len(branch.heard.replies) > PROCESS_FLOOD, "a reply to each")
            answers = Counter(r["data"]["instruction"] for r in branch.heard.replies if not r["data"].get("repeat"))
            assert set(answers) == {"submit-a", *(f"i-{order}" for order in many)}
            assert set(answers.values()) == {1}
            codes = Counter(r["data"].get("code", "accepted") for r in branch.heard.replies)
            assert set(codes) == {"accepted", "overloaded"}
            branch.submitted += [
                r["data"]["order"]
                for r in branch.heard.replies
                if r["data"]["status"] == "accepted" and r["data"]["instruction"].startswith("i-")
            ]
            for order in branch.submitted:
                assert await branch.settled(order) == "completed"
            await branch.verdict()


BIG = "x" * 250_000  # the broker takes 20 at once: more than what the sockets between hold
FOR_EVER_S = 2 * REACH_S  # what it gives the broker for any answer: who waits for that is late on any box
VALVES = {"accepts and says nothing": (0.0, 0), "stops reading": (0.0, 200_000), "is slow": (4096.0, 2_000)}


@pytest.mark.process
@pytest.mark.rule("OUT-5")
@pytest.mark.rule("SES-4")
@pytest.mark.parametrize("broker_that", list(VALVES))
async def test_a_dead_or_slow_broker_delays_no_act_and_no_stop(
    make_branch: BranchMaker, shared_broker: Broker, broker_that: str
) -> None:
    async with Valve(shared_broker.port) as valve:
        branch: Branch = await make_branch(port=valve.port)
        agent = await branch.start_agent()
        await branch.born()
        await branch.submit("a")
        await branch.until_ledger("card_drawn")
        await agent.kill()
        await pile_up(branch, 40, BIG)
        valve.turn(*VALVES[broker_that])
        passed = valve.went_up
        await branch.start_agent(broker_s=FOR_EVER_S)
        await branch.until_ledger("card_presented")
        await branch.until_ledger("card_taken")
        assert valve.went_up - passed < 1_000_000, "the broker was not slow at all"
        assert await branch.stop_agent() == 0
        assert branch.acts() == ["card_drawn", "card_presented"]
        if broker_that != "stops reading":
            return  # one of them is enough to see that nothing of it was lost
        valve.turn(FREE)
        await branch.start_agent()
        assert await branch.settled("a") == "completed"
        report = await branch.verdict(again=True)
        assert report.acts == {"card_drawn": 1, "card_presented": 1}
