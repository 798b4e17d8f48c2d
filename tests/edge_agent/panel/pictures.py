"""Every page of the panel as a picture: `python -m tests.edge_agent.panel.pictures FOLDER`.

Knows which pages there are; the branch on them is staged.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from edge_agent.panel.branch import Link
from edge_agent.people.roles import Trust
from tests.edge_agent.panel import staged
from tests.edge_agent.panel.browsing import browser, sign_in
from tests.edge_agent.panel.lines import ASKED, FakeLines
from tests.edge_agent.panel.pages_asking import site
from tests.edge_agent.panel.served import served
from tests.edge_agent.panel.staged import ORDER
from tests.edge_agent.people.desk import quick

PAGES = {
    "now": "/",
    "orders": "/orders",
    "order": f"/orders/{ORDER}",
    "settle": f"/orders/{ORDER}/settle?choice=no_effect",
    "machines": "/machines",
    "machine": "/machines/card-1",
    "load": "/machines/cabinet-1/load",
    "exercise": "/machines/screen-1/exercise",
    "audit": "/audit?prove=1",
    "people": "/people",
}


async def draw(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as there:
        quick(patch)
        async with staged.book_of(Path(there)) as book:
            panel = await site(book)
            object.__setattr__(panel.house, "twins", lambda: staged.twins("shut"))
            object.__setattr__(panel.house, "readings", staged.readings)
            lines = FakeLines()
            object.__setattr__(panel.house, "watching", lines.watching)
            object.__setattr__(panel.house, "probe", _looked)
            await staged.day(book, panel)
            token = await panel.people.staff.add_application(panel.people.actor("engineer"), "hall", Trust.DISPLAY)
            object.__setattr__(panel.house, "link", lambda: Link(connected=True))
            async with served(panel) as address, browser() as one:
                await _draw(one, address, token, folder)
                page = await _screen(one, address, "zh", "light", 1360)
                await page.goto(f"{address}/machines/card-1/tap")
                await page.locator("#frames .gap").wait_for()
                await lines.passes(ASKED, answer=b"\x06")
                await page.locator("#frames .read").wait_for()
                await page.locator("#frames .write summary").click()
                await _keep(page, folder / "tap.zh.png")


async def _looked(_device: str) -> None:
    """The button is there; nobody presses it."""


async def _draw(one: Browser, address: str, token: str, folder: Path) -> None:
    page = await _screen(one, address, "zh", "light", 1360)
    for name, path in PAGES.items():
        await page.goto(address + path)
        await _keep(page, folder / f"{name}.zh.png")
    page = await _screen(one, address, "en", "dark", 1360)
    for name in ("now", "order"):
        await page.goto(address + PAGES[name])
        await _keep(page, folder / f"{name}.en.dark.png")
    page = await _screen(one, address, "zh", "light", 390)
    await _keep(page, folder / "now.zh.phone.png")
    for lang, scheme in (("zh", "light"), ("en", "dark")):
        page = await _wall(one, address, token, lang, scheme)
        await page.screenshot(path=folder / f"wall.{lang}.{scheme}.png", animations="disabled")
    page = await (await one.new_context(viewport={"width": 1360, "height": 600})).new_page()
    await page.goto(f"{address}/sign-in?lang=zh")
    await _keep(page, folder / "sign-in.zh.png")


async def _wall(one: Browser, address: str, token: str, lang: str, scheme: str) -> Page:
    dark = "dark" if scheme == "dark" else "light"
    context = await one.new_context(viewport={"width": 1920, "height": 1080}, color_scheme=dark)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{address}/wall?lang={lang}#{token}")
    await page.wait_for_selector("#fresh[data-state=live]")
    return page


async def _screen(one: Browser, address: str, lang: str, scheme: str, width: int) -> Page:
    dark = "dark" if scheme == "dark" else "light"
    context = await one.new_context(viewport={"width": width, "height": 600}, color_scheme=dark)  # type: ignore[arg-type]
    page = await context.new_page()
    await sign_in(page, address, "supervisor", lang)
    return page


async def _keep(page: Page, file: Path) -> None:
    if await page.locator("#fresh").count() and await page.locator("body[data-follow], body[data-watch]").count():
        await page.wait_for_selector("#fresh[data-state=live]")
    await page.screenshot(path=file, full_page=True, animations="disabled")


if __name__ == "__main__":
    wanted = Path(sys.argv[1])
    wanted.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw(wanted))
