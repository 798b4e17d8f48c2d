"""The pages in a real browser: two people settle a question, a second screen sees it happen, and nobody is shut out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route

from edge_agent.panel.pages.render import static
from edge_agent.people.roles import Trust
from tests.edge_agent.panel import staged
from tests.edge_agent.panel.asking import Panel
from tests.edge_agent.panel.browsing import browser, chromium, sign_in, tab_to
from tests.edge_agent.panel.lines import ASKED, FakeLines
from tests.edge_agent.panel.pages_asking import site
from tests.edge_agent.panel.served import served
from tests.edge_agent.panel.staged import ORDER
from tests.edge_agent.parts import Book
from tests.edge_agent.people.desk import GOOD, quick

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(chromium() is None, reason="no chromium here: BRANCHGATE_CHROMIUM names one"),
]
STILL: Any = {"reduced_motion": "reduce"}  # else colours are looked at while they change
AXE = Path(__file__).with_name("axe") / "axe.min.js"
WORDS = {
    "zh": ("未发生（须两人）", "已了结", "这一问题已不再等待决定", "实时", "此页不是最新", "登录已结束"),
    "en": ("it did not happen (two people)", "Settled", "no longer asked", "Live", "not up to date", "signed out"),
}


@dataclass(slots=True)
class Stage:
    """A branch that is served, and a browser before it."""

    book: Book
    panel: Panel
    site: str
    browser: Browser
    lines: FakeLines

    async def screen(self, name: str, lang: str = "zh", **options: Any) -> Page:
        """Somebody's own browser, signed in."""
        context = await self.browser.new_context(**STILL, **options)
        page = await context.new_page()
        page.set_default_timeout(20_000)
        await page.route("**/static/panel.js*", _without_regular_looks)
        await sign_in(page, self.site, name, lang)
        return page


async def _without_regular_looks(route: Route) -> None:
    """What is seen then is seen by the events alone."""
    script = static("panel.js")
    assert script is not None
    said = bytes(script.body).decode()
    assert "LOOK_MS = 15_000" in said
    await route.fulfill(body=said.replace("LOOK_MS = 15_000", "LOOK_MS = 1e9"), content_type="text/javascript")


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    quick(monkeypatch)
    async with staged.book_of(tmp_path) as book:
        panel = await site(book)
        object.__setattr__(panel.house, "twins", lambda: staged.twins("shut"))
        object.__setattr__(panel.house, "readings", staged.readings)
        lines = FakeLines()
        object.__setattr__(panel.house, "watching", lines.watching)
        await staged.day(book, panel)
        async with served(panel) as address, browser() as one:
            yield Stage(book, panel, address, one, lines)


async def live(page: Page) -> None:
    await page.wait_for_selector("#fresh[data-state=live]")


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_two_people_settle_by_keyboard_alone_and_a_second_screen_sees_it(stage: Stage, lang: str) -> None:
    choice, done, gone, is_live, *_ = WORDS[lang]
    page, other = await stage.screen("teller", lang), await stage.screen("supervisor", lang)
    await live(other)
    assert is_live in await other.inner_text("#fresh")
    stale = await stage.screen("hall_manager", lang)
    await stale.goto(f"{stage.site}/orders/{ORDER}/settle?choice=no_effect")
    await tab_to(page, f'a[href^="/orders/{ORDER}/settle?choice=no_effect"]')
    assert choice in await page.evaluate("document.activeElement.textContent")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("input[name=second_password]")
    await tab_to(page, "input[name=password]")
    await page.keyboard.type(GOOD)
    await page.keyboard.press("Tab")
    await page.keyboard.type("hall_manager")
    await page.keyboard.press("Tab")
    await page.keyboard.type("not this one")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".told:not(:empty)")
    await page.wait_for_function("document.activeElement.name === 'password'")
    await page.keyboard.type(GOOD)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.type(GOOD)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name=done).wait_for()
    await other.locator("#attention", has_text=ORDER).wait_for(state="hidden")
    await stale.wait_for_selector(".told:not(:empty)")
    assert gone in await stale.inner_text("form .told")
    event = stage.book.events("step.changed", order=ORDER)[-1]["data"]
    assert (event["by"], event["authenticated"]) == (["/people/teller", "/people/hall_manager"], True)


async def test_a_page_follows_over_a_restart_in_the_journals_order_and_says_when_it_does_not(stage: Stage) -> None:
    *_, is_live, is_stale, is_out = WORDS["zh"]
    page = await stage.screen("teller")
    await live(page)
    stage.panel.house.closing.set()  # all streams end, as when the agent goes
    await page.wait_for_selector("#fresh[data-state=stale]")
    await stage.book.submit("D-late-0", customer="x", **staged.QUIET)
    stage.panel.house.closing.clear()
    await live(page)
    await page.get_by_text("D-late-0").first.wait_for()
    await page.context.set_offline(True)
    await page.wait_for_selector("#fresh[data-state=stale]", timeout=30_000)
    assert is_stale in await page.inner_text("#fresh")
    await stage.book.submit("D-late-1", customer="x", **staged.QUIET)
    await stage.book.submit("D-late-2", customer="x", **staged.QUIET)
    await page.context.set_offline(False)
    await live(page)
    await page.get_by_text("D-late-2").first.wait_for()
    seqs = [int(one) for one in await page.locator("#latest .seq").all_inner_texts()]
    assert seqs == sorted(seqs, reverse=True)
    assert is_live in await page.inner_text("#fresh")
    stage.panel.people.staff.on_change("/people/teller")  # as after a restart: nobody is signed in any more
    await stage.book.submit("D-late-3", customer="x", **staged.QUIET)
    await page.wait_for_selector("#fresh[data-state=out]")
    assert is_out in await page.inner_text("#fresh")
    assert await page.get_attribute("#fresh a", "href") == "/sign-in?next=/"


async def test_an_answer_that_never_comes_is_not_told_as_a_failure(stage: Stage) -> None:
    page = await stage.screen("teller", "en")
    await page.goto(f"{stage.site}/orders/{ORDER}/settle?choice=failed")
    await page.route("**/settle", lambda route: route.abort())
    await page.fill("input[name=password]", GOOD)
    await page.press("input[name=password]", "Enter")
    await page.get_by_text("it is not known whether it was done").wait_for()
    await page.unroute("**/settle")
    await page.route("**/settle", lambda route: route.fulfill(status=429, body="{}"))
    await page.press("input[name=password]", "Enter")
    await page.fill("input[name=password]", GOOD)
    await page.press("input[name=password]", "Enter")
    await page.get_by_text("Not done (429)").wait_for()


SMALLEST = """() => Math.min(...[...document.querySelectorAll("body *")].filter((one) => one.checkVisibility() &&
  [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())).map((one) =>
  parseFloat(getComputedStyle(one).fontSize)))"""
CUT = """() => [document.documentElement, ...document.querySelectorAll("main, section")].filter((one) =>
  one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1).map((one) => one.outerHTML)"""


async def test_a_screen_on_the_wall_says_when_it_is_stale_comes_back_by_itself_and_goes_when_revoked(
    stage: Stage,
) -> None:
    staff, engineer = stage.panel.people.staff, stage.panel.people.actor("engineer")
    token = await staff.add_application(engineer, "hall", Trust.DISPLAY)
    page = await (await stage.browser.new_context(**STILL, viewport={"width": 1920, "height": 1080})).new_page()
    page.set_default_timeout(20_000)
    await page.goto(f"{stage.site}/wall")
    assert await _axe(page, []) == [], "where the token is given"
    await page.goto("about:blank")
    await page.goto(f"{stage.site}/wall#{token}")
    await live(page)
    assert token not in page.url
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert await _axe(page, []) == [], scheme
    assert await page.evaluate(SMALLEST) >= 32, "nobody reads it from three metres"
    assert await page.evaluate(CUT) == [], "nobody scrolls a wall"
    await page.context.set_offline(True)
    await page.wait_for_selector("#fresh[data-state=stale]", timeout=30_000)
    assert "不是最新" in await page.inner_text("#fresh")
    await stage.book.ask("order.cancel", {"reason": ""}, subject="D20260302-0108")
    await page.context.set_offline(False)
    await live(page)
    await page.locator("#waits b").nth(1).wait_for(state="detached")
    await staff.remove_application(engineer, "hall")
    await page.wait_for_selector("#fresh[data-state=out]")
    assert "已撤销" in await page.inner_text("#fresh")
    assert (await page.inner_text("main")).strip() == ""


TAP = "/machines/card-1/tap"
PAGES = (
    "/",
    "/orders",
    f"/orders/{ORDER}",
    f"/orders/{ORDER}/settle?choice=no_effect",
    "/machines",
    "/machines/cabinet-1",
    "/machines/cabinet-1/load",
    "/machines/screen-1/exercise",
    "/machines/card-1/exercise",
    TAP,
    "/clock",
    "/adopt",
    "/audit?prove=1",
    "/people",
    "/sign-in",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nobody_is_shut_out_of_any_page(stage: Stage, scheme: str) -> None:
    page = await stage.screen("supervisor", color_scheme=scheme)
    rules = [] if scheme == "light" else ["color-contrast"]  # the dark changes colours alone
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    for path in PAGES:
        await page.goto(stage.site + path)
        if path == TAP:
            await _frames_pass(stage, page)
        await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        await _fits_everybody(page, path, rules)
        if scheme == "light":
            assert await _not_reached(page) == [], path
    assert wrong == []
    await _what_is_refused_fits_everybody(stage, page, rules)


async def _frames_pass(stage: Stage, page: Page) -> None:
    """As they pass, with their bytes behind them; paused, nothing more is drawn and the line is let go."""
    await page.locator("#frames .gap").wait_for()
    await stage.lines.passes(ASKED, answer=b"\x06")
    frame = page.locator("#frames .write")
    await frame.wait_for()
    assert "单元 0：初始化，卡不动，回收计数" in await frame.inner_text()
    await frame.locator("summary").press("Enter")
    assert await frame.locator("code").inner_text() == ASKED.hex(" ").upper()
    await page.evaluate("document.getElementById('frames').dataset.most = 5")
    await stage.lines.passes(*[b"\x00"] * 9, answer=b"\x15")
    await page.get_by_text("NAK").wait_for()
    assert await page.locator("#frames li").count() == 5, "a page holds no more"
    await page.locator("#tap-pause").press("Enter")
    assert "已暂停" in await page.inner_text("#tap-state")
    async with asyncio.timeout(20):
        while stage.lines.is_tapped():  # noqa: ASYNC110 - the server hears by itself that the browser went
            await asyncio.sleep(0.02)


async def _what_is_refused_fits_everybody(stage: Stage, page: Page, rules: list[str]) -> None:
    """Errors in a form, and pages that tell why there is nothing else."""
    forms = {f"/orders/{ORDER}/settle?choice=no_effect": "", "/people": "form:has(input[value=disable]) "}
    for path, form in forms.items():
        await page.goto(stage.site + path)
        await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        await page.locator(form + "input[type=password]").first.fill("not this one")
        await page.locator(form + "input[type=password]").first.press("Enter")
        await page.wait_for_selector(".told:not(:empty)")
        await _fits_everybody(page, f"refused at {path}", rules)
    for path in ("/orders/none", f"/orders/{ORDER}/settle?choice=no_effect&attempt=past"):
        await page.goto(stage.site + path)
        await _fits_everybody(page, path, rules)
    await page.context.clear_cookies()
    await page.goto(f"{stage.site}/sign-in")
    await page.fill("input[name=name]", "teller")
    await page.fill("input[name=password]", "not this one")
    await page.press("input[name=password]", "Enter")
    await page.wait_for_selector(".told:not(:empty)")
    await _fits_everybody(page, "refused at /sign-in", rules)


async def _fits_everybody(page: Page, what: str, rules: list[str]) -> None:
    """On a large screen and on a phone."""
    for width in (1360, 390):
        await page.set_viewport_size({"width": width, "height": 900})
        found = await _axe(page, rules)
        assert found == [], (what, width, found)
        wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, f"{what} scrolls sideways at {width}"


async def _axe(page: Page, rules: list[str]) -> list[str]:
    """What axe-core finds, by all of its rules unless some are named.

    It is read into a world of its own: the page's policy lets nothing of it run in the page's.
    """
    async with asyncio.timeout(60):  # the protocol itself would wait for ever
        return await _axe_of(page, rules)


async def _axe_of(page: Page, rules: list[str]) -> list[str]:
    session = await page.context.new_cdp_session(page)
    tree = await session.send("Page.getFrameTree")
    world = await session.send("Page.createIsolatedWorld", {"frameId": tree["frameTree"]["frame"]["id"]})
    options = json.dumps({"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {}))
    script = f"{AXE.read_text('utf-8')};axe.run(document, {options}).then(r => JSON.stringify("
    script += "r.violations.map(v => v.id + ' ' + v.nodes.map(n => n.html).slice(0, 3).join(' '))))"
    asked = {"expression": script, "contextId": world["executionContextId"], "awaitPromise": True}
    answer = await session.send("Runtime.evaluate", {**asked, "returnByValue": True})
    await session.detach()
    told: list[str] = json.loads(answer["result"]["value"])
    return told


OTHERS = "[...globalThis.left].filter((one) => one.type === 'radio' && one.name === document.activeElement.name).length"


async def _not_reached(page: Page) -> list[str]:
    """What can be operated, and what Tab (arrows, within a choice of several) does not come to, or not visibly."""
    count = await page.evaluate(
        """() => {
          document.activeElement.blur();
          const wanted = "a[href], button, input, select, summary, [tabindex='0']";
          globalThis.left = new Set([...document.querySelectorAll(wanted)].filter((one) => one.checkVisibility()));
          addEventListener("focusin", ({ target }) => {
            if (getComputedStyle(target).outlineStyle !== "none") globalThis.left.delete(target);
          });
          return globalThis.left.size;
        }"""
    )
    for _ in range(count + 1):
        await page.keyboard.press("Tab")
        for _ in range(await page.evaluate(OTHERS)):
            await page.keyboard.press("ArrowDown")
    unseen: list[str] = await page.evaluate("[...globalThis.left].map((one) => one.outerHTML)")
    return unseen
