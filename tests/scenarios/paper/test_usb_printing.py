"""Receipts through a USB plug, by the whole agent: printed with proof, unplugged in mid-job, killed in mid-job."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.matrix import Scene, Tell, each, run_matrix
from tests.harness.printing import by_person, names_on, printer, receipt
from tests.scenarios.paper.test_printing_kills import judge

pytestmark = pytest.mark.process

ONE_WAY = {"usb": {"interfaces": [{"kind": [7, 1, 1], "bulk_in": None}]}}


async def begun(make_branch: BranchMaker, *machines: Any, **words: Any) -> Branch:
    branch: Branch = await make_branch(others=machines or (printer(line="usb"),), **words)
    await branch.start_agent()
    await branch.born()
    return branch


@pytest.mark.rule("ORD-10")
async def test_a_card_and_its_receipt_and_a_receipt_alone(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch)
    assert branch.machines["receipt-1"].device_address.startswith("usb://04b8:0e15?bus=simulated:127.0.0.1:")
    assert await branch.serve("o-1") == "completed"
    assert await branch.serve("o-2", **receipt("one line")) == "completed"
    report = await branch.verdict()
    assert report.acts == {"card_drawn": 1, "card_presented": 1, "sheet_out": 2}
    assert branch.heard.steps["o-1", "receipt"]["facts"]["evidence"] == "printed"
    told = [twin["data"].get("identity", {}).get("portMdl") for twin in branch.heard.twins]
    assert "TM-T88VI" in told


@pytest.mark.rule("ORD-10")
async def test_a_one_way_printers_receipt_is_told_as_sent(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch, printer(line="usb", options=ONE_WAY), card=False)
    assert await branch.serve("o-1", **receipt("one line")) == "completed"
    assert branch.heard.steps["o-1", "print"]["facts"]["evidence"] == "sent"
    await branch.until_ledger("sheet_out")
    assert (await branch.verdict()).acts == {"sheet_out": 1}


@pytest.mark.rule("ORD-9")
@pytest.mark.rule("ORD-10")
async def test_unplugged_in_mid_job_and_plugged_in_again(make_branch: BranchMaker) -> None:
    doubted: list[bool] = []
    await each([partial(unplug, make_branch, doubted, at, for_s) for at in (1, 4, 8) for for_s in (0.3, 2.0)])
    assert any(doubted)


async def unplug(make_branch: BranchMaker, doubted: list[bool], line: int, for_s: float) -> None:
    pull = {"at": f"{line}th line", "fault": "unplug", "args": {"for_s": for_s}}
    branch = await begun(make_branch, printer(line="usb", faults=[pull], profile={"max_chunk_bytes": 512}), card=False)
    async with branch.closing():
        state = await branch.serve("o-100", **receipt("of o-100"))
        doubted.append(state == "needs_attention")
        if doubted[-1]:
            state = await by_person(branch, "o-100")
        assert state == "completed"
        assert await branch.serve("o-200", **receipt("of o-200")) == "completed"
        await branch.verdict()
        assert names_on(branch, "o-100/print/1") <= 1


KILLED = Scene(
    "usb receipt", {"others": (printer(line="usb"),), "card": False}, receipt("of o-100"), receipt("of o-200"),
    "completed", None, None, by_person, ("o-100", "o-200"),
)  # fmt: skip
STEP = 12


@pytest.mark.rule("ORD-4")
@pytest.mark.rule("ORD-9")
@pytest.mark.rule("ORD-10")
async def test_killed_in_mid_job_the_plug_is_claimed_again(make_branch: BranchMaker, tell: Tell) -> None:
    tally = await run_matrix(make_branch, KILLED, tell, when="before", step=STEP)
    judge(tally)
    assert tally.kills >= tally.operations // STEP // 2, f"most plans must strike, or nothing was proved: {tally}"
