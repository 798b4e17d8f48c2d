"""Tokens and cheque books with real processes: killed at operations, a forced door, an agent that repeats a pulse."""

from __future__ import annotations

import pytest

from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.cabinets import CABINET, CHEQUE_BOOK, TOKEN, TOKEN_LEFT, cabinet, load, shelves
from tests.harness.matrix import Scene, Tally, Tell, run_matrix, together

pytestmark = pytest.mark.process

STEPS: tuple[tuple[Scene, int], ...] = ((TOKEN, 30), (TOKEN_LEFT, 80), (CHEQUE_BOOK, 50))


def judge(tally: Tally) -> None:
    assert not tally.wrong, f"{tally}\n\n" + "\n\n".join(tally.wrong[:5])
    assert all("needs_attention" not in states for states in tally.ends), f"the item settles it: {tally}"


@pytest.mark.rule("ORD-4")
@pytest.mark.rule("ORD-5")
@pytest.mark.rule("ORD-9")
@pytest.mark.rule("PHY-2")
@pytest.mark.rule("STO-2")
async def test_killed_at_operations_of_scenes_at_a_cabinet(make_branch: BranchMaker, tell: Tell) -> None:
    """Every so many operations; torture takes them all."""
    runs = [(scene, step, when) for scene, step in STEPS for when in ("before", "after")]
    matrices = (run_matrix(make_branch, scene, tell, when=when, step=step) for scene, step, when in runs)
    for (_, step, _), tally in zip(runs, await together(matrices), strict=True):
        judge(tally)
        assert tally.kills >= tally.operations // step // 2, f"most plans must strike, or nothing was proved: {tally}"


async def silent_board(make_branch: BranchMaker, bug: str | None) -> Branch:
    """The cell opens, the customer takes the item and closes the door, and the board's answer never comes."""
    silence = {"at": "1st pulse", "fault": "silence", "args": {"for_s": 0.7}}
    customer = {"policy": "take", "after_s": 0.05, "each_s": 0.05}
    machine = cabinet(customer=customer, faults=(silence,), profile={"act_max_s": 3.5})
    branch: Branch = await make_branch(others=(machine,), card=False)
    await branch.start_agent(bug=bug)
    await branch.born()
    await load(branch)
    await branch.submit("a", scene="collect_token", parameters={"take_s": 2})
    await branch.settled("a")
    return branch


@pytest.mark.rule("PHY-2")
async def test_repeating_a_pulse_on_silence_opens_twice_and_is_caught(make_branch: BranchMaker) -> None:
    branch = await silent_board(make_branch, "pulse_again_on_silence")
    report = branch.judge()
    assert report.kinds & {"stray_act", "wrong_article"}, report.table()
    assert branch.acts() == ["cell_opened", "cell_opened"]


@pytest.mark.rule("PHY-2")
async def test_without_that_bug_the_silence_is_exactly_one_pulse(make_branch: BranchMaker) -> None:
    branch = await silent_board(make_branch, None)
    report = await branch.verdict()
    assert report.orders["a"].state == "completed"
    assert report.acts == {"cell_opened": 1}
    assert shelves(branch) == {"01": "empty", "02": "sealed"}


@pytest.mark.rule("STO-4")
async def test_a_forced_door_is_told_and_its_item_is_not_sold(make_branch: BranchMaker) -> None:
    branch: Branch = await make_branch(others=(cabinet(),), card=False)
    await branch.start_agent()
    await branch.born()
    await load(branch)
    await branch.machines[CABINET].request("force", cell="01", takes=True)
    heard = branch.heard

    def told() -> list[str]:
        events = [e["data"] for e in heard.events if e["type"] == "branchgate.device.changed.v1"]
        return [str(data["state"]) for data in events]

    await heard.until(lambda: {"door_forced", "item_gone"} <= set(told()), "the forced door is told")
    await branch.machines[CABINET].request("close", cell="01")
    await heard.until(lambda: shelves(branch)["01"] == "manipulated", "the books follow")
    assert await branch.serve("a", scene="collect_token", parameters={"take_s": 30}) == "completed"
    assert heard.steps["a", "open"]["facts"]["cell"] == "02"
    reply = await branch.submit("b", scene="collect_token")
    assert reply["code"] == "no_stock"
    branch.submitted.remove("b")
    assert told().count("door_forced") == 1
    await branch.verdict()
