"""A machine exercised from its page: what is offered to whom, the order that it becomes, and why it may become none."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import ActKind, ActSpec
from edge_agent.audit.proof import Wanted, rows
from edge_agent.orders.desk import Place
from edge_agent.orders.exercising import EXERCISES, hindrance
from edge_agent.people.roles import MAY, Right, Role
from edge_agent.people.signing_in import LOCKED_AT
from edge_agent.texts import LANGUAGES, Texts, load
from tests.edge_agent.panel.asking import Answer, Panel
from tests.edge_agent.panel.pages_asking import Browser, site
from tests.edge_agent.panel.test_pages import text
from tests.edge_agent.parts import ACTS, DEVICE, Book, Json
from tests.edge_agent.people.desk import GOOD, quick
from tests.edge_agent.people.test_together import CABINET

CARD, SCREEN, COUNTER = f"/machines/{DEVICE}/exercise", "/machines/screen-3/exercise", "/machines/door-1/exercise"
GOOD_FORM: Json = {"act": "draw_card", "clear": "true", "password": GOOD}


def _acts(*names: str) -> dict[str, ActSpec]:
    return {name: ActSpec(name, ActKind.IDEMPOTENT, "Does it.", 1.0) for name in names}


def places() -> tuple[Place, ...]:
    """Screens above two windows, each found by its own; two printers that no exercise could tell apart."""
    screens = (Place(f"screen-{n}", "window-screen", _acts("show_text", "show_idle"), at=str(n)) for n in (3, 4))
    printers = (Place(f"ticket-{n}", "ticket-printer", _acts("print_ticket"), at=str(n)) for n in (1, 2))
    cabinet = Place(CABINET, "token-cabinet", _acts("open_cell", "secure_cell"), cells={"A01": True})
    return (Place(DEVICE, "card-dispenser", ACTS), cabinet, Place("door-1", "people-counter", {}), *screens, *printers)


def twin(device: str, **more: Any) -> Json:
    return {"device": device, "state": "online", "lane": "open", "role": "x", "kind": "x", **more}


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    async with Book(tmp_path, places=places()) as book:
        panel = await site(book)
        panel.house.twins().update({place.device: twin(place.device) for place in places()})
        yield panel


def orders(book: Book) -> list[str]:
    return book.look(lambda tx: [row["id"] for row in tx.all("SELECT id FROM orders ORDER BY n")])


def offered(answer: Answer) -> list[str]:
    return re.findall(r'name="act" value="([^"]+)"', answer.body.decode())


async def test_the_order_is_that_of_the_command_line_and_its_page_comes_next(panel: Panel) -> None:
    book, browser = panel.people.book, await Browser.of(panel, "engineer")
    answer = await browser.send(CARD, **GOOD_FORM)
    (order,) = orders(book)
    assert (answer.status, answer.headers["location"]) == (303, f"/orders/{order}")
    row = book.order(order)
    assert (row.id.startswith(f"exercise-{DEVICE}-"), row.scene, row.priority) == (True, "exercise_card", -100)
    assert book.step("draw", order).needs_release, "nothing is drawn by one person"
    told = rows(book.folder, Wanted(act="order.submit"))[-1]
    assert (told["who"], told["proven"], told["door"]) == (["/people/engineer"], True, "panel")
    assert "发卡机试机" in text(await browser.get(f"/orders/{order}"))


@pytest.mark.rule("ORD-6")
async def test_what_waits_for_two_people_is_asked_at_the_orders_page(panel: Panel) -> None:
    book, browser = panel.people.book, await Browser.of(panel, "engineer")
    await browser.send(CARD, **GOOD_FORM)
    (order,) = orders(book)
    page = await browser.get(f"/orders/{order}")
    assert "须两人放行" in text(page)
    settle = html.unescape(re.findall(r'href="([^"]*choice=release[^"]*)"', page.body.decode())[0])
    form = (await browser.get(settle)).body.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    alone = await browser.send(f"/orders/{order}/settle", **hidden, password=GOOD)
    assert alone.status == 409
    assert book.step("draw", order).needs_release
    two = {"password": GOOD, "second_name": "teller", "second_password": GOOD}
    assert (await browser.send(f"/orders/{order}/settle", **hidden, **two)).status == 200
    assert not book.step("draw", order).needs_release


async def test_a_screen_is_found_by_its_window(panel: Panel) -> None:
    browser = await Browser.of(panel, "supervisor")
    assert (await browser.send(SCREEN, **{**GOOD_FORM, "act": "show_text"})).status == 303
    (order,) = orders(panel.people.book)
    row = panel.people.book.order(order)
    assert (row.device, row.parameters["window"]) == ("screen-3", "3")


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_what_is_offered_is_what_the_command_line_offers_and_says_what_comes_out(panel: Panel, lang: str) -> None:
    browser, words = await Browser.of(panel, "engineer"), Texts(lang)
    card = await browser.get(f"{CARD}?lang={lang}")
    assert offered(card) == ["draw_card", "present_card"]
    assert words("exercise_does.exercise_present") in html.unescape(text(card))
    assert html.unescape(text(card)).count(words("panel.exercise_two")) == 2
    screen = await browser.get(SCREEN)
    assert offered(screen) == ["show_text", "show_idle"]
    assert words("panel.exercise_two") not in text(screen)
    assert "TEST 123" in text(screen)
    for away, said in ((COUNTER, "panel.no_no_exercises"), ("/machines/none/exercise", "panel.no_no_device")):
        answer = await browser.get(away)
        assert (answer.status, words(said, device=away.split("/")[2]) in text(answer)) == (404, True)


def test_each_exercise_is_told_in_both_languages() -> None:
    for lang in LANGUAGES:
        told = {key.removeprefix("exercise_does.") for key in load(lang) if key.startswith("exercise_does.")}
        assert told == {one.scene for one in EXERCISES.values()}


# -- why not -----------------------------------------------------------------------------------------------------------

FORM: list[tuple[Json, int, str, Json]] = [
    ({"password": "not this one"}, 403, "people.wrong_credentials", {}),
    ({"clear": "false"}, 422, "panel.no_exercise_clear", {}),
    ({"act": "show_text"}, 422, "people.no_exercise", {"device": DEVICE, "act": "show_text"}),
    ({"act": "dance"}, 422, "people.no_exercise", {"device": DEVICE, "act": "dance"}),
    ({"act": "capture_card"}, 422, "people.no_exercise", {"device": DEVICE, "act": "capture_card"}),
    ({"second_name": "ENGINEER", "second_password": GOOD}, 403, "people.same_person", {}),
    ({"second_name": "teller", "second_password": "wrong"}, 403, "people.wrong_credentials", {}),
    ({"second_name": "hall_manager", "second_password": GOOD}, 403, "people.locked", {}),
]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_what_is_wrong_in_the_form_makes_no_order(panel: Panel, lang: str) -> None:
    for _ in range(LOCKED_AT):
        await panel.people.enters("hall_manager", "wrong password")
        panel.people.book.wall.seconds += 600
    browser, words = await Browser.of(panel, "engineer"), Texts(lang)
    await browser.get(f"/?lang={lang}")
    for wrong, status, key, named in FORM:
        places = {**named, **({"act": words.word("act", named["act"])} if "act" in named else {})}
        answer = await browser.send(CARD, **{**GOOD_FORM, **wrong})
        assert (answer.status, words(key, **places) in html.unescape(text(answer))) == (status, True), text(answer)
        assert "not this one" not in answer.body.decode()
    browser.csrf = "wrong"
    answer = await browser.send(CARD, **GOOD_FORM)
    assert (answer.status, words("panel.no_csrf") in text(answer)) == (403, True)
    assert orders(panel.people.book) == []


AWAY: list[tuple[Json, str, str]] = [
    ({"state": "offline"}, "not_there", "device_state.offline"),
    ({"state": "deviceBusy"}, "not_there", "device_state.deviceBusy"),
    ({"state": "userError", "reason": "card_jam", "lane": "shut"}, "shut", "reason.card_jam"),
    ({"order": "D-7"}, "busy", "D-7"),
]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_machine_that_is_away_shut_or_busy_has_no_form_and_takes_no_order(panel: Panel, lang: str) -> None:
    book, browser, words = panel.people.book, await Browser.of(panel, "engineer"), Texts(lang)
    await browser.get(f"/?lang={lang}")
    for state, why, detail in AWAY:
        panel.house.twins()[DEVICE] = twin(DEVICE, **state)
        says = words(f"exercise.{why}", detail=load(lang).get(detail, detail))
        shown, answer = await browser.get(CARD), await browser.send(CARD, **GOOD_FORM)
        assert (shown.status, offered(shown), says in text(shown)) == (200, [], True), text(shown)
        assert (answer.status, says in text(answer)) == (422, True), text(answer)
    del panel.house.twins()[DEVICE]
    assert (await browser.send(CARD, **GOOD_FORM)).status == 422
    assert orders(book) == []
    panel.house.twins()[DEVICE] = twin(DEVICE)
    await book.submit("o1", parameters={"receipt": False})
    assert words("exercise.busy", detail="o1") in text(await browser.send(CARD, **GOOD_FORM)), "customers go first"
    assert orders(book) == ["o1"]


async def test_a_printer_is_not_exercised_where_its_like_might_print_instead(panel: Panel) -> None:
    """The agent looks for the role alone: that the other one belongs to another counter would not help."""
    browser = await Browser.of(panel, "engineer")
    answer = await browser.send("/machines/ticket-1/exercise", **{**GOOD_FORM, "act": "print_ticket"})
    assert (answer.status, "ticket-1, ticket-2" in text(answer)) == (422, True), text(answer)
    assert orders(panel.people.book) == []


async def test_what_the_branch_itself_refuses_is_told_in_the_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    async with Book(tmp_path, places=places(), adopted=False) as book:
        panel = await site(book)
        panel.house.twins().update({device: twin(device) for device in (DEVICE, CABINET)})
        browser = await Browser.of(panel, "engineer")
        answer = await browser.send(CARD, **GOOD_FORM)
        assert (answer.status, "请先认领" in text(answer)) == (422, True), text(answer)
        await book.ask("journal.adopt", {"journal": book.journal.id})
        answer = await browser.send(f"/machines/{CABINET}/exercise", **{**GOOD_FORM, "act": "open_cell"})
        says = Texts("zh")("rejection.no_stock", articles="u_shield")
        assert (answer.status, says in text(answer)) == (422, True), text(answer)
        assert orders(book) == []


def test_nothing_stands_in_the_way_of_a_machine_that_is_there_and_free() -> None:
    assert hindrance(twin(DEVICE), [DEVICE], list) is None
    assert hindrance(None, [DEVICE], list) == ("not_there", "-")


@pytest.mark.parametrize("who", [*Role, None])
async def test_who_is_led_there_and_who_is_turned_away(panel: Panel, who: Role | None) -> None:
    browser = await Browser.of(panel, who.value if who else "")
    may = who is not None and Right.SERVICE in MAY[who]
    page = (await browser.get(f"/machines/{DEVICE}")).body.decode()
    assert (f'href="{CARD}"' in page) is may
    assert COUNTER not in (await browser.get("/machines/door-1")).body.decode(), "nothing to try"
    answer = await browser.send(CARD, **GOOD_FORM)
    assert answer.status == (303 if may else 403 if who else 401)
    assert bool(orders(panel.people.book)) is may
