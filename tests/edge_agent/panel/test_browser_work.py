"""The main work of each page in a real browser, by keyboard alone, in both languages: one supervisor's morning."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from edge_agent.people.roles import Role
from edge_agent.texts import Texts
from tests.edge_agent.panel import staged
from tests.edge_agent.panel.asking import Panel
from tests.edge_agent.panel.browsing import browser, chromium, tab_to
from tests.edge_agent.panel.pages_asking import site
from tests.edge_agent.panel.served import served
from tests.edge_agent.people.desk import GOOD, quick

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(chromium() is None, reason="no chromium here: BRANCHGATE_CHROMIUM names one"),
]
BAD = "not this one"
ORDER, CUSTOMER = "D20260302-0108", "KH-44108-1200"


@dataclass(slots=True)
class Hands:
    """Somebody at a keyboard; there is no mouse."""

    page: Page
    site: str
    t: Texts

    async def to(self, wanted: str) -> None:
        await tab_to(self.page, wanted)

    async def press(self, wanted: str) -> None:
        await self.to(wanted)
        await self.page.keyboard.press("Enter")

    async def write(self, *texts: str) -> None:
        """One field after another, then Enter."""
        for n, text in enumerate(texts):
            if n:
                await self.page.keyboard.press("Tab")
            await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")

    async def read(self, text: str) -> None:
        await self.page.get_by_text(text).first.wait_for()

    async def open(self, name: str) -> None:
        """A page, by its tab."""
        path = "/" if name == "now" else f"/{name}"
        await self.press(f'nav a[href="{path}"]')
        await self.page.locator("h1", has_text=self.t(f"panel.{name}")).wait_for()

    async def come(self, name: str, password: str = GOOD) -> None:
        await self.page.goto(f"{self.site}/sign-in?lang={self.t.lang}")
        await self.to("input[name=name]")
        await self.write(name, password)

    async def is_told(self, key: str, **places: object) -> None:
        await self.page.locator("main .told", has_text=self.t(f"people.{key}", **places)).wait_for()


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    async with staged.book_of(tmp_path) as book:
        panel = await site(book)
        object.__setattr__(panel.house, "twins", staged.twins)
        await staged.day(book, panel)
        yield panel


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_a_morning_by_keyboard_alone(panel: Panel, lang: str) -> None:
    async with served(panel) as address, browser() as one:
        chief, auditor = [await _hands(one, address, lang) for _ in range(2)]
        await chief.come("supervisor")
        await chief.page.wait_for_selector("#fresh[data-state=live]")
        await _is_locked_out(panel, auditor)
        await chief.read(chief.t("panel.notice_locked"))
        await _unlocks_and_adds(panel, chief)
        await auditor.come("auditor")
        await auditor.page.wait_for_selector("#attention")
        await _audits(auditor)
        await _holds_an_order(panel, chief)
        await chief.open("machines")
        await chief.press('main a[href="/machines/cabinet-1"]')
        await chief.page.locator("tr", has_text="UK-7708").wait_for()


async def _hands(one: Browser, address: str, lang: str) -> Hands:
    page = await (await one.new_context()).new_page()
    page.set_default_timeout(20_000)
    return Hands(page, address, Texts(lang))


async def _is_locked_out(panel: Panel, hands: Hands) -> None:
    """Three failures are free, then the wait doubles; ten lock, also for who knows the password by then."""
    wall = panel.people.book.wall
    stopped = wall.follow()
    wall.follow = lambda: stopped
    for seconds in (0, 0, 1, 2):
        await hands.come("auditor", BAD)
        await hands.is_told("wrong_credentials")
        if seconds:
            await hands.come("auditor")
            await hands.is_told("too_soon", seconds=seconds)
        wall.seconds += seconds + 1
    for seconds in (4, 8, 16, 32, 64, 0):
        assert await panel.people.enters("auditor", BAD) == "wrong_credentials"
        wall.seconds += seconds + 1
    await hands.come("auditor")
    await hands.is_told("locked")


async def _unlocks_and_adds(panel: Panel, hands: Hands) -> None:
    staff = panel.people.staff
    await hands.open("people")
    await hands.press("li:has(input[value=auditor]) summary")
    await hands.to("li:has(input[value=auditor]) form:has(input[value=unlock]) input[name=own]")
    await hands.write(GOOD)
    await hands.read(hands.t("panel.done_people", name="auditor"))
    await hands.open("people")
    await hands.to("form:has(input[value=add]) input[name=name]")
    await hands.page.keyboard.type("wang.li")
    await hands.to("form:has(input[value=add]) select")
    for _ in range(list(Role).index(Role.ENGINEER)):
        await hands.page.keyboard.press("ArrowDown")
    await hands.page.keyboard.press("Tab")
    await hands.write("another horse", BAD)
    await hands.is_told("wrong_credentials")
    await hands.to("form:has(input[value=add]) input[name=password]")
    await hands.write("another horse", GOOD)
    await hands.read(hands.t("panel.done_people", name="wang.li"))
    assert staff.register.get("wang.li").role is Role.ENGINEER


async def _audits(hands: Hands) -> None:
    await hands.open("audit")
    await hands.press('a[href="/audit?prove=1"]')
    await hands.page.wait_for_selector("section .hash")
    await hands.to("input[name=act]")
    await hands.write("people.unlock")
    rows = hands.page.locator("tbody tr")
    await rows.filter(has_text="auditor").wait_for()
    assert await rows.count() == 1


async def _holds_an_order(panel: Panel, hands: Hands) -> None:
    await hands.open("orders")
    await hands.to("input[name=q]")
    await hands.write(CUSTOMER)
    await hands.page.wait_for_url("**q=KH*")
    assert await hands.page.locator("tbody tr").count() == 1
    await hands.press(f'th a[href="/orders/{ORDER}"]')
    await hands.page.locator("h1", has_text=ORDER).wait_for()
    await hands.press(f'form[action="/orders/{ORDER}/hold"] button')
    await hands.read(hands.t("panel.done_hold", order=ORDER))
    assert panel.people.book.order(ORDER).held
