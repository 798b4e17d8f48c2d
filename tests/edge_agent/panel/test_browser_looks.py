"""What a real browser makes of the pages: names as they are written, and nothing to be pushed sideways on a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from edge_agent.people.roles import Trust
from tests.edge_agent.panel import staged
from tests.edge_agent.panel.browsing import browser, chromium, sign_in
from tests.edge_agent.panel.pages_asking import site
from tests.edge_agent.panel.served import served
from tests.edge_agent.people.desk import quick

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(chromium() is None, reason="no chromium here: BRANCHGATE_CHROMIUM names one"),
]
STORE = {"type": "dispense", "status": "ok", "replenishmentStatus": "low", "count": 1}
PHONE: Any = {"width": 390, "height": 780}


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, Browser, Any]]:
    quick(monkeypatch)
    async with staged.book_of(tmp_path) as book:
        panel = await site(book)
        object.__setattr__(panel.house, "twins", lambda: staged.twins("shut"))
        await staged.day(book, panel)
        await book.submit("lower-case-1", customer="KH-1", **staged.QUIET)
        async with served(panel) as address, browser() as one:
            yield address, one, panel


async def test_an_order_is_called_as_it_is_written(stage: tuple[str, Browser, Any]) -> None:
    address, one, _ = stage
    page = await one.new_page()
    await sign_in(page, address, "supervisor", "en")
    await page.goto(f"{address}/orders")
    first = "one => getComputedStyle(one, '::first-letter').textTransform"
    assert await page.locator("tbody th", has_text="lower-case-1").evaluate(first) == "none"
    assert await page.locator("thead th").first.evaluate(first) == "uppercase"


@pytest.mark.parametrize("path", ["/", "/orders", "/machines/cabinet-1", "/machines/cabinet-1/load", "/audit"])
@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_nothing_is_pushed_sideways_on_a_phone(stage: tuple[str, Browser, Any], lang: str, path: str) -> None:
    address, one, _ = stage
    page = await (await one.new_context(viewport=PHONE)).new_page()
    await sign_in(page, address, "supervisor", lang)
    await page.goto(address + path)
    wide = """() => [document.documentElement, ...document.querySelectorAll('.scroll')]
        .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.className || one.tagName)"""
    assert await page.evaluate(wide) == []


def crowd(count: int) -> dict[str, Any]:
    """Twins of a branch with many machines, each with much to tell."""
    many = staged.twins("shut")
    for n in range(count):
        name = f"dispenser-in-the-hall-{n:02}"
        more = {"reason": "card_jam", "lane": "shut", "storage": {"stacker": STORE, "errorBin": STORE}}
        many[name] = {"device": name, "kind": "crt591", "role": "x", "state": "hardwareError", **more}
    return many


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768), (1080, 1920)])
async def test_what_a_wall_has_no_room_for_is_counted_and_nothing_is_cut(
    stage: tuple[str, Browser, Any], size: tuple[int, int]
) -> None:
    address, one, panel = stage
    object.__setattr__(panel.house, "twins", lambda: crowd(14))
    token = await panel.people.staff.add_application(panel.people.actor("engineer"), "hall", Trust.DISPLAY)
    page = await (await one.new_context(viewport={"width": size[0], "height": size[1]})).new_page()
    await page.goto(f"{address}/wall?lang=en#{token}")
    await page.wait_for_selector("#fresh[data-state=live]")
    cut = "() => [...document.querySelectorAll('section')].filter(s => s.scrollHeight > s.clientHeight + 1).length"
    for width, height in (size, (size[0], size[1] * 3 // 4)):
        await page.set_viewport_size({"width": width, "height": height})
        await page.wait_for_function(f"() => ({cut})() === 0")
        told = await page.locator("#floor .more").inner_text()
        assert await page.locator("#floor .tile:visible").count() + int(told.split()[1]) == len(crowd(14)), told
