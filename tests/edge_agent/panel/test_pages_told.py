"""What a page says when it is not what was asked for, and where it leads from there: nobody stands at a dead end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent.panel.branch import Link
from edge_agent.panel.build import API
from edge_agent.texts import LANGUAGES, Texts
from tests.edge_agent.panel import staged
from tests.edge_agent.panel.asking import Panel
from tests.edge_agent.panel.pages_asking import Browser, site
from tests.edge_agent.panel.staged import ORDER
from tests.edge_agent.parts import Book
from tests.edge_agent.people.desk import GOOD, quick

NAV = "<nav "


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    async with staged.book_of(tmp_path) as book:
        yield await _told(book)


async def _told(book: Book) -> Panel:
    panel = await site(book)
    await book.submit(ORDER, customer="KH-1", parameters={"receipt": False})
    await staged.doubt(book)
    return panel


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/orders/none", 404), ("/audit", 403)])
async def test_a_page_that_cannot_be_shown_says_so_and_keeps_the_way_on(
    panel: Panel, path: str, status: int, lang: str
) -> None:
    browser = await Browser.of(panel, "teller")
    answer = await browser.get(f"{path}?lang={lang}")
    body = answer.body.decode()
    assert answer.status == status
    assert NAV in body
    assert f"<h1>{Texts(lang)('panel.not_shown')}</h1>" in body


async def test_an_address_of_no_page_is_told_to_strangers_and_programs_too(panel: Panel) -> None:
    stranger = Browser(panel)
    answer = await stranger.get("/nothing")
    assert (answer.status, NAV in answer.body.decode()) == (404, False)
    assert Texts("zh")("panel.no_not_found") in answer.body.decode()
    assert (await stranger.get(f"{API}/nothing")).json() == {"error": "not_found"}


async def test_signing_in_again_leads_back_to_the_very_choice(panel: Panel) -> None:
    """Without its query the page would say that the question is gone, and that somebody settled it."""
    choice = f"/orders/{ORDER}/settle?choice=no_effect&attempt={ORDER}/draw/1"
    away = await Browser(panel).get(choice)
    assert away.status == 303
    browser = Browser(panel)
    begun = await browser.get(away.headers["location"])
    assert "choice=no_effect" in begun.body.decode()
    onward = await browser.form("/sign-in", name="teller", password=GOOD, next=choice)
    assert onward.headers["location"] == choice
    asked = await browser.get(choice)
    assert asked.status == 200
    assert "next=/orders/D20260302-0107/settle%3Fchoice%3Dno_effect" in asked.body.decode(), "and its bar, too"


async def test_a_cancel_is_asked_back_and_what_was_done_leads_to_its_order(panel: Panel) -> None:
    browser = await Browser.of(panel, "teller")
    body = (await browser.get(f"/orders/{ORDER}")).body.decode()
    form = body.index(f'action="/orders/{ORDER}/cancel"')
    assert body.rindex("<details", 0, form) > body.rindex("</details>", 0, form), "one click opens it, another cancels"
    assert Texts("zh")("panel.cancel_means") in body
    for verb, status in (("hold", 200), ("cancel", 200), ("nonsense", 404)):
        answer = await browser.send(f"/orders/{ORDER}/{verb}")
        assert answer.status == status
        assert f'href="/orders/{ORDER}"' in answer.body.decode()


@pytest.mark.parametrize(("link", "told"), [(Link(connected=True), "中心已连接"), (Link(False, 400.0), "6 min 40 s")])
async def test_now_says_whether_the_centre_is_there(panel: Panel, link: Link, told: str) -> None:
    """Staff who wait for an order of the centre need not guess whether it can come."""
    object.__setattr__(panel.house, "link", lambda: link)
    assert told in (await (await Browser.of(panel, "teller")).get("/")).body.decode()
