"""Machine and agent lose their power in mid-act: what is in doubt then is settled by two people at the panel."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Page

from edge_agent.console.door import hand_in
from edge_agent.people.code import OneTimeCode
from tests.conftest import BranchMaker
from tests.edge_agent.panel.browsing import browser, chromium, sign_in
from tests.edge_agent.people.desk import GOOD
from tests.harness.branch import Branch
from tests.harness.crash import Plan
from tests.harness.scheduler import REACH_S
from tests.ports import free_port

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(chromium() is None, reason="no chromium here: BRANCHGATE_CHROMIUM names one"),
]
CUT = {"at": "1st motion", "fault": "power_loss", "args": {"at_fraction": 0.1, "off_s": 0.3}}
DRAW = "f2 00 00 03 43 32 31 03 b2"  # devices.md §2.1, vector 7


@pytest.mark.rule("ORD-6")
async def test_a_doubt_of_machine_and_agent_at_once_is_settled_by_two_at_the_panel(make_branch: BranchMaker) -> None:
    port = free_port()
    branch: Branch = await make_branch(faults=[CUT], config=f'[panel]\nlisten = "127.0.0.1:{port}"\n')
    site = f"http://127.0.0.1:{port}"
    async with branch.closing(), browser() as one:
        agent = await branch.start_agent(Plan(when="after", frame=DRAW))
        await branch.born()
        await _people(branch)
        page, other = [await (await one.new_context()).new_page() for _ in range(2)]
        await _come_in(page, site, "chief")
        await _come_in(other, site, "li")
        submitted = asyncio.create_task(branch.submit("a"))  # its reply may have died with the agent
        await agent.wait()
        assert branch.acts() == [], "the power went before the card had left its hopper"
        await page.wait_for_selector("#fresh[data-state=stale]")
        await branch.start_agent()
        assert (await submitted)["status"] == "accepted"
        for screen, name in ((page, "chief"), (other, "li")):
            await screen.wait_for_selector("#fresh[data-state=out]", timeout=REACH_S * 1000)
            await screen.locator("#fresh a").click()
            await _enter(screen, name)
        await other.wait_for_selector("#fresh[data-state=live]")

        await (
            page.locator(".ask", has_text="a")
            .get_by_role("link", name="未发生（须两人）")
            .click(timeout=REACH_S * 1000)
        )
        await page.fill("input[name=password]", GOOD)
        await page.fill("input[name=second_name]", "li")
        await page.fill("input[name=second_password]", GOOD)
        assert branch.acts() == [], "nothing moves before people have decided"
        await page.get_by_role("button", name="确认").click()
        await page.get_by_role("heading", name="已了结").wait_for()
        await other.locator("#attention .ask").wait_for(state="detached")
        await other.goto(f"{site}/orders/a")
        await other.get_by_text("chief、li（各凭密码）").first.wait_for()
        await other.locator("h1", has_text="已完成").wait_for(timeout=REACH_S * 1000)
        assert branch.acts() == ["card_drawn", "card_presented"]
        await branch.verdict()
        told = sorted({event["data"]["seq"] for event in branch.heard.events if event.get("subject") == "a"})
        await other.locator(".story .seq", has_text=str(told[-1])).wait_for()
        shown = [int(seq) for seq in await other.locator(".story .seq").all_inner_texts()]
        assert shown == told, "each of its events, in the journal's order, those of before the kill too"


async def _come_in(page: Page, site: str, name: str) -> None:
    page.set_default_timeout(REACH_S * 1000)
    await sign_in(page, site, name)
    await page.wait_for_selector("#fresh[data-state=live]")


async def _enter(page: Page, name: str) -> None:
    await page.fill("input[name=name]", name)
    await page.fill("input[name=password]", GOOD)
    await page.press("input[name=password]", "Enter")
    await page.wait_for_selector("#attention")


async def _people(branch: Branch) -> None:
    """The first supervisor by the one-time code, and a teller whom she adds."""
    folder = branch.folder / "data"
    chief = {"name": "chief", "password": GOOD}
    await _at_the_door(branch, {"wish": "people.set_up", "code": OneTimeCode(folder).kept(), **chief})
    await _at_the_door(branch, {"wish": "people.add", "by": chief, "name": "li", "role": "teller", "password": GOOD})


async def _at_the_door(branch: Branch, wish: dict[str, Any]) -> None:
    reply = await asyncio.to_thread(hand_in, branch.folder / "data", json.dumps(wish).encode())
    assert "problem" not in reply, reply
