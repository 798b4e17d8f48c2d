"""Cells loaded, the time confirmed, a journal adopted, a machine exercised: each by people who prove who they are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.envelope import rfc3339
from device_drivers.device import ActKind, ActSpec
from edge_agent.audit.proof import Wanted, rows
from edge_agent.door import Door, Peer
from edge_agent.orders.attesting import attested
from edge_agent.orders.desk import Place
from edge_agent.people.counter import Counter
from edge_agent.people.deciding import Deciding
from edge_agent.people.roles import MAY, Right, Role
from edge_agent.people.signing_in import LOCKED_AT
from tests.edge_agent.parts import ACTS, DEVICE, Book, Json, Wall
from tests.edge_agent.people.desk import GOOD, People, name_of, quick

ROOT = Peer(0)
CABINET = "cabinet-1"
TWO = ("hall.manager", "teller")


def places() -> tuple[Place, ...]:
    """A machine with cards, a cabinet, a screen and a counter of people: the last two hold nothing."""
    shows = {"show_text": ActSpec("show_text", ActKind.IDEMPOTENT, "Shows a text.", 1.0)}
    return (
        Place(DEVICE, "card-dispenser", ACTS),
        Place(CABINET, "token-cabinet", {}, cells={"A01": True, "A02": True}),
        Place("screen-1", "window-screen", shows, at="3"),
        Place("door-1", "people-counter", {}),
    )


@pytest.fixture
async def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[People]:
    quick(monkeypatch)
    async with Book(tmp_path, places=places(), adopted=False, wall=Wall(known=False)) as book:
        people = People(book)
        await people.one_of_each()
        yield people


def counter(people: People) -> Counter:
    return Counter(people.staff, Deciding(people.staff, people.book.intake, people.book.clock, people.book.branch))


def proofs(*names: str, password: str = GOOD) -> list[Json]:
    return [{"name": name, "password": password if n + 1 == len(names) else GOOD} for n, name in enumerate(names)]


def wish(book: Book, what: str, **data: Any) -> Json:
    """Each of the four, as good as it can be but for its people."""
    if what == "device.exercise":
        return {"wish": what, "device": DEVICE, "act": "draw_card"} | data
    load = [{"cell": "A01", "article": "u_shield", "serial": "US-1"}, {"cell": "A02"}]
    epoch = book.look(lambda tx: int(tx.meta("epoch")))
    counted = [{"device": DEVICE, "found": "98 cards, gate empty"}, {"device": CABINET, "found": "all empty"}]
    good: dict[str, Json] = {
        "stock.replenish": {"cells": load},
        "clock.attest": {"journal": book.journal.id, "epoch": epoch, "time": rfc3339(book.wall.now())},
        "journal.adopt": {"journal": book.journal.id, "counted": counted},
    }
    subject = {"subject": CABINET} if what == "stock.replenish" else {}
    return {"wish": what, "data": good[what] | data, **subject}


async def say(people: People, what: str, *names: str, password: str = GOOD, **data: Any) -> Json:
    if what == "device.exercise" and not people.book.look(lambda tx: tx.adopted):
        await people.book.ask("journal.adopt", {"journal": people.book.journal.id})
    asked = wish(people.book, what, **data) | {"people": proofs(*names, password=password)}
    return await counter(people).serve(asked, ROOT)


def done(book: Book, what: str) -> bool:
    """Whether the branch is another one for it."""
    if what == "stock.replenish":
        return book.one("SELECT 1 FROM cells WHERE state = 'declared'") is not None
    if what == "clock.attest":
        return book.look(attested) is not None
    if what == "journal.adopt":
        return book.look(lambda tx: tx.adopted) == "people"
    return book.one("SELECT 1 FROM orders WHERE scene = 'exercise_card'") is not None


ALL = {
    "stock.replenish": ("stock.changed", TWO, Right.STOCK),
    "clock.attest": ("journal.changed", ("chief", "teller"), Right.VOUCH),
    "journal.adopt": ("journal.changed", ("chief", "engineer"), Right.VOUCH),
    "device.exercise": ("", ("engineer",), Right.SERVICE),
}


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("what", ALL)
async def test_people_with_their_own_passwords_and_every_record_says_so(people: People, what: str) -> None:
    noun, names, _ = ALL[what]
    told = await say(people, what, *names)
    assert told["reply"]["status"] == "accepted", told
    assert done(people.book, what)
    ids = [f"/people/{name}" for name in names]
    act = "order.submit" if what == "device.exercise" else what
    row = rows(people.book.folder, Wanted(act=act))[-1]
    assert (row["who"], row["proven"], row["door"]) == (ids, True, "local")
    if noun == "stock.changed":
        told_of = [event["data"] for event in people.book.events(noun)]
        assert told_of
        assert all((data["by"], data["authenticated"]) == (ids, True) for data in told_of)
    elif noun:
        facts = people.book.events(noun)[-1]["data"]["facts"]
        assert (facts["people"], facts["authenticated"]) == (ids, True)


WRONG: list[tuple[str | None, str, str]] = [
    ("teller", "not this one", "wrong_credentials"),
    ("nobody", GOOD, "wrong_credentials"),
    ("CHIEF", GOOD, "same_person"),
    ("/people/chief ", GOOD, "same_person"),
    ("auditor", GOOD, "not_allowed"),
    (None, GOOD, "unauthorized"),
]


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("what", [what for what in ALL if what != "device.exercise"])
async def test_who_is_not_two_people_that_may_does_nothing(people: People, what: str) -> None:
    for second, password, refused in WRONG:
        names = ("chief",) if second is None else ("chief", second)
        told = await say(people, what, *names, password=password)
        assert told.get("refused", told.get("reply", {}).get("code")) == refused
        assert not done(people.book, what)


@pytest.mark.parametrize("what", ALL)
async def test_whoever_is_locked_does_nothing_with_the_right_password(people: People, what: str) -> None:
    for _ in range(LOCKED_AT):
        await people.enters("engineer", "wrong password")
        people.book.wall.seconds += 600
    names = ("engineer",) if what == "device.exercise" else ("chief", "engineer")
    assert (await say(people, what, *names))["refused"] == "locked"
    assert not done(people.book, what)


@pytest.mark.parametrize("what", ALL)
async def test_one_of_them_must_be_somebody_who_may(people: People, what: str) -> None:
    await people.add("second", Role.TELLER)
    lead = ALL[what][2]
    for role in sorted(Role, key=lambda role: lead in MAY[role]):
        names = (name_of(role),) if what == "device.exercise" else (name_of(role), "second")
        told = await say(people, what, *names)
        may = lead in MAY[role]
        assert ("reply" in told) is may
        assert done(people.book, what) is may
        assert may or told["refused"] == ("not_allowed" if Right.RESOLVE not in MAY[role] else "none_may")


def test_who_may_lead_what() -> None:
    """The table as the branch would say it."""
    who = {right: {role.value for role in Role if right in MAY[role]} for _, _, right in ALL.values()}
    assert who == {
        Right.STOCK: {"hall_manager", "supervisor"},
        Right.VOUCH: {"supervisor"},
        Right.SERVICE: {"engineer", "supervisor"},
    }


async def _declared(people: People, noun: str, data: Json, subject: Any = None) -> Json:
    """What root hands in by names alone, as `socat` would."""
    written = people.book.envelope(noun, data, source="/people/chief", subject=subject)
    door = Door(people.book.folder, people.book.intake, counter(people))
    return await door._answer(json.dumps(written).encode(), ROOT)


DECLARED = ["stock.replenish", "clock.attest", "journal.adopt"]


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize("what", [*DECLARED, "order.submit"])
async def test_where_there_are_people_not_even_root_changes_anything_by_a_name(people: People, what: str) -> None:
    asked: Json = {"data": {"scene": "exercise_card"}, "subject": "o9"}
    if what != "order.submit":
        asked = wish(people.book, what)
    data = asked["data"] | ({"people": ["chief", "teller"]} if what in DECLARED else {})
    reply = await _declared(people, what, data, asked.get("subject"))
    assert reply["code"] == "unauthorized"
    assert not done(people.book, "device.exercise" if what == "order.submit" else what)
    assert (await _declared(people, "orders.request", {}))["status"] == "accepted", "looking needs nobody's name"


@pytest.mark.parametrize("what", DECLARED)
async def test_an_altered_register_opens_no_way_round_it(people: People, what: str) -> None:
    path = people.book.folder / "people.json"
    path.write_text(path.read_text("utf-8").replace("teller", "Teller"), "utf-8")
    await people.restart()
    assert people.staff.altered
    asked = wish(people.book, what)
    reply = await _declared(people, what, asked["data"] | {"people": ["chief", "teller"]}, asked.get("subject"))
    assert reply["code"] == "unauthorized"
    assert (await say(people, what, "chief", "teller"))["refused"] == "wrong_credentials"
    assert not done(people.book, what)


@pytest.mark.parametrize("what", DECLARED)
async def test_a_branch_without_people_takes_names_as_declared_and_says_so(tmp_path: Path, what: str) -> None:
    async with Book(tmp_path, places=places(), adopted=False, wall=Wall(known=False)) as book:
        people = People(book)
        await people.open()
        asked = wish(book, what)
        reply = await _declared(people, what, asked["data"] | {"people": ["chief", "teller"]}, asked.get("subject"))
        assert reply["status"] == "accepted", reply
        assert done(book, what)
        event = book.events("stock.changed" if what == "stock.replenish" else "journal.changed")[-1]["data"]
        assert event.get("facts", event)["authenticated"] is False
        assert rows(book.folder, Wanted(act=what))[-1]["proven"] is False


@pytest.mark.rule("ORD-6")
async def test_over_the_broker_names_stay_declared(people: People) -> None:
    data = wish(people.book, "stock.replenish")["data"] | {"people": ["chief", "teller"]}
    assert (await people.book.ask("stock.replenish", data, subject=CABINET))["status"] == "accepted"
    assert people.book.events("stock.changed")[-1]["data"]["authenticated"] is False


@pytest.mark.rule("ORD-12")
async def test_only_what_may_hold_an_article_has_to_be_counted(people: People) -> None:
    assert (await counter(people).serve({"wish": "hello"}, ROOT))["result"]["holding"] == [DEVICE, CABINET]
    found = [{"device": CABINET, "found": "all empty"}, {"device": "screen-1", "found": "dark"}]
    told = await say(people, "journal.adopt", "chief", "teller", counted=found)
    assert f"not counted yet: {DEVICE}:" in told["reply"]["message"]
    assert not done(people.book, "journal.adopt")


async def test_an_exercise_is_the_shipped_order_and_draws_nothing_by_one_person(people: People) -> None:
    told = await say(people, "device.exercise", "engineer")
    order = people.book.order(told["reply"]["order"])
    assert (order.scene, order.priority) == ("exercise_card", -100)
    assert people.book.step("draw", order.id).needs_release, "two people release it"
    await say(people, "device.exercise", "engineer", device="screen-1", act="show_text")
    assert people.book.one('SELECT 1 FROM orders WHERE parameters LIKE \'%"window": "3"%\'') is not None
    assert (await say(people, "device.exercise", "engineer", device="none"))["refused"] == "no_device"
    for act in ("capture_card", "show_text"):
        assert (await say(people, "device.exercise", "engineer", act=act))["refused"] == "no_exercise"


async def test_no_password_of_these_is_logged_or_kept(people: People, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for what, (_, names, _) in ALL.items():
        await say(people, what, *names)
        await say(people, what, *names, password="planted secret")
    kept = b"".join(path.read_bytes() for path in people.book.folder.iterdir() if path.is_file())
    for secret in (GOOD, "planted secret"):
        assert secret not in caplog.text
        assert secret.encode() not in kept
