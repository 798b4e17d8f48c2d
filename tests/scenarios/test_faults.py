"""The same orders while machine and line fail: nothing twice, nothing lost, people asked only when they must be."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.conftest import BranchMaker
from tests.harness.branch import LEAVES, TAKES, Branch
from tests.harness.cutter import Cutter
from tests.harness.matrix import Tell, each

pytestmark = pytest.mark.process

Fault = dict[str, Any]

# How each fault of the wire is asked for; every one must be survived without a person.
WIRE: dict[str, Fault] = {
    "silent, but it acts": {"fault": "silence", "args": {"count": 1, "executes": True}},
    "silent and deaf": {"fault": "silence", "args": {"count": 1, "executes": False}},
    "no ACK": {"fault": "no_ack"},
    "late answer": {"fault": "late_answer", "args": {"delay_s": 1.0}},
    "garbage before": {"fault": "garbage", "args": {"where": "before"}},
    "garbage inside": {"fault": "garbage", "args": {"where": "inside"}},
    "garbage after": {"fault": "garbage", "args": {"where": "after"}},
    "half a frame": {"fault": "half_frame"},
    "wrong BCC": {"fault": "wrong_bcc"},
    "NAK storm": {"fault": "nak_storm", "args": {"count": 3}},
    "flood": {"fault": "flood", "args": {"for_s": 0.5}},
    "unplugged": {"fault": "unplug", "args": {"for_s": 0.3}},
}
FRAMES = (2, 14, 15, 20, 21, 23)  # questions and both motions of one order, roughly; torture takes them all


async def serve_one(make_branch: BranchMaker, name: str, frame: int, wrong: list[str]) -> None:
    branch: Branch = await make_branch(faults=[{"at": f"{frame}th frame", **WIRE[name]}])
    where = f"{name} at frame {frame} ({branch.folder})"
    async with branch.closing():
        try:
            await branch.start_agent()
            await branch.born()
            state = await branch.serve("a")
            report = await branch.verdict()
        except AssertionError as error:
            wrong.append(f"{where}: {error}")
            return
        if state != "completed" or report.acts != {"card_drawn": 1, "card_presented": 1}:
            wrong.append(f"{where}: {state}\n{report.table()}")


async def sweep(make_branch: BranchMaker, frames: tuple[int, ...], tell: Tell) -> None:
    wrong: list[str] = []
    runs = [(name, frame) for name in WIRE for frame in frames]
    await each([partial(serve_one, make_branch, name, frame, wrong) for name, frame in runs])
    tell(f"faults of the wire: {len(runs)} runs, {len(wrong)} wrong")
    assert not wrong, "\n\n".join(wrong[:6])


@pytest.mark.rule("PHY-2")
@pytest.mark.rule("ORD-5")
async def test_faults_of_the_wire(make_branch: BranchMaker, tell: Tell) -> None:
    await sweep(make_branch, FRAMES, tell)


@pytest.mark.torture
async def test_faults_of_the_wire_at_every_frame(make_branch: BranchMaker, tell: Tell) -> None:
    await sweep(make_branch, tuple(range(1, 36)), tell)


# -- power -------------------------------------------------------------------------------------------------------------

POWER_CUTS = {  # (motion, share of it that was done) -> what the evidence table makes of it; motion 3 is the capture
    (1, 0.1): "needs_attention",  # no card, after a power cut: it may have been drawn and taken
    (1, 0.6): "failed",
    (1, 0.95): "failed",
    (2, 0.1): "failed",
    (2, 0.6): "failed",
    (2, 0.95): "failed",
    (3, 0.1): "failed",
    (3, 0.6): "failed",
    (3, 0.95): "failed",
}


@pytest.mark.rule("PHY-5")
@pytest.mark.rule("PHY-7")
async def test_power_cut_of_the_machine_in_the_middle_of_an_act(make_branch: BranchMaker, tell: Tell) -> None:
    wrong: list[str] = []

    async def cut(motion: int, share: float, expected: str) -> None:
        fault = {"at": f"{motion}th motion", "fault": "power_loss", "args": {"at_fraction": share, "off_s": 0.3}}
        branch: Branch = await make_branch(customer=LEAVES, faults=[fault])
        async with branch.closing():
            try:
                await branch.start_agent()
                await branch.born()
                state = await branch.serve("a", take_s=1)
                report = await branch.verdict()
            except AssertionError as error:
                wrong.append(f"motion {motion} at {share}: {error}")
                return
            if state != expected or (state == "failed" and report.orders["a"].reason != "not_taken"):
                wrong.append(f"motion {motion} at {share}: {state}, {report.orders['a'].reason}\n{report.table()}")

    await each([partial(cut, *key, state) for key, state in POWER_CUTS.items()])
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.rule("ORD-6")
async def test_two_people_let_the_machine_act_again_after_a_power_cut(make_branch: BranchMaker) -> None:
    cut = {"at": "1st motion", "fault": "power_loss", "args": {"at_fraction": 0.1, "off_s": 0.3}}
    branch: Branch = await make_branch(faults=[cut])
    await branch.start_agent()
    await branch.born()
    assert await branch.serve("a") == "needs_attention"
    refused = await branch.resolve("a", "no_effect", "li")
    assert (refused["status"], refused["code"]) == ("rejected", "unauthorized")
    same_twice = await branch.resolve("a", "no_effect", "li", "li")
    assert same_twice["status"] == "rejected"
    assert (await branch.resolve("a", "no_effect", "li", "wang"))["status"] == "accepted"
    await branch.heard.until(lambda: branch.heard.state("a") == "completed", "order a is completed")
    report = await branch.verdict()
    assert report.acts == {"card_drawn": 1, "card_presented": 1}


# -- metal -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-6")
@pytest.mark.rule("PHY-7")
async def test_a_stuck_card_shuts_the_lane_until_a_person_has_cleared_it(make_branch: BranchMaker) -> None:
    async def one(fault: str, motion: int) -> None:
        branch: Branch = await make_branch(faults=[{"at": f"{motion}th motion", "fault": fault}])
        await branch.start_agent()
        await branch.born()
        assert await branch.serve("a") == "needs_attention", (fault, motion)
        await branch.submit("b")
        async with branch.control() as control:
            await control.fault("card_moved_by_hand")  # a person takes the card out
        assert branch.heard.state("b") in {"", "accepted", "waiting"}, "the lane is shut"
        assert (await branch.resolve("a", "failed", "li"))["status"] == "accepted"
        await branch.heard.until(lambda: branch.heard.state("a") == "failed", "order a has failed")
        assert await branch.settled("b") == "completed", (fault, motion)
        await branch.verdict()

    faults = ("jam", "sensor_error", "cannot_reach_ic", "motor_error")
    await each([partial(one, fault, motion) for fault in faults for motion in (1, 2)])


async def test_an_empty_stacker_is_waited_for_and_a_loaded_one_goes_on(make_branch: BranchMaker) -> None:
    branch: Branch = await make_branch(options={"cards": 0})
    await branch.start_agent()
    await branch.born()
    await branch.submit("a")
    await branch.heard.until(
        lambda: branch.heard.orders.get("a", {}).get("waiting_for") == "stock", "a waits for stock"
    )
    async with branch.control() as control:
        await control.load(["S1", "S2"])
    assert await branch.settled("a") == "completed"
    report = await branch.verdict()
    assert report.acts == {"card_drawn": 1, "card_presented": 1}


# -- the line ----------------------------------------------------------------------------------------------------------

DRAW = bytes.fromhex("f20000034332 3103b2")
PRESENT = bytes.fromhex("f20000034332 3903ba")


@pytest.mark.rule("PHY-1")
@pytest.mark.rule("PHY-2")
async def test_line_cut_in_the_middle_of_a_motion_frame(make_branch: BranchMaker) -> None:
    async def cut(frame: bytes, keep: int) -> None:
        branch: Branch = await make_branch(line="tcp", customer={**TAKES, "after_s": 0.2})
        async with Cutter(int(branch.address.rpartition(":")[2]), frame, keep) as cutter:
            branch.go_via(cutter.address)
            agent = await branch.start_agent()
            await branch.born()
            assert await branch.serve("a") == "completed", (frame, keep)
            assert cutter.cuts == 1
            report = await branch.verdict()
            await agent.kill()
        assert report.acts == {"card_drawn": 1, "card_presented": 1}, (frame, keep)

    await each([partial(cut, frame, keep) for frame in (DRAW, PRESENT) for keep in range(10)])


@pytest.mark.rule("DEV-2")
async def test_a_lost_device_is_told_once_and_once_when_it_is_back(make_branch: BranchMaker) -> None:
    branch: Branch = await make_branch()
    await branch.start_agent()
    await branch.born()
    assert await branch.serve("a") == "completed"
    await branch.fault("unplug", for_s=1.0)

    def words() -> list[str]:
        changes = [e["data"] for e in branch.heard.events if e["type"] == "branchgate.device.changed.v1"]
        return [change["state"] for change in changes if change["state"] in {"online", "offline"}]

    await branch.heard.until(lambda: words() == ["offline", "online"], "the device was lost and is back")
    assert await branch.serve("b") == "completed"
    await branch.verdict()
    assert words() == ["offline", "online"]
