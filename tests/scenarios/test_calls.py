"""Calls on screens, with a real broker, agents and simulators that are processes of their own, and the power gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.machines import Machine
from tests.harness.scheduler import REACH_S

pytestmark = pytest.mark.process

A001 = "A001号到3号窗口"


def screens() -> list[Machine]:
    """A window's strip on a pty, a hall screen behind a TCP port, both refreshed often enough for a test."""
    often = {"observe_s": 0.5, "idle_poll_s": 0.5}
    window = {**often, "place": "3"}
    hall = {"width": 24, "height": 8, "calls": 4, "drain_s": 0.0}
    return [
        Machine("screen-3", "strip_screen", "window-screen", options={"boot": "READY"}, settings=window),
        Machine("hall", "bx6", "hall-screen", "tcp", {"boot": "READY", "rows": 4, "columns": 24}, hall, often),
    ]


def call(number: str) -> dict[str, Any]:
    return {"scene": "call_ticket", "parameters": {"number": number, "window": "3"}}


async def until_lit(branch: Branch, device: str, first: str) -> None:
    """What a person in the hall sees on top, sooner or later."""
    async with asyncio.timeout(REACH_S), branch.machines[device].control() as control:
        while (await control.state())["shows"][:1] != [first]:  # noqa: ASYNC110 - glass tells nobody that it was lit
            await asyncio.sleep(0.05)


async def test_calls_are_shown_survive_the_agents_death_and_come_back_with_the_power(make_branch: BranchMaker) -> None:
    branch = await make_branch(card=False, others=screens())
    await branch.start_agent()
    await branch.born()
    assert await branch.serve("o-1", **call("A001")) == "completed"
    await until_lit(branch, "screen-3", A001)
    await until_lit(branch, "hall", "请A001号到3号窗口")
    assert branch.heard.steps["o-1", "window"]["facts"]["evidence"] == "sent"

    for device in ("screen-3", "hall"):  # the hall goes dark for a moment, while nobody is there to see it
        await branch.machines[device].fault("power_loss", off_s=0)
    await until_lit(branch, "screen-3", A001)
    await until_lit(branch, "hall", "请A001号到3号窗口")

    assert branch.agent is not None
    await branch.agent.kill()
    for device in ("screen-3", "hall"):
        await branch.machines[device].fault("power_loss", off_s=0)
    await branch.start_agent()
    await branch.born()
    await until_lit(branch, "screen-3", A001)
    await until_lit(branch, "hall", "请A001号到3号窗口")

    await branch.machines["hall"].fault(
        "silence", count=1, executes=False
    )  # an answer is lost: to the call, or to a look before it
    assert await branch.serve("o-2", **call("A002")) == "completed"
    await until_lit(branch, "hall", "请A002号到3号窗口")
    await until_lit(branch, "screen-3", "A002号到3号窗口")
    report = await branch.verdict()
    assert report.acts == {}
    assert (branch.folder / "screens" / "screen-3.txt").read_text("utf-8") == "A002号到3号窗口\n"
    assert (branch.folder / "screens" / "hall.png").read_bytes()[:4] == b"\x89PNG"
