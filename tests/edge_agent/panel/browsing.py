"""Chromium, to look at a panel that is served.

Knows Playwright and where Debian puts its browser; what is looked at is the test's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator

from playwright.async_api import Browser, Page, async_playwright

from tests.edge_agent.people.desk import GOOD


def chromium() -> str | None:
    """BRANCHGATE_CHROMIUM, else what is on PATH."""
    return os.environ.get("BRANCHGATE_CHROMIUM") or shutil.which("chromium")


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        args = ["--no-sandbox", "--disable-dev-shm-usage"]
        one = await playwright.chromium.launch(executable_path=chromium(), args=args)
        try:
            yield one
        finally:
            await one.close()


async def sign_in(page: Page, site: str, name: str, lang: str = "zh") -> None:
    await page.goto(f"{site}/sign-in?lang={lang}")
    await page.fill("input[name=name]", name)
    await page.fill("input[name=password]", GOOD)
    await page.press("input[name=password]", "Enter")
    await page.wait_for_selector("#attention")


async def tab_to(page: Page, wanted: str) -> None:
    """By Tab alone, to what the selector names."""
    for _ in range(200):
        await page.keyboard.press("Tab")
        if await page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"Tab does not come to {wanted}")
