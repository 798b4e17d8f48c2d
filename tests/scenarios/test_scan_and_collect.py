"""扫码识别·柜面交付: the customer scans at the branch and the machine hands over, whatever scanner and agent suffer."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.machines import Machine
from tests.harness.scheduler import Json

pytestmark = pytest.mark.process
# Longer than a box may let nobody run: what is shown again meanwhile is the same scan.
SCANNER = Machine("scanner-1", "scanner", "scanner", profile={"repeat_s": 60.0})
TRIES = 60
SCANNED = "branchgate.code.scanned.v1"


def hash_of(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def scans(branch: Branch) -> list[Json]:
    """Each once: what was under way when the agent was killed comes again."""
    told = {event["id"]: event["data"] for event in branch.heard.events if event["type"] == SCANNED}
    return list(told.values())


async def order(branch: Branch, name: str, code: str | None, **words: Any) -> Json:
    data: Json = {"scene": "collect_card_by_code", "parameters": {"take_s": 5}, **words}
    data |= {"code_sha256": hash_of(code)} if code else {}
    branch.submitted.append(name)
    return await branch.scheduler.instruct(branch.scheduler.envelope(branch.name, "order.submit", data, subject=name))


async def scan(branch: Branch, code: str, results: int) -> Json:
    """Shows it, and again while nothing comes of it, as a customer does; the newest of so many results."""
    for _ in range(TRIES):
        await branch.machines["scanner-1"].request("scan", code=code)
        try:
            async with asyncio.timeout(3):
                await branch.heard.until(lambda: len(scans(branch)) >= results, "a scan")
            return scans(branch)[-1]
        except TimeoutError:
            continue
    raise AssertionError(f"{code} was shown {TRIES} times and never told")


@pytest.mark.rule("ORD-14")
async def test_a_customer_scans_and_collects(make_branch: BranchMaker) -> None:
    """A scanner that repeats, a stranger's code that the centre knows, an agent that is killed in between."""
    branch: Branch = await make_branch(others=[SCANNER])
    await branch.start_agent()
    await branch.born()
    assert (await order(branch, "a", "PICKUP-4417"))["status"] == "accepted"
    assert (await order(branch, "b", None))["status"] == "accepted"
    await branch.machines["scanner-1"].fault("repeat", times=3, every_s=0.2)
    assert (await scan(branch, "PICKUP-4417", 1))["result"] == "released"
    assert await branch.settled("a") == "completed"
    assert len(scans(branch)) == 1
    asked = await scan(branch, "APP-SESSION-77", 2)
    assert (asked["result"], asked["shown"], "order" in asked) == ("unknown", "N-77", False)
    assert branch.agent is not None
    await branch.agent.kill()
    await branch.start_agent()
    await branch.born(2)
    answer = branch.scheduler.envelope(branch.name, "code.resolve", {"scan": asked["scan"], "order": "b"})
    assert (await branch.scheduler.instruct(answer))["status"] == "accepted"
    assert await branch.settled("b") == "completed"
    late = await scan(branch, "PICKUP-4417", 3)
    assert (late["result"], late["order"], late["state"]) == ("ended", "a", "completed")
    report = await branch.verdict()
    assert report.acts == {"card_drawn": 2, "card_presented": 2}
    log = "".join(path.read_text() for path in branch.folder.glob("agent-*.log"))
    assert "PICKUP" not in log
    assert "PICKUP" not in str(branch.heard.events)
