"""Who may do what over HTTP: every route by every role, sessions, CSRF, tokens, limits and headers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Response

from edge_agent.audit.proof import Wanted, rows
from edge_agent.panel.build import API, build
from edge_agent.panel.gate import Open, Undeclared, declared
from edge_agent.panel.limits import BURST, MAX_BODY
from edge_agent.panel.sessions import IDLE_S, LONGEST_S, MOST, MOST_OF_ONE, Sessions
from edge_agent.people.roles import MAY, Right, Role, Trust
from tests.edge_agent.panel.asking import Panel
from tests.edge_agent.parts import Book, Json
from tests.edge_agent.people.desk import GOOD, quick


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        await book.submit()
        yield await Panel.of(book)


BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/orders"): {"scene": "collect_card"},
    ("POST", "/orders/{order}/{verb}"): {"reason": "x"},
    ("POST", "/orders/{order}/resolution"): {
        "step": "draw",
        "attempt": "o1/draw/1",
        "choice": "failed",
        "people": [{"name": "teller", "password": "not this one"}],
    },
    ("POST", "/session"): {"name": "nobody", "password": "nothing here"},
}
ROUTES = {
    ("POST", "/session"): Open.NOBODY,
    ("GET", "/session"): Open.ANYBODY,
    ("DELETE", "/session"): Open.ANYBODY,
    ("GET", "/orders"): Right.SEE,
    ("GET", "/orders/{order}"): Right.SEE,
    ("POST", "/orders"): Right.ORDERS,
    ("POST", "/orders/{order}/{verb}"): Right.ORDERS,
    ("POST", "/orders/{order}/resolution"): Right.RESOLVE,
    ("GET", "/devices"): Right.SEE,
    ("GET", "/devices/{device}"): Right.SEE,
    ("GET", "/devices/{device}/readings"): Right.SEE,
    ("GET", "/events"): Right.SEE,
    ("GET", "/audit"): Right.AUDIT,
    ("GET", "/audit/head"): Right.AUDIT,
    ("GET", "/openapi.json"): Right.SEE,
}


async def test_every_route_declares_what_it_needs_and_this_list_knows_each(panel: Panel) -> None:
    assert declared(panel.inner) == {(method, API + path): needs.value for (method, path), needs in ROUTES.items()}


async def _forgotten() -> str:
    return "open to all"


def _included(app: FastAPI) -> None:
    router = APIRouter()
    router.add_api_route("/forgotten", _forgotten)
    app.include_router(router)


UNDECLARED: dict[str, Callable[[FastAPI], object]] = {
    "a route": lambda app: app.get("/forgotten")(_forgotten),
    "a plain route": lambda app: app.add_route("/forgotten", lambda _: Response()),
    "a router": _included,
    "another application": lambda app: app.mount("/forgotten", FastAPI()),
    "a websocket": lambda app: app.add_api_websocket_route("/forgotten", _forgotten),
}


@pytest.mark.parametrize("add", UNDECLARED.values(), ids=UNDECLARED)
async def test_an_application_with_an_undeclared_route_is_never_built(
    panel: Panel, add: Callable[[FastAPI], object]
) -> None:
    def more(app: FastAPI, *_: object) -> None:
        add(app)

    with pytest.raises(Undeclared, match="does not say what it needs"):
        build(panel.house, tls=False, more=more)


@pytest.mark.parametrize("who", [*Role, *Trust, None])
async def test_each_role_at_each_route(panel: Panel, who: Role | Trust | None) -> None:
    for (method, path), needs in ROUTES.items():
        panel.people.book.wall.seconds += 600  # no rate and no delay in the way
        headers: dict[str, str] = {}
        if who is not None:
            headers = await (panel.sign_in(who.value) if isinstance(who, Role) else panel.as_application(who))
        at = path.format(order="o1", device="card-1", verb="hold")
        may = isinstance(needs, Right) and who is not None and needs in MAY[who]
        if path == "/events" and may:
            continue  # it does not end: see test_stream
        answer = await panel.ask(method, at, BODIES.get((method, path)), **headers)
        told = answer.json()["error"] if answer.status >= 400 else ""
        if needs is Open.NOBODY:
            assert told == "wrong_credentials"
        elif who is None:
            assert (answer.status, told) == (401, "sign_in"), at
        elif isinstance(needs, Right) and not may:
            assert (answer.status, told) == (403, "not_allowed"), at
        else:
            assert told == ("wrong_credentials" if path.endswith("resolution") else ""), at


# -- sessions ----------------------------------------------------------------------------------------------------------


async def test_a_session_from_its_beginning_to_its_end(panel: Panel) -> None:
    answer = await panel.ask("POST", "/session", {"name": "Teller", "password": GOOD})
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie.lower() for word in ("httponly", "samesite=strict", "path=/"))
    assert "secure" not in cookie.lower(), "no TLS here; with it: see below"
    token = cookie.split("=")[1].split(";")[0]
    assert token not in answer.body.decode()
    headers = {"cookie": cookie.split(";")[0], "x_csrf_token": answer.json()["csrf"]}
    shown = (await panel.ask("GET", "/session", **headers)).json()
    assert (shown["who"], shown["role"], shown["may"]) == ("/people/teller", "teller", ["orders", "resolve", "see"])
    assert (await panel.ask("DELETE", "/session", **headers)).status == 204
    assert (await panel.ask("GET", "/session", **headers)).status == 401
    assert [row["who"] for row in rows(panel.people.book.folder, Wanted(act="session.begin"))] == [["/people/teller"]]


async def test_with_tls_the_cookie_is_secure_and_browsers_come_back_by_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        panel = await Panel.of(book, tls=True)
        answer = await panel.ask("POST", "/session", {"name": "teller", "password": GOOD})
        assert "secure" in answer.headers["set-cookie"].lower()
        assert answer.headers["strict-transport-security"]


@pytest.mark.parametrize("token", ["", "wrong", None])
async def test_what_changes_something_needs_the_csrf_token(panel: Panel, token: str | None) -> None:
    headers = await panel.sign_in("teller")
    headers.pop("x_csrf_token")
    more = {} if token is None else {"x_csrf_token": token}
    for (method, path), needs in ROUTES.items():
        if method == "GET" or needs is Open.NOBODY:
            continue
        body = BODIES.get((method, path))
        answer = await panel.ask(method, path.format(order="o1", verb="hold"), body, **headers, **more)
        assert (answer.status, answer.json()["error"]) == (403, "csrf"), path
    assert not panel.people.book.order().held
    assert (await panel.ask("GET", "/orders", **headers)).status == 200


@pytest.mark.parametrize(
    "more", [{"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://localhost:81"}]
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/events"), ("GET", "/orders"), ("POST", "/orders/o1/hold")])
async def test_another_page_in_the_same_browser_gets_nothing_for_its_session(
    panel: Panel, method: str, path: str, more: dict[str, str]
) -> None:
    headers = await panel.sign_in("teller")
    async with asyncio.timeout(10):  # a stream of events does not end
        answer = await panel.ask(method, path, {"reason": ""}, **headers, **more)
    assert (answer.status, answer.json()["error"]) == (403, "csrf")
    assert not panel.people.book.order().held
    ours = await panel.ask("POST", "/orders/o1/hold", {"reason": ""}, **headers, origin="http://localhost")
    assert ours.status == 200


async def test_no_other_page_signs_anybody_in_over_the_api(panel: Panel) -> None:
    who = {"name": "teller", "password": GOOD}
    for more in ({"origin": "https://evil.example"}, {"sec_fetch_site": "same-site"}):
        answer = await panel.ask("POST", "/session", who, **more)
        assert (answer.status, "set-cookie" in answer.headers) == (403, False)


async def test_a_session_is_never_one_that_was_there_before(panel: Panel) -> None:
    planted = {"cookie": "branchgate=planted-by-somebody-else-in-this-browser"}
    answer = await panel.ask("POST", "/session", {"name": "teller", "password": GOOD}, **planted)
    assert "planted" not in answer.headers["set-cookie"]
    assert (await panel.ask("GET", "/orders", **planted)).status == 401
    first = {"cookie": answer.headers["set-cookie"].split(";")[0]}
    assert (await panel.ask("GET", "/orders", **first)).status == 200
    again = await panel.ask("POST", "/session", {"name": "engineer", "password": GOOD}, **first)
    assert again.status == 200
    assert (await panel.ask("GET", "/orders", **first)).status == 401, "who sat here before went"


@pytest.mark.parametrize("how", ["role", "password", "disabled", "unknown"])
async def test_a_change_of_the_person_ends_their_sessions(panel: Panel, how: str) -> None:
    headers, other = await panel.sign_in("teller"), await panel.sign_in("engineer")
    staff, chief = panel.people.staff, panel.people.actor("supervisor")
    if how == "role":
        await staff.set_role(chief, "teller", Role.SUPERVISOR)
    elif how == "password":
        await staff.set_password(chief, "teller", "another horse")
    elif how == "disabled":
        await staff.set_disabled(chief, "teller", disabled=True)
    else:
        panel.people.staff.register.people.pop("teller")
    assert (await panel.ask("GET", "/orders", **headers)).status == 401
    assert (await panel.ask("GET", "/orders", **other)).status == 200


def test_sessions_end_by_rest_and_by_age_and_make_room() -> None:
    now = 0.0
    sessions = Sessions(lambda: now)
    token, _ = sessions.begin("/people/a")
    now += IDLE_S - 1
    assert sessions.find(token)
    now += IDLE_S
    assert sessions.find(token) is None
    token, _ = sessions.begin("/people/a")
    while now < LONGEST_S + 2 * IDLE_S and sessions.find(token):
        now += IDLE_S / 2
    assert LONGEST_S < now < LONGEST_S + 3 * IDLE_S
    own = [sessions.begin("/people/a")[0] for _ in range(MOST_OF_ONE + 2)]
    assert [sessions.find(one) is not None for one in own] == [False, False, *[True] * MOST_OF_ONE]
    for n in range(2 * MOST):
        sessions.begin(f"/people/{n}")
    assert len(sessions) == MOST


async def test_too_many_failures_are_told_with_a_time(panel: Panel) -> None:
    for _ in range(3):
        answer = await panel.ask("POST", "/session", {"name": "teller", "password": "wrong password"})
        assert (answer.status, answer.json()["error"]) == (401, "wrong_credentials")
    answer = await panel.ask("POST", "/session", {"name": "teller", "password": GOOD})
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")


# -- tokens, limits, headers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["Bearer wrong", "Bearer ", "Basic dGVsbGVyOng=", "wrong", "bearer bg_x"])
async def test_what_is_no_token_opens_nothing_even_beside_a_session(panel: Panel, value: str) -> None:
    headers = await panel.sign_in("teller")
    assert (await panel.ask("GET", "/orders", **headers, authorization=value)).status == 401


async def test_a_token_that_was_taken_away_opens_nothing(panel: Panel) -> None:
    headers = await panel.as_application(Trust.READER)
    assert (await panel.ask("GET", "/orders", **headers)).status == 200
    name = next(iter(panel.people.staff.register.applications))
    await panel.people.staff.remove_application(panel.people.actor("supervisor"), name)
    assert (await panel.ask("GET", "/orders", **headers)).status == 401


STRICT = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


async def test_strict_headers_on_every_answer_whoever_gives_it(panel: Panel) -> None:
    headers = await panel.as_application(Trust.READER)
    for answer in (
        await panel.ask("GET", "/orders", **headers),
        await panel.ask("GET", "/nothing"),
        await panel.ask("GET", "/orders"),
        await panel.ask("POST", "/session", b"x" * (MAX_BODY + 1)),
        await panel.ask("GET", "/orders", host="evil.example"),
        *[await panel.ask(method, path) for method, path in ROUTES],
    ):
        assert STRICT.items() <= answer.headers.items(), answer.status
        assert answer.status == 200 or answer.json()["error"]


async def test_bodies_and_rates_are_bounded(panel: Panel) -> None:
    headers = await panel.as_application(Trust.ORDERS)
    assert (await panel.ask("POST", "/orders", b"x" * (MAX_BODY + 1), **headers)).status == 413
    for size in ("many", "-1", "0" * 10, "0"):  # what is said of a size is not believed
        answer = await panel.ask("POST", "/orders", b"x" * (MAX_BODY + 1), **headers, content_length=size)
        assert answer.status == 413, size
    answers = [(await panel.ask("GET", "/session", **headers)).status for _ in range(int(BURST) + 5)]
    assert answers.count(429) >= 5
    panel.people.book.wall.seconds += 2
    assert (await panel.ask("GET", "/session", **headers)).status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *[(host, 401) for host in ("localhost", "LOCALHOST:8443", "127.0.0.1:8443", "127.8.8.8", "[::1]:8443")],
        *[
            (host, 421)
            for host in ("", "evil.example", "evil.example:8443", "127.0.0.1.evil.example", "[::2]", "192.0.2.1")
        ],
        *[(host, 421) for host in ("localhost.evil.example", "localhost@evil.example", "[", "]", ":", "\xff")],
    ],
)
async def test_a_name_that_somebody_made_point_here_opens_nothing(panel: Panel, host: str, status: int) -> None:
    assert (await panel.ask("GET", "/orders", host=host)).status == status
    assert (await panel.ask("POST", "/session", {"name": "teller", "password": GOOD}, host=host)).status == (
        200 if status == 401 else status
    )


async def test_nothing_secret_comes_back_or_is_logged(panel: Panel, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    planted = "planted secret"
    bodies: list[Any] = [
        {"name": planted, "password": planted, "more": planted},
        {"name": {"x": planted}, "password": planted},
        [planted],
        planted.encode(),
        {"name": "teller", "password": planted},
    ]
    for body in bodies:
        answer = await panel.ask("POST", "/session", body)
        assert planted not in answer.body.decode()
    token = await panel.token(Trust.ORDERS)
    resolution: Json = {
        "step": "draw",
        "attempt": "x",
        "choice": "done",
        "people": [{"name": "a", "password": planted}],
    }
    headers = await panel.sign_in("teller")
    for body in (resolution, {**resolution, "choice": planted}, {**resolution, "people": planted}):
        assert planted not in (await panel.ask("POST", "/orders/o1/resolution", body, **headers)).body.decode()
    assert planted not in caplog.text
    assert GOOD not in caplog.text
    assert token not in caplog.text
    assert headers["cookie"].split("=")[1] not in caplog.text
