"""What two people do at the panel with their own passwords: cells, the clock, a new journal; and who else may not."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.audit.proof import Wanted, rows
from edge_agent.custody import stock
from edge_agent.custody.stock import Lot, Shelf, Why
from edge_agent.orders.attesting import attested, keep_trusted
from edge_agent.orders.record import set_lane
from edge_agent.orders.rows import LaneRow
from edge_agent.people.roles import MAY, Right, Role
from edge_agent.people.signing_in import LOCKED_AT
from edge_agent.texts import Texts
from tests.edge_agent.panel.asking import Answer, Panel
from tests.edge_agent.panel.pages_asking import Browser, site
from tests.edge_agent.panel.test_pages import text
from tests.edge_agent.parts import DEVICE, Book, Json, Wall
from tests.edge_agent.people.desk import GOOD, quick
from tests.edge_agent.people.test_together import CABINET, places

LOAD = f"/machines/{CABINET}/load"
SECOND = {"second_name": "teller", "second_password": GOOD}
TWO = {"password": GOOD, **SECOND}
ACTS = {LOAD: "stock.replenish", "/clock": "clock.attest", "/adopt": "journal.adopt"}
RIGHTS = {LOAD: Right.STOCK, "/clock": Right.VOUCH, "/adopt": Right.VOUCH}


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    async with Book(tmp_path, places=places(), adopted=False, wall=Wall(known=False)) as book:
        panel = await site(book)
        cabinet = {"device": CABINET, "state": "online", "storage": {"A01": {"shelf": "empty"}, "A02": {}}}
        panel.house.twins()[CABINET] = cabinet
        yield panel


async def form(browser: Browser, where: str, **more: Any) -> Json:
    """The form of a page, filled as people would."""
    answer = await browser.get(where)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.body.decode()))
    filled: dict[str, Json] = {
        LOAD: {"article:A01": "u_shield", "serial:A01": " US-1 ", "emptied:A02": "yes", "article:A02": ""},
        "/clock": {"agrees": "true"},
        "/adopt": {f"found:{DEVICE}": "98 cards, gate empty", f"found:{CABINET}": "all empty"},
    }
    return {**hidden, **filled[where], **TWO, **more}


def done(book: Book, where: str) -> bool:
    if where == LOAD:
        return book.one("SELECT 1 FROM cells") is not None
    return book.look(lambda tx: attested(tx) is not None if where == "/clock" else tx.adopted == "people")


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("where", ACTS)
async def test_two_people_with_their_own_passwords(panel: Panel, where: str, lang: str) -> None:
    book, browser = panel.people.book, await Browser.of(panel, "supervisor")
    await browser.get(f"/?lang={lang}")
    asked = await form(browser, where)
    book.wall.seconds += 300  # they type slowly: what counts is what the page showed when they looked
    answer = await browser.send(where, **asked)
    assert answer.status == 200, text(answer)
    assert ("supervisor、teller" if lang == "zh" else "supervisor, teller") in text(answer)
    assert done(book, where)
    people = ["/people/supervisor", "/people/teller"]
    row = rows(book.folder, Wanted(act=ACTS[where]))[-1]
    assert (row["who"], row["proven"], row["door"]) == (people, True, "panel")
    if where == LOAD:
        told = book.events("stock.changed")
        assert [event["data"]["cell"] for event in told] == ["A01", "A02"]
        assert told[0]["data"]["serial"] == "US-1"
        assert all((event["data"]["by"], event["data"]["authenticated"]) == (people, True) for event in told)
    else:
        facts = book.events("journal.changed")[-1]["data"]["facts"]
        assert (facts["people"], facts["authenticated"]) == (people, True)


NEEDS_TWO = {LOAD: "load_needs_two", "/clock": "time_needs_two", "/adopt": "adopting_needs_two"}
WRONG: list[tuple[Json, str]] = [
    ({"second_password": "not this one"}, "people.wrong_credentials"),
    ({"password": "not this one"}, "people.wrong_credentials"),
    ({"second_name": "nobody"}, "people.wrong_credentials"),
    ({"second_name": "/people/SUPERVISOR "}, "people.same_person"),
    ({"second_name": "auditor"}, "people.not_allowed"),
    ({"second_name": "", "second_password": ""}, ""),
    ({"second_name": "engineer"}, "people.locked"),
]


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("where", ACTS)
async def test_who_is_not_two_people_that_may_does_nothing(panel: Panel, where: str, lang: str) -> None:
    for _ in range(LOCKED_AT):
        await panel.people.enters("engineer", "wrong password")
        panel.people.book.wall.seconds += 600
    browser, words = await Browser.of(panel, "supervisor"), Texts(lang)
    await browser.get(f"/?lang={lang}")
    for wrong, code in WRONG:
        told = code or f"rejection.{NEEDS_TWO[where]}"
        answer = await browser.send(where, **await form(browser, where, **wrong))
        assert answer.status in (403, 422), told
        says = words(told, right=words.word("right", "resolve")) if told == "people.not_allowed" else words(told)
        assert says in text(answer)
        assert not done(panel.people.book, where), told
    browser.csrf = "wrong"
    answer = await browser.send(where, **await form(Browser(panel, browser.cookies), where))
    assert (answer.status, words("panel.no_csrf") in text(answer)) == (403, True)
    assert not done(panel.people.book, where)


@pytest.mark.parametrize("who", [*Role, None])
async def test_who_is_led_to_these_pages_and_who_is_turned_away(panel: Panel, who: Role | None) -> None:
    browser = await Browser.of(panel, who.value if who else "")
    now = (await browser.get("/")).body.decode() + (await browser.get(f"/machines/{CABINET}")).body.decode()
    for where, right in RIGHTS.items():
        may = who is not None and right in MAY[who]
        assert (f'href="{where}"' in now) is may, where
        if not may:
            asked = await form(await Browser.of(panel, "supervisor"), where)
            asked |= {"second_name": "supervisor"}  # who may, but is not the one who is signed in
            assert (await browser.send(where, **asked)).status == (403 if who else 401), where
            assert not done(panel.people.book, where)


# -- cells -------------------------------------------------------------------------------------------------------------

CANNOT: list[tuple[Json, str, Json]] = [
    ({"serial:A01": ""}, "panel.no_load_half", {"cell": "A01"}),
    ({"article:A01": " "}, "panel.no_load_half", {"cell": "A01"}),
    ({"emptied:A01": "yes"}, "panel.no_load_both", {"cell": "A01"}),
    ({"article:A01": "", "serial:A01": "", "emptied:A02": ""}, "panel.no_load_nothing", {}),
    ({"serial:A01": ["US-1"]}, "panel.no_form", {}),
    ({"serial:A01": "x" * 101}, "", {}),
    ({"article:Z9": "x", "serial:Z9": "y"}, "rejection.no_cell", {"cell": "Z9", "device": CABINET}),
    (
        {"emptied:A02": "", "article:A02": "x", "serial:A02": "US-1"},
        "rejection.serial_elsewhere",
        {"serial": "US-1", "cell": "A01", "device": CABINET},
    ),
    ({"serial:A01": "US-7"}, "rejection.serial_elsewhere", {"serial": "US-7", "cell": "B1", "device": "cabinet-2"}),
]


@pytest.mark.rule("STO-3")
@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_what_cannot_be_of_cells_is_told_before_anything_is_booked(panel: Panel, lang: str) -> None:
    book, browser = panel.people.book, await Browser.of(panel, "hall_manager")
    await browser.get(f"/?lang={lang}")
    await book.do(lambda tx: stock.change(tx, Lot("cabinet-2", "B1", serial="US-7"), Shelf.SEALED, Why("confirmed")))
    for wrong, told, members in CANNOT:
        answer = await browser.send(LOAD, **await form(browser, LOAD, **wrong))
        known = {"known": "A01, A02"} if told.endswith("no_cell") else {}
        says = Texts(lang)(told, **members, **known) if told else "100"
        assert (answer.status, says in html.unescape(text(answer))) == (422, True), (told, text(answer))
    assert book.one("SELECT 1 FROM cells WHERE device = ?", CABINET) is None


@pytest.mark.rule("STO-3")
async def test_a_cell_that_an_order_has_is_not_offered_and_not_taken(panel: Panel) -> None:
    book, browser = panel.people.book, await Browser.of(panel, "hall_manager")
    kept = Lot(CABINET, "A01", article="u_shield", serial="US-3", order_id="o1")
    await book.do(lambda tx: stock.change(tx, kept, Shelf.RESERVED, Why("")))
    shown = (await browser.get(LOAD)).body.decode()
    assert ('name="article:A01"' in shown, 'name="article:A02"' in shown) == (False, True)
    answer = await browser.send(LOAD, **await form(browser, LOAD))
    assert (answer.status, "US-3" in text(answer) or "A01" in text(answer)) == (422, True)
    assert (await browser.get(f"/machines/{DEVICE}/load")).status == 404
    assert (await browser.get("/machines/none/load")).status == 404


# -- the clock ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("INS-5")
async def test_what_was_looked_at_under_another_clock_or_too_long_ago_does_not_count(panel: Panel) -> None:
    book, browser = panel.people.book, await Browser.of(panel, "supervisor")
    asked = await form(browser, "/clock")
    said: list[tuple[Json, str]] = [
        ({"shown": "2026-03-02T11:58:30Z"}, "clock_differs"),
        ({"shown": "9999-12-31T23:59:59Z"}, "panel.no_clock_moved"),
        ({"steady": str(book.clock.steady() + 10)}, "panel.no_clock_moved"),
        ({"epoch": "99"}, "rejection.earlier_start"),
        ({"agrees": "false"}, "panel.no_clock_agrees"),
    ]
    for wrong, told in said:
        answer = await browser.send("/clock", **{**asked, **wrong})
        assert answer.status == 422, wrong
        says = "请校准主机时钟" if told == "clock_differs" else Texts("zh")(told)
        assert says in text(answer), (wrong, text(answer))
    book.wall.lie_s = 120
    assert (await browser.send("/clock", **asked)).status == 422, "the clock was set while they typed"
    book.wall.lie_s = 0
    book.wall.seconds += 3700
    browser = await Browser.of(panel, "supervisor")
    assert (await browser.send("/clock", **asked)).status == 422, "an hour ago"
    assert not done(book, "/clock")


@pytest.mark.rule("INS-5")
async def test_a_clock_that_needs_nobody_or_cannot_be_right_has_no_form(panel: Panel) -> None:
    book, browser = panel.people.book, await Browser.of(panel, "supervisor")
    assert "时钟不可信" in text(await browser.get("/"))
    book.wall.known = True
    assert "时钟可信" in text(await browser.get("/clock"))
    await book.do(lambda tx: keep_trusted(tx, book.clock))
    book.wall.known, book.wall.lie_s = False, -86400
    answer = await browser.get("/clock")
    assert "请先校正本机时钟" in text(answer)
    assert "second_password" not in answer.body.decode()


# -- a new journal -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-12")
async def test_a_new_journal_is_told_and_adopted_after_a_count_of_what_holds_articles(panel: Panel) -> None:
    book, browser = panel.people.book, await Browser.of(panel, "supervisor")
    assert "尚未认领" in text(await browser.get("/"))
    await book.do(lambda tx: set_lane(tx, LaneRow(DEVICE, shut=True, reason="journal_lost", attempt="x/draw/1")))
    answer = await browser.get("/adopt")
    asked = re.findall(r'name="found:([^"]+)"', answer.body.decode())
    assert asked == [DEVICE, CABINET], "a screen and a counter of people hold nothing"
    assert "尝试 x/draw/1 正在机内" in text(answer)
    missing = await browser.send("/adopt", **await form(browser, "/adopt", **{f"found:{CABINET}": "  "}))
    assert (missing.status, CABINET in text(missing)) == (422, True)
    other = await browser.send("/adopt", **await form(browser, "/adopt", journal="another"))
    assert other.status == 422
    assert not done(book, "/adopt")
    assert (await browser.send("/adopt", **await form(browser, "/adopt"))).status == 200
    assert not book.lane().shut
    assert "尚未认领" not in text(await browser.get("/"))
    assert "无需办理" in text(await browser.get("/adopt"))


async def test_no_password_comes_back_from_these_pages(panel: Panel) -> None:
    browser, planted = await Browser.of(panel, "supervisor"), "planted secret"
    answers: list[Answer] = []
    for where in ACTS:
        asked = await form(browser, where, password=planted, second_password=planted)
        answers += [await browser.send(where, **asked), await browser.send(where, **{**asked, "epoch": planted})]
        answers.append(await browser.send(where, **{**asked, "password": [planted]}))
    assert all(answer.status >= 400 for answer in answers)
    assert all(planted not in answer.body.decode() for answer in answers)
