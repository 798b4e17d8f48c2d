"""Orders, devices and decisions over the local API: through the same door as everybody's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent.audit.proof import Wanted, rows
from edge_agent.observed import LastReading
from edge_agent.people.roles import Trust
from tests.edge_agent.orders import points as at_point
from tests.edge_agent.panel.asking import Panel
from tests.edge_agent.parts import Book
from tests.edge_agent.people.desk import GOOD, quick


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        yield await Panel.of(book)


async def test_an_order_from_submission_to_cancel(panel: Panel) -> None:
    headers = await panel.as_application(Trust.ORDERS)
    body = {"scene": "collect_card", "order": "o1", "parameters": {"take_s": 30}, "priority": 5}
    made = await panel.ask("POST", "/orders", body, **headers)
    assert (made.status, made.json()["order"]) == (201, "o1")
    assert [one["order"] for one in (await panel.ask("GET", "/orders", **headers)).json()["orders"]] == ["o1"]
    for verb, state in (("hold", "held"), ("release", "scheduled"), ("cancel", "cancelled")):
        answer = await panel.ask("POST", f"/orders/o1/{verb}", {"reason": "asked"}, **headers)
        assert (answer.status, answer.json()["result"]["state"]) == (200, state)
    whole = (await panel.ask("GET", "/orders/o1", **headers)).json()
    assert (whole["state"], whole["parameters"]["take_s"]) == ("cancelled", 30)
    told = [(row["act"], row["who"][0][:19], row["door"]) for row in rows(panel.people.book.folder, Wanted(4))]
    assert told == [(f"order.{verb}", "/applications/till-", "api") for verb in ("submit", "hold", "release", "cancel")]


@pytest.mark.parametrize(("trust", "language"), [(Trust.ORDERS, "zh"), (Trust.READER, "z•••")])
async def test_texts_of_an_order_are_for_those_who_serve(panel: Panel, trust: Trust, language: str) -> None:
    body = {"scene": "collect_card", "order": "o1", "parameters": {"take_s": 30, "language": "zh"}}
    await panel.ask("POST", "/orders", body, **await panel.as_application(Trust.ORDERS))
    whole = (await panel.ask("GET", "/orders/o1", **await panel.as_application(trust))).json()
    assert (whole["parameters"]["language"], whole["parameters"]["take_s"]) == (language, 30)


async def test_one_key_is_one_order(panel: Panel) -> None:
    headers = await panel.as_application(Trust.ORDERS)
    ask = {"idempotency_key": "k-1", **headers}
    first = await panel.ask("POST", "/orders", {"scene": "collect_card"}, **ask)
    again = await panel.ask("POST", "/orders", {"scene": "collect_card"}, **ask)
    assert (first.status, again.json()["repeat"], again.json()["order"]) == (201, True, first.json()["order"])
    other = await panel.ask("POST", "/orders", {"scene": "print_receipt"}, **ask)
    assert (other.status, other.json()["code"]) == (409, "conflict")
    await panel.ask("POST", "/orders", {"scene": "collect_card"}, **headers)
    assert len((await panel.ask("GET", "/orders", **headers)).json()["orders"]) == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/orders", {"scene": "nothing"}, 404),
        ("POST", "/orders", {"scene": "collect_card", "parameters": {"take_s": "soon"}}, 422),
        ("POST", "/orders", {"scene": "collect_card", "extra": 1}, 422),
        ("POST", "/orders", {"scene": "collect_card", "order": "a b"}, 422),
        ("POST", "/orders", b"{", 422),
        ("POST", "/orders/none/cancel", {}, 404),
        ("POST", "/orders/none/dance", {}, 422),
        ("GET", "/orders/none", None, 404),
        ("GET", "/devices/none", None, 404),
        ("PUT", "/orders", {}, 405),
        ("GET", "/none", None, 404),
    ],
)
async def test_what_cannot_be_is_told(panel: Panel, method: str, path: str, body: object, status: int) -> None:
    headers = await panel.as_application(Trust.ORDERS)
    answer = await panel.ask(method, path, body, **headers)
    assert answer.status == status, answer.body
    assert answer.json()


async def test_pages_and_states(panel: Panel) -> None:
    headers = await panel.as_application(Trust.READER)
    for n in range(5):
        await panel.people.book.submit(f"o{n}")
    first = (await panel.ask("GET", "/orders", None, {"limit": 3}, **headers)).json()
    rest = (await panel.ask("GET", "/orders", None, {"limit": 3, "after": first["next"]}, **headers)).json()
    assert [one["order"] for one in first["orders"] + rest["orders"]] == [f"o{n}" for n in range(5)]
    assert "next" not in rest
    assert (await panel.ask("GET", "/orders", None, {"state": "dancing"}, **headers)).status == 422
    assert (await panel.ask("GET", "/orders", None, {"after": "x"}, **headers)).status == 422
    assert (await panel.ask("GET", "/orders", None, {"state": "completed"}, **headers)).json()["orders"] == []


async def test_orders_bring_their_scenes_title(panel: Panel) -> None:
    headers = await panel.as_application(Trust.READER)
    await panel.people.book.submit("o1")
    title = {"zh": "领卡", "en": "Collect a card"}
    assert (await panel.ask("GET", "/orders", **headers)).json()["orders"][0]["title"] == title
    whole = (await panel.ask("GET", "/orders/o1", **headers)).json()
    assert (whole["title"], whole["scene"]) == (title, "collect_card")


async def test_devices_are_their_twins(panel: Panel) -> None:
    headers = await panel.as_application(Trust.READER)
    assert (await panel.ask("GET", "/devices", **headers)).json() == {
        "devices": [{"device": "card-1", "state": "online"}]
    }
    assert (await panel.ask("GET", "/devices/card-1", **headers)).json()["state"] == "online"


async def test_a_devices_last_readings_with_their_age(panel: Panel) -> None:
    headers = await panel.as_application(Trust.READER)
    assert (await panel.ask("GET", "/devices/card-1/readings", **headers)).json() == {"readings": []}
    last = LastReading({"name": "in", "raw": 7, "unit": "people", "delta": 2}, "2026-03-02T09:15:30Z", 12.34)
    object.__setattr__(panel.house, "readings", {"card-1": (last,)}.__getitem__)
    told = (await panel.ask("GET", "/devices/card-1/readings", **headers)).json()["readings"]
    assert told == [
        {"name": "in", "raw": 7, "unit": "people", "delta": 2, "time": "2026-03-02T09:15:30Z", "age_s": 12.3}
    ]
    assert (await panel.ask("GET", "/devices/none/readings", **headers)).status == 404


@pytest.mark.rule("ORD-6")
async def test_a_session_decides_nothing_each_shows_a_password_in_that_moment(panel: Panel) -> None:
    await at_point.draw_asks(panel.people.book)
    headers = await panel.sign_in("teller")
    body = {"step": "draw", "attempt": "o1/draw/1", "choice": "done"}
    alone = {**body, "people": [{"name": "teller", "password": GOOD}]}
    assert (await panel.ask("POST", "/orders/o1/resolution", alone, **headers)).json()["code"] == "unauthorized"
    twice = {**body, "people": [{"name": "teller", "password": GOOD}] * 2}
    assert (await panel.ask("POST", "/orders/o1/resolution", twice, **headers)).json()["error"] == "same_person"
    two = {**body, "people": [{"name": name, "password": GOOD} for name in ("teller", "engineer")]}
    answer = await panel.ask("POST", "/orders/o1/resolution", two, **headers)
    assert (answer.status, answer.json()["status"]) == (200, "accepted")
    row = rows(panel.people.book.folder, Wanted(act="order.resolve"))[-1]
    assert (row["who"], row["proven"], row["door"]) == (["/people/teller", "/people/engineer"], True, "panel")


async def test_a_journal_that_cannot_write_is_told_and_reading_goes_on(panel: Panel) -> None:
    headers = await panel.as_application(Trust.ORDERS)
    panel.people.book.disk.full = True
    answer = await panel.ask("POST", "/orders", {"scene": "collect_card"}, **headers)
    assert (answer.status, answer.json()["error"]) == (503, "store_failed")
    assert (await panel.ask("GET", "/orders", **headers)).status == 200
