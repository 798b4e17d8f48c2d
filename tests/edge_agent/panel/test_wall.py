"""The screen on the wall: by its own token alone, with nothing of anybody on it, over restarts, gone when revoked."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.audit.proof import Wanted, rows
from edge_agent.panel.branch import Link
from edge_agent.panel.pages.now import House
from edge_agent.panel.pages.wall import MOST_MACHINES, MOST_NOTICES, wall
from edge_agent.people.register import PeopleRefused
from edge_agent.people.roles import MAY, Right, Role, Trust
from edge_agent.people.signing_in import LOCKED_AT, LONGEST_S
from tests.edge_agent.panel import staged
from tests.edge_agent.panel.asking import Panel, Reader
from tests.edge_agent.panel.pages_asking import Browser, site
from tests.edge_agent.panel.staged import ORDER
from tests.edge_agent.panel.test_pages import text
from tests.edge_agent.parts import Book
from tests.edge_agent.people.desk import GOOD, quick

PLANTED = ("KH-3310-7742", ORDER, "D20260302-0108", "UK-7704", "UK-7708", "zhang", "张伟", "teller", "collect_card")


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        panel = await site(book)
        object.__setattr__(panel.house, "twins", lambda: staged.twins("shut"))
        await book.submit(ORDER, customer="KH-3310-7742", parameters={"receipt": False})
        await staged.doubt(book)
        await book.submit("D20260302-0108", customer="KH-44108-1200", parameters={"receipt": False})
        yield panel


async def screen(panel: Panel, name: str = "hall") -> Browser:
    """A browser that was given a display's token."""
    token = await panel.people.staff.add_application(panel.people.actor("engineer"), name, Trust.DISPLAY)
    browser = Browser(panel)
    answer = await browser.form("/wall", token=f" {token}\n")
    assert (answer.status, answer.headers["location"]) == (303, "/wall#")
    return browser


async def test_a_display_shows_what_needs_people_machines_lanes_and_the_link(panel: Panel) -> None:
    browser = await screen(panel)
    shown = text(await browser.get("/wall"))
    for told in (
        "从卡箱取卡 · 无应答",
        "待处理",
        "需人工",
        "通道已关",
        "1 个订单在等",
        "纸张 不足，请补充",
        "A08",
    ):
        assert told in shown, told
    assert "与中心断开" in (await browser.get("/wall")).body.decode()
    object.__setattr__(panel.house, "link", lambda: Link(connected=True))
    assert "中心已连接" in (await browser.get("/wall")).body.decode()
    assert "centre connected" in (await browser.get("/wall?lang=en")).body.decode()


FOREIGN = r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:|(?:src|href|action)=\"(?:https?:)?//"


@pytest.mark.parametrize(("lang", "signed"), [("zh", True), ("en", True), ("zh", False), ("en", False)])
async def test_the_wall_runs_nothing_foreign_and_speaks_one_language(panel: Panel, lang: str, signed: bool) -> None:
    browser = await screen(panel) if signed else Browser(panel)
    answer = await browser.get(f"/wall?lang={lang}")
    html, policy = answer.body.decode(), answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(FOREIGN, html)
    assert f'lang="{"zh-CN" if lang == "zh" else "en"}"' in html
    assert (re.search(r"[\u4e00-\u9fff]", text(answer)) is not None) == (lang == "zh"), text(answer)


async def test_nothing_of_anybody_is_on_the_wall_nor_in_its_stream(panel: Panel) -> None:
    book, staff = panel.people.book, panel.people.staff
    await staff.add(panel.people.actor("supervisor"), "zhang.wei", Role.TELLER, GOOD, "张伟")
    for _ in range(LOCKED_AT):
        book.wall.seconds += LONGEST_S
        await panel.people.enters("zhang.wei", "wrong password")
    browser = await screen(panel)
    page = (await browser.get("/wall")).body.decode()
    assert "登录失败过多，已锁定" in page
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    async with Reader(panel, {"cookie": cookie}, "after=0", "/wall/events") as reader:
        told = [await reader.next() for _ in range(book.look(lambda tx: tx.last_seq()))]
    assert [one["data"] for one in told] == [{}] * len(told)
    assert told[-1]["id"] == f"{book.journal.id}-{len(told)}"
    found = [word for word in PLANTED if word in page or any(word in str(one) for one in told)]
    assert found == []


async def test_a_display_opens_the_wall_and_nothing_else(panel: Panel) -> None:
    browser = await screen(panel)
    token = browser.cookies["branchgate_wall"]
    for address in ("/", "/orders", "/machines", "/audit"):
        assert (await browser.get(address)).status == 303, address
    for path in ("/orders", "/devices", "/events", "/audit"):
        assert (await panel.ask("GET", path, authorization=f"Bearer {token}")).status == 403, path
        assert (await panel.ask("GET", path, cookie=f"branchgate={token}")).status == 401, path
    assert MAY[Trust.DISPLAY] == {Right.WALL}


@pytest.mark.parametrize("who", ["nobody", "wrong", "reader", "session"])
async def test_whoever_is_no_display_sees_only_where_to_give_a_token(panel: Panel, who: str) -> None:
    browser = await Browser.of(panel, "supervisor" if who == "session" else "")
    if who in ("wrong", "reader"):
        token = await panel.token(Trust.READER) if who == "reader" else "bg_wrong"
        answer = await browser.form("/wall", token=token)
        assert (answer.status, "set-cookie" in answer.headers) == (401, False)
        browser.cookies["branchgate_wall"] = token
    answer = await browser.get("/wall")
    assert answer.status == 401
    assert "令牌" in text(answer)
    assert "card-1" not in answer.body.decode()
    assert (await browser.get("/wall/events")).status == 401


async def test_another_site_makes_no_browser_a_display(panel: Panel) -> None:
    token = await panel.people.staff.add_application(panel.people.actor("engineer"), "hall", Trust.DISPLAY)
    browser = Browser(panel)
    kind = {"content-type": "application/x-www-form-urlencoded", "origin": "http://elsewhere"}
    answer = await browser._ask("POST", "/wall", f"token={token}".encode(), kind)
    assert (answer.status, "set-cookie" in answer.headers) == (403, False)


async def test_a_restart_shuts_no_screen_off_and_its_cookie_is_renewed(panel: Panel) -> None:
    browser = await screen(panel)
    cookie = (await browser.get("/wall")).headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/wall", "max-age=34560000"))
    await panel.people.book.restart()
    browser.panel = await site(panel.people.book)
    panel.people.book.wall.seconds += 30 * 86400
    assert (await browser.get("/wall")).status == 200


@pytest.mark.parametrize("door", ["people page", "staff"])
async def test_a_token_that_is_taken_away_ends_page_and_stream_and_both_are_audited(panel: Panel, door: str) -> None:
    browser, book = await screen(panel), panel.people.book
    cookie = f"branchgate_wall={browser.cookies['branchgate_wall']}"
    async with Reader(panel, {"cookie": cookie}, "after=0", "/wall/events") as reader:
        await reader.next()
        if door == "staff":
            await panel.people.staff.remove_application(panel.people.actor("engineer"), "hall")
        else:
            chief = await Browser.of(panel, "supervisor")
            assert (await chief.send("/people", wish="revoke", name="hall", own=GOOD)).status == 200
        while "event" not in (last := await reader.next()):
            pass
        assert (last["event"], last["data"]) == ("end", {"reason": "revoked"})
    assert (await browser.get("/wall")).status == 401
    acts = [(row["act"], row["what"]) for row in rows(book.folder, Wanted(20))]
    told = [act for act, what in acts if what == "/applications/hall"]
    assert told == ["applications.add", "wall.begin", "applications.remove"]


async def test_the_people_page_makes_a_display_and_shows_its_link_once(panel: Panel) -> None:
    chief = await Browser.of(panel, "supervisor")
    made = await chief.send("/people", wish="trust", name="hall", trust="display", own=GOOD)
    found = re.search(r"http://[a-z]+/wall#(bg_[\w-]{43})", made.body.decode())
    assert found, made.body.decode()
    assert (await Browser(panel).form("/wall", token=found[1])).status == 303
    listed = (await chief.get("/people")).body.decode()
    assert "hall" in listed
    assert "状态屏" in listed
    assert found[1] not in listed
    assert (await chief.send("/people", wish="trust", name="x", trust="display", own="wrong password")).status == 403


@pytest.mark.parametrize("name", ["teller", "hall_manager", "auditor"])
async def test_an_engineer_hangs_up_a_screen_and_gives_no_other_token(panel: Panel, name: str) -> None:
    staff = panel.people.staff
    for trust in (Trust.READER, Trust.ORDERS, Trust.AUDIT):
        with pytest.raises(PeopleRefused, match="not_allowed"):
            await staff.add_application(panel.people.actor("engineer"), "till", trust)
    with pytest.raises(PeopleRefused, match="not_allowed"):
        await staff.add_application(panel.people.actor(name), "hall", Trust.DISPLAY)
    await staff.add_application(panel.people.actor("supervisor"), "till", Trust.READER)
    with pytest.raises(PeopleRefused, match="not_allowed"):
        await staff.remove_application(panel.people.actor("engineer"), "till")


def test_what_has_no_room_is_counted_and_the_worst_comes_first() -> None:
    twins: list[Any] = [staged._twin(f"m{n:02}", "crt591", "x") for n in range(20)]
    twins += [staged._twin(f"z{n}", "crt591", "x", "offline") for n in range(7)]
    twins.append(staged._twin("zz", "crt591", "x", "hardwareError"))
    model = wall([], [], [], twins, House())
    assert [lane.machine.device for lane in model.lanes][:2] == ["zz", "z0"]
    assert (len(model.lanes), len(model.notices), model.machines) == (MOST_MACHINES, MOST_NOTICES, 28)
    assert (model.needs, model.hidden) == (8, 3)
