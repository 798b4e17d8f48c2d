"""The checker against three agents that are wrong on purpose: each is caught, and passes without its bug."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import BranchMaker
from tests.harness.branch import TAKES, Branch, agent_kept
from tests.harness.crash import Plan

pytestmark = pytest.mark.process

DRAW = "f2 00 00 03 43 32 31 03 b2"  # devices.md §2.1, vector 7
PATIENT = {"act_max_s": 4.0}  # between the frame and the wrong resend: by then card and customer are gone, on any box
SLOW = {"options": {"act_s": 4.0}, "profile": {"act_max_s": 5.0}}  # an agent is back before that, on any box


async def silent_machine(make_branch: BranchMaker, bug: str | None) -> Branch:
    """The machine presents the card, the customer takes it, and no word of it comes back."""
    silence = {"at": "2nd motion", "fault": "silence", "args": {"for_s": 1.2}}
    branch: Branch = await make_branch(customer={**TAKES, "after_s": 0.1}, profile=PATIENT, faults=[silence])
    await branch.start_agent(bug=bug)
    await branch.born()
    await branch.submit("a", take_s=2)
    await branch.settled("a")
    return branch


@pytest.mark.rule("PHY-2")
async def test_resending_on_silence_throws_out_a_second_card_and_is_caught(make_branch: BranchMaker) -> None:
    branch = await silent_machine(make_branch, "resend_on_silence")
    report = branch.judge()
    assert report.kinds & {"stray_act", "twice", "wrong_card"}, report.table()
    assert branch.acts().count("card_presented") == 2


@pytest.mark.rule("PHY-2")
async def test_without_that_bug_the_silence_is_harmless(make_branch: BranchMaker) -> None:
    branch = await silent_machine(make_branch, None)
    report = await branch.verdict()
    assert report.orders["a"].state == "completed"
    assert report.acts == {"card_drawn": 1, "card_presented": 1}


async def killed_while_drawing(make_branch: BranchMaker, bug: str | None, **words: Any) -> Branch:
    """The agent dies when the frame that draws has just left, and is back while the machine still moves."""
    branch: Branch = await make_branch(**words)
    plan = Plan(when="after", frame=DRAW)
    await branch.start_agent(plan, bug=bug)
    await branch.born()
    await branch.submit("a")
    assert branch.agent is not None
    assert await branch.agent.wait() == -9
    await branch.start_agent(bug=bug)
    return branch


@pytest.mark.rule("ORD-4")
async def test_acting_before_the_commit_is_caught(make_branch: BranchMaker) -> None:
    branch = await killed_while_drawing(make_branch, "act_before_commit")
    await branch.heard.until(lambda: bool(branch.heard.orders["a"].get("waiting_for")), "the order waits for hands")
    report = branch.judge()
    assert "stray_act" in report.kinds, report.table()


@pytest.mark.rule("PHY-1")
async def test_believing_one_early_reading_is_caught(make_branch: BranchMaker) -> None:
    branch = await killed_while_drawing(make_branch, "believe_one_early_reading", **SLOW)
    await branch.settled("a")
    report = branch.judge()
    assert "disturbed" in report.kinds, report.table()


@pytest.mark.rule("ORD-4")
@pytest.mark.rule("PHY-1")
async def test_without_those_bugs_the_kill_is_harmless(make_branch: BranchMaker) -> None:
    branch: Branch = await make_branch()
    async with agent_kept(branch, [Plan(when="after", frame=DRAW)]) as kills:
        await branch.born()
        assert await branch.serve("a") == "completed"
        report = await branch.verdict()
    assert len(kills) == 1
    assert report.acts == {"card_drawn": 1, "card_presented": 1}
