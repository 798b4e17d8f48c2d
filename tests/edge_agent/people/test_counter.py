"""People at the branch's own door: their affairs, each with their password, and decisions that are proven theirs."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.audit.proof import Wanted, rows
from edge_agent.door import Peer
from edge_agent.orders.approving import HOLDS_S
from edge_agent.people.counter import Counter
from edge_agent.people.deciding import Deciding
from edge_agent.people.roles import Right, Role
from tests.edge_agent.orders import points as at_point
from tests.edge_agent.parts import DEVICE, Book, Json
from tests.edge_agent.people.desk import GOOD, People, name_of, quick

ROOT, MEMBER = Peer(0), Peer(os.geteuid() + 1000)


@pytest.fixture
async def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[People]:
    """A branch with one of each role."""
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        people = People(book)
        await people.one_of_each()
        yield people


def counter(people: People) -> Counter:
    deciding = Deciding(people.staff, people.book.intake, people.book.clock, people.book.branch)
    return Counter(people.staff, deciding)


async def say(people: People, wish: str, peer: Peer = ROOT, /, **members: Any) -> Json:
    return await counter(people).serve({"wish": wish, **members}, peer)


def by(name: str = "chief", password: str = GOOD) -> Json:
    return {"name": name, "password": password}


def decision(*names: str, choice: str = "done", step: str = "draw", **more: Any) -> Json:
    data = {"step": step, "attempt": f"o1/{step}/1", "choice": choice}
    return {"order": "o1", "data": data, "people": [by(name) for name in names], **more}


# -- their affairs -----------------------------------------------------------------------------------------------------


async def test_everything_about_people_at_the_counter(people: People) -> None:
    greeting = {"set_up": True, "altered": False, "wants_proof": True, "holding": [DEVICE]}
    assert (await say(people, "hello"))["result"] == greeting
    added = await say(people, "people.add", by=by(), name="Wu", role="teller", password="a fine password", display="吴")
    assert added["result"] == {"name": "wu", "role": "teller"}
    assert "result" in await say(people, "people.role", by=by(), name="wu", role="engineer")
    assert "result" in await say(people, "people.password", by=by("wu", "a fine password"), name="wu", password=GOOD)
    for wish in ("people.disable", "people.enable", "people.unlock"):
        assert (await say(people, wish, by=by(), name="wu"))["result"] == {"name": "wu"}
    given = (await say(people, "applications.add", by=by(), name="till", trust="orders"))["result"]
    assert given["token"].startswith("bg_")
    listed = (await say(people, "people.list", by=by("auditor")))["result"]
    assert [one["name"] for one in listed["people"]] == ["auditor", "chief", "engineer", "hall.manager", "teller", "wu"]
    assert listed["applications"] == [{"name": "till", "trust": "orders"}]
    assert "token" not in str(listed)
    assert GOOD not in str(listed)
    assert (await say(people, "applications.remove", by=by(), name="till"))["result"] == {"name": "till"}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    ("wish", "members"),
    [
        ("people.add", {"name": "wu", "role": "teller", "password": "a fine password"}),
        ("people.role", {"name": "teller", "role": "engineer"}),
        ("people.disable", {"name": "teller"}),
        ("people.unlock", {"name": "teller"}),
        ("applications.add", {"name": "till", "trust": "reader"}),
    ],
)
async def test_who_may_manage_people(people: People, role: Role, wish: str, members: Json) -> None:
    told = await say(people, wish, by=by(name_of(role)), **members)
    assert ("result" in told) == (role is Role.SUPERVISOR)
    assert role is Role.SUPERVISOR or told["refused"] == "not_allowed"


async def test_a_wrong_password_does_nothing_and_says_no_more(people: People) -> None:
    for name in ("chief", "nobody"):
        told = await say(people, "people.disable", by=by(name, "wrong password"), name="teller")
        assert told == {"refused": "wrong_credentials", "places": {}}
    assert not people.staff.register.get("teller").disabled


async def test_only_root_or_the_agents_user_gets_a_code(people: People) -> None:
    assert (await say(people, "people.code", MEMBER))["refused"] == "not_root"
    assert not people.staff.code.path.exists()
    assert (await say(people, "people.code"))["result"] == {"file": str(people.staff.code.path)}
    told = await say(people, "people.set_up", MEMBER, code=people.staff.code.kept(), name="chief", password="new one 1")
    assert told == {"refused": "password_length", "places": {"least": "10", "most": "200"}}
    again = {"code": people.staff.code.kept(), "name": "chief", "password": "a new one 1"}
    assert (await say(people, "people.set_up", MEMBER, **again))["result"]["role"] == "supervisor"


async def test_what_cannot_be_read_is_refused_without_repeating_it(people: People) -> None:
    planted = "planted secret"
    for members in (
        {"wish": "people.add", "by": by(password=planted), "name": "wu", "role": "king", "password": planted},
        {"wish": "people.add", "by": planted},
        {"wish": planted},
        {"wish": ["hello"]},
        {"wish": "hello", "more": planted},
        {"wish": "people.list", "by": {"name": "chief", "password": planted * 100}},
    ):
        told = await counter(people).serve(members, ROOT)
        assert told["problem"] == "unreadable"
        assert planted not in str(told)


# -- decisions ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-6")
async def test_two_people_with_their_own_passwords_decide_and_every_record_says_so(people: People) -> None:
    await at_point.draw_asks(people.book)
    told = await say(people, "order.resolve", **decision("teller", "engineer"))
    assert told["reply"]["status"] == "accepted"
    changed = [event["data"] for event in people.book.events("order.changed") if event["data"].get("by")]
    assert [(data["by"], data["authenticated"]) for data in changed] == [(["/people/teller", "/people/engineer"], True)]
    assert "proven" not in changed[0]
    row = rows(people.book.folder, Wanted(act="order.resolve"))[-1]
    assert (row["who"], row["proven"], row["door"]) == (["/people/teller", "/people/engineer"], True, "local")


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize(
    ("members", "refused"),
    [
        (decision("teller", "teller"), "same_person"),
        (decision("teller", "TELLER"), "same_person"),
        (decision("teller", "/people/ teller"), "same_person"),
        (decision("teller", "/people//people/teller"), "same_person"),
        (decision("teller", "auditor"), "not_allowed"),
        ({**decision("teller"), "people": [by("teller"), by("engineer", "wrong password")]}, "wrong_credentials"),
        ({**decision("teller"), "people": [by("teller"), by("nobody")]}, "wrong_credentials"),
    ],
)
async def test_who_is_not_two_people_that_may_decides_nothing(people: People, members: Json, refused: str) -> None:
    await at_point.draw_asks(people.book)
    assert (await say(people, "order.resolve", **members))["refused"] == refused
    assert people.book.order().state.value == "needs_attention"


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("role", list(Role))
async def test_who_may_say_what_was_seen(people: People, role: Role) -> None:
    await at_point.draw_asks(people.book)
    told = await say(people, "order.resolve", **decision(name_of(role), choice="failed"))
    from edge_agent.people.roles import MAY

    assert ("reply" in told) == (Right.RESOLVE in MAY[role])


@pytest.mark.rule("ORD-6")
async def test_one_is_too_few_unless_a_second_is_awaited_at_the_centre(people: People) -> None:
    book = people.book
    await at_point.draw_asks(book)
    alone = (await say(people, "order.resolve", **decision("teller")))["reply"]
    assert alone["code"] == "unauthorized"
    waits = (await say(people, "order.resolve", **decision("teller", waits_for_another=True)))["reply"]
    assert waits["result"] == {"state": "needs_attention", "approved": ["/people/teller"], "needed": 2}
    told = next(event for event in book.events("journal.changed") if event["data"]["what"] == "approval_waits")
    assert told["subject"] == "o1"
    assert {key: told["data"]["facts"][key] for key in ("by", "choice", "attempt")} == {
        "by": ["/people/teller"],
        "choice": "done",
        "attempt": "o1/draw/1",
    }
    remote = await book.resolve("o1", "draw", "done", "/people/wang-at-the-centre")
    assert remote["status"] == "accepted"
    changed = next(event["data"] for event in book.events("order.changed") if event["data"].get("by"))
    assert changed["by"] == ["/people/teller", "/people/wang-at-the-centre"]
    assert (changed["authenticated"], changed["proven"]) == (False, ["/people/teller"]), "the centre does not sign yet"
    assert book.one("SELECT 1 FROM approvals") is None


REMOTE: dict[str, tuple[Json, str]] = {
    "the same person": ({"people": ["Teller"]}, "unauthorized"),
    "the scheduler itself": ({"people": ["centre"]}, "invalid"),
    "another choice": ({"people": ["wang"], "choice": "no_effect"}, "unauthorized"),
}


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize(("members", "code"), REMOTE.values(), ids=REMOTE)
async def test_what_does_not_complete_a_decision(people: People, members: Json, code: str) -> None:
    book = people.book
    await at_point.draw_asks(book)
    await say(people, "order.resolve", **decision("teller", waits_for_another=True))
    data = {"step": "draw", "attempt": "o1/draw/1", "choice": "done", **members}
    assert (await book.ask("order.resolve", data, subject="o1"))["code"] == code


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("how", ["too late", "another boot"])
async def test_whoever_looked_long_ago_must_look_again(people: People, how: str) -> None:
    book = people.book
    await at_point.draw_asks(book)
    await say(people, "order.resolve", **decision("teller", waits_for_another=True))
    if how == "too late":
        book.wall.seconds += HOLDS_S
    else:
        book.wall.boot = "boot-2"
    assert (await book.resolve("o1", "draw", "done", "wang"))["code"] == "unauthorized"


@pytest.mark.rule("ORD-6")
async def test_a_restart_of_the_agent_keeps_who_waits_and_a_second_at_the_box_completes_it(people: People) -> None:
    await at_point.draw_asks(people.book)
    await say(people, "order.resolve", **decision("teller", waits_for_another=True))
    await people.restart()
    told = await say(people, "order.resolve", **decision("engineer"))
    assert told["reply"]["status"] == "accepted"
    changed = next(event["data"] for event in people.book.events("order.changed") if event["data"].get("by"))
    assert (changed["by"], changed["authenticated"]) == (["/people/teller", "/people/engineer"], True)


async def test_no_password_of_the_counter_is_logged(people: People, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await at_point.draw_asks(people.book)
    await say(people, "order.resolve", **decision("teller", "engineer"))
    await say(people, "people.disable", by=by("chief", "planted secret"), name="teller")
    told = caplog.text + json.dumps(rows(people.book.folder, Wanted(1000)))
    assert GOOD not in told
    assert "planted secret" not in told


async def test_an_order_whose_name_is_longer_than_any_is_unknown(people: People) -> None:
    told = await say(people, "order.resolve", **decision("teller", choice="failed") | {"order": "o" * 300})
    assert (told["reply"]["status"], told["reply"]["code"]) == ("rejected", "unknown_order")
