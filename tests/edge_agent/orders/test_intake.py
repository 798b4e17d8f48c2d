"""The door: each instruction has one reply, a repeat has no effect, and nothing that stands before it can break it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_bridge.messages.catalogue import INSTRUCTIONS, PLANNED
from cloud_bridge.ports import StoreFailed
from edge_agent.orders.desk import Place
from edge_agent.orders.record import set_lane
from edge_agent.orders.requests import MAX_RESEND
from edge_agent.orders.rows import LaneRow
from edge_agent.orders.scenes import parse_scene
from tests.edge_agent.orders import points as at_point
from tests.edge_agent.parts import ACTS, Book, Json, at, marked
from tests.virtual_time import run

SUBMIT = {"scene": "collect_card"}


def told(book: Book) -> int:
    return len(book.events())


# -- one reply each ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("INS-1")
@pytest.mark.rule("INS-3")
async def test_an_accepted_order_is_in_the_journal_with_its_reply(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        reply = await book.ask("order.submit", {**SUBMIT, "customer": "c-1"}, subject="o1", id="i-1")
        assert reply["status"] == "accepted"
        assert (reply["instruction"], reply["order"], reply["journal"]) == ("i-1", "o1", book.journal.id)
        assert reply["after"] == told(book)
        row = book.one("SELECT * FROM orders")
        assert row is not None
        assert (row["customer"], row["instruction"], row["source"]) == ("c-1", "i-1", "/schedulers/centre")
        assert json.loads(row["parameters"]) == {"take_s": 30, "receipt": True, "language": "zh"}


@pytest.mark.rule("ORD-1")
async def test_without_a_subject_the_order_is_named_after_the_instruction(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        assert (await book.ask("order.submit", SUBMIT, id="i-77"))["order"] == "i-77"


@pytest.mark.rule("INS-3")
async def test_a_repeat_gets_the_first_reply_again_and_has_no_effect(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        written = json.dumps(book.envelope("order.submit", SUBMIT, subject="o1")).encode()
        first = await book.take(written)
        await book.submit("o2")
        before = told(book)
        assert await book.take(written) == {**first, "repeat": True}
        await book.restart()
        assert await book.take(written) == {**first, "repeat": True}
        book.wall.seconds = 3600  # also when its deadline has passed meanwhile
        assert await book.take(written) == {**first, "repeat": True}
        assert told(book) == before


@pytest.mark.rule("INS-3")
async def test_time_source_and_order_of_members_do_not_make_another_instruction(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        one = book.envelope("order.submit", {"scene": "collect_card", "priority": 1}, id="i-1", subject="o1")
        other = {**dict(reversed(one.items())), "time": at(60), "traceparent": "x", "deadline": at(200)}
        other["data"] = dict(reversed(one["data"].items()))
        first = await book.take(json.dumps(one).encode())
        assert await book.take(json.dumps(other).encode()) == {**first, "repeat": True}


@pytest.mark.rule("INS-3")
@pytest.mark.parametrize(
    "change",
    [{"type": "branchgate.order.hold.v1"}, {"subject": "o2"}, {"data": {**SUBMIT, "priority": 1}}, {"branch": "B0002"}],
    ids=["type", "subject", "data", "branch"],
)
async def test_the_same_id_with_other_content_is_a_conflict_and_has_no_effect(tmp_path: Path, change: Json) -> None:
    async with Book(tmp_path) as book:
        one = book.envelope("order.submit", SUBMIT, id="i-1", subject="o1")
        first = await book.take(json.dumps(one).encode())
        before = told(book)
        reply = await book.take(json.dumps({**one, **change}).encode())
        assert (reply["status"], reply["code"]) == ("rejected", "conflict")
        assert told(book) == before
        assert await book.take(json.dumps(one).encode()) == {**first, "repeat": True}


@pytest.mark.rule("INS-3")
async def test_a_rejection_is_final_for_its_id(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        written = json.dumps(book.envelope("order.cancel", subject="o1")).encode()
        first = await book.take(written)
        assert first["code"] == "unknown_order"
        await book.submit("o1")
        assert await book.take(written) == {**first, "repeat": True}
        assert book.order().state == "accepted"
        retry = await book.ask("order.cancel", {"retry_of": "i1"}, subject="o1")
        assert retry["status"] == "accepted"


@pytest.mark.rule("INS-3")
async def test_what_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    async with Book(tmp_path, places=()) as book:
        before = told(book)
        assert (await book.ask("order.submit", SUBMIT, subject="o1"))["code"] == "no_device_for_role"
        assert told(book) == before
        assert book.one("SELECT 1 FROM orders") is None


@pytest.mark.rule("OUT-1")
async def test_instruction_order_event_and_reply_are_one_transaction(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        written = json.dumps(book.envelope("order.submit", SUBMIT, subject="o1")).encode()
        before, commits = told(book), book.disk.commits
        book.disk.full = True
        with pytest.raises(StoreFailed):
            await book.intake.take(written)
        book.disk.full = False
        tables = ("inbox", "orders", "steps", "replies")
        assert [book.one(f"SELECT 1 FROM {table}") for table in tables] == [None] * 4  # noqa: S608  # our own names
        assert told(book) == before
        assert (await book.take(written))["status"] == "accepted"
        assert book.disk.commits == commits + 2


# -- codes -------------------------------------------------------------------------------------------------------------

REFUSED: list[tuple[str, str, Json, Json]] = [
    ("invalid", "order.dance", {}, {}),
    ("invalid", "order.submit", {"scene": 7}, {}),
    ("invalid", "order.submit", {}, {}),
    ("invalid", "order.submit", {**SUBMIT, "parameters": {"take_s": "long"}}, {}),
    ("invalid", "order.submit", {**SUBMIT, "parameters": {"take_s": True}}, {}),
    ("invalid", "order.submit", {**SUBMIT, "parameters": {"take_s": 601}}, {}),
    ("invalid", "order.submit", {**SUBMIT, "parameters": {"take_s": 10**400}}, {}),
    ("invalid", "order.submit", {**SUBMIT, "parameters": {"colour": "red"}}, {}),
    ("invalid", "order.submit", {**SUBMIT, "priority": 101}, {}),
    ("invalid", "order.submit", {**SUBMIT, "not_before": "tomorrow"}, {}),
    ("invalid", "order.submit", {**SUBMIT, "not_before": "2026-03-02T12:00:00"}, {}),
    ("invalid", "order.submit", SUBMIT, {"subject": "a/b"}),
    ("invalid", "order.submit", SUBMIT, {"subject": "-a"}),
    ("invalid", "order.submit", SUBMIT, {"subject": "a\n"}),
    ("invalid", "order.submit", SUBMIT, {"subject": "é"}),
    ("invalid", "order.submit", SUBMIT, {"deadline": None}),
    ("invalid", "order.submit", SUBMIT, {"deadline": at(91 * 86_400)}),
    ("expired", "order.submit", SUBMIT, {"deadline": at(0)}),
    ("expired", "order.submit", {**SUBMIT, "deadline": at(-1)}, {}),
    ("unauthorized", "order.submit", SUBMIT, {"branch": "B0002"}),
    ("unknown_scene", "order.submit", {"scene": "print_money"}, {}),
    ("unknown_order", "order.cancel", {}, {"subject": "o9"}),
    ("unknown_order", "order.cancel", {}, {}),
    ("unknown_order", "orders.request", {"order": "o9"}, {}),
    ("invalid", "orders.request", {"states": ["asleep"]}, {}),
    ("invalid", "orders.request", {"after": "x"}, {}),
    ("invalid", "orders.request", {"after": "9" * 200}, {}),
    ("invalid", "orders.request", {"after": "²"}, {}),
    ("invalid", "orders.request", {"limit": 0}, {}),
    ("invalid", "events.request", {"journal": "other", "from": 1, "to": 1}, {}),
    ("invalid", "journal.adopt", {"journal": "other"}, {}),
]


@pytest.mark.rule("INS-4")
@pytest.mark.parametrize(("code", "noun", "data", "members"), REFUSED, ids=range(len(REFUSED)))
async def test_each_refusal_has_its_code_and_says_what_to_do(
    tmp_path: Path, code: str, noun: str, data: Json, members: Json
) -> None:
    async with Book(tmp_path) as book:
        reply = await book.ask(noun, data, **{"id": "i-1", **members})
        assert (reply["status"], reply["code"], reply["instruction"]) == ("rejected", code, "i-1"), reply
        assert len(reply["message"]) > 10
        assert book.one("SELECT 1 FROM orders") is None


@pytest.mark.rule("INS-8")
@pytest.mark.parametrize("type_", sorted(PLANNED))
async def test_types_of_the_contract_that_are_not_built_yet_are_unsupported(tmp_path: Path, type_: str) -> None:
    async with Book(tmp_path) as book:
        assert (await book.ask("x", type=type_))["code"] == "unsupported"


@pytest.mark.rule("INS-4")
async def test_an_order_that_exists_is_a_conflict(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit("o1")
        assert (await book.ask("order.submit", SUBMIT, subject="o1"))["code"] == "conflict"


@pytest.mark.rule("INS-4")
async def test_too_many_open_orders_are_overload_until_some_have_ended(tmp_path: Path) -> None:
    async with Book(tmp_path, max_open=2) as book:
        await book.submit("o1")
        await book.submit("o2")
        assert (await book.ask("order.submit", SUBMIT, subject="o3"))["code"] == "overloaded"
        assert await at_point.play_on(book, "o1") == "completed"
        assert (await book.ask("order.submit", SUBMIT, subject="o3"))["status"] == "accepted"


@pytest.mark.rule("ORD-12")
async def test_a_journal_that_nobody_adopted_takes_no_physical_order(tmp_path: Path) -> None:
    async with Book(tmp_path, adopted=False) as book:
        assert (await book.ask("order.submit", SUBMIT, subject="o1"))["code"] == "journal_new"
        adopted = await book.ask("journal.adopt", {"journal": book.journal.id, "orders": ["o7", "o8"]})
        assert adopted["result"]["orders"] == 2
        assert (await book.ask("order.submit", SUBMIT, subject="o1", id="again"))["status"] == "accepted"
        assert (await book.ask("order.submit", SUBMIT, subject="o7"))["code"] == "conflict"
        assert (await book.ask("order.submit", SUBMIT, id="o8", subject="o9"))["code"] == "conflict"
        assert (await book.ask("journal.adopt", {"journal": book.journal.id}))["code"] == "conflict"
        assert book.told("journal.changed", "what") == ["adopted"]


@pytest.mark.rule("ORD-12")
async def test_an_adoption_opens_the_lanes_that_a_lost_journal_had_shut_and_no_others(tmp_path: Path) -> None:
    async with Book(tmp_path, adopted=False) as book:
        for device, reason in (("card-1", "journal_lost"), ("card-2", "card_jam")):
            lane = LaneRow(device, shut=True, reason=reason, attempt="x/draw/1")
            await book.do(lambda tx, row=lane: set_lane(tx, row))  # type: ignore[misc]
        await book.ask("journal.adopt", {"journal": book.journal.id})
        assert (book.lane("card-1").shut, book.lane("card-2").shut) == (False, True)


@pytest.mark.rule("INS-5")
async def test_without_a_clock_a_deadline_refuses_nobody(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        book.wall.known = False
        reply = await book.ask("order.submit", {**SUBMIT, "deadline": at(-5)}, subject="o1", deadline=at(-3600))
        assert reply["status"] == "accepted"
        far = at(200 * 86_400)  # from a clock at its beginning any deadline is far
        assert (await book.ask("order.submit", SUBMIT, subject="o2", deadline=far))["status"] == "accepted"


@pytest.mark.rule("INS-1")
async def test_the_deadline_is_the_last_moment_of_acceptance(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        assert (await book.ask("order.submit", SUBMIT, subject="o1", deadline=at(0.001)))["status"] == "accepted"
        assert (await book.ask("order.submit", SUBMIT, subject="o2", deadline=at(0)))["code"] == "expired"
        assert (await book.ask("order.submit", SUBMIT, subject="o3", deadline=at(90 * 86_400)))["status"] == "accepted"


@pytest.mark.rule("ENV-1")
async def test_unknown_members_are_ignored(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        data = {**SUBMIT, "mood": {"of": ["the", "day"]}}
        reply = await book.ask("order.submit", data, subject="o1", signature="later", comexample=1)
        assert reply["status"] == "accepted"


async def test_a_device_of_the_role_is_chosen_by_load_and_openness(tmp_path: Path) -> None:
    places = tuple(Place(name, "card-dispenser", ACTS) for name in ("card-1", "card-2", "card-3"))
    async with Book(tmp_path, places=places) as book:
        await book.do(lambda tx: set_lane(tx, LaneRow("card-1", shut=True)))
        chosen = [(await book.submit(f"o{n}")).device for n in range(4)]
        assert chosen == ["card-2", "card-3", "card-2", "card-3"]


# -- lists -------------------------------------------------------------------------------------------------------------


async def test_the_list_comes_in_pages_and_one_order_with_its_story(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        for n in range(5):
            await book.submit(f"o{n}")
        await at_point.play_on(book, "o0")
        first = (await book.ask("orders.request", {"limit": 2}))["result"]
        second = (await book.ask("orders.request", {"limit": 2, "after": first["next"]}))["result"]
        assert [order["order"] for order in first["orders"] + second["orders"]] == ["o1", "o2", "o3", "o4"]
        assert "next" not in second
        ended = (await book.ask("orders.request", {"states": ["completed"]}))["result"]["orders"]
        assert [order["order"] for order in ended] == ["o0"]
        [story] = (await book.ask("orders.request", {"order": "o0"}))["result"]["orders"]
        assert [s["state"] for s in story["steps"]] == ["done", "done", "done"]
        assert [a["attempt"] for a in story["attempts"]] == ["o0/draw/1", "o0/present/1", "o0/take/1"]
        assert [h["seq"] for h in story["history"]] == sorted(h["seq"] for h in story["history"])


@pytest.mark.rule("SES-6")
async def test_events_are_sent_again_from_and_to_both_included(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        for n in range(4):
            await book.submit(f"o{n}")
        outbox = book.outbox()
        all_ = await outbox.unsent("events", 100)
        await marked(outbox, "events", [row.key for row in all_])
        reply = await book.ask("events.request", {"journal": book.journal.id, "from": 2, "to": 3})
        assert reply["result"] == {"from": 2, "to": 3}
        assert await outbox.unsent("events", 100) == all_[1:3]
        beyond = await book.ask("events.request", {"journal": book.journal.id, "from": 4, "to": 10**30})
        assert beyond["result"] == {"from": 4, "to": 5}


@pytest.mark.rule("SES-6")
@pytest.mark.parametrize(("from_", "to"), [(3, 2), (99, 100), (10**30, 10**31)])
async def test_events_that_there_are_not_are_refused(tmp_path: Path, from_: int, to: int) -> None:
    async with Book(tmp_path) as book:
        reply = await book.ask("events.request", {"journal": book.journal.id, "from": from_, "to": to})
        assert reply["code"] == "invalid"


@pytest.mark.rule("SES-6")
async def test_too_many_events_at_once_are_refused_with_the_number_that_may_be_asked(tmp_path: Path) -> None:
    async with Book(tmp_path, fast=True) as book:
        words = {"what": "filler"}
        kind = "branchgate.journal.changed.v1"
        await book.do(lambda tx: [tx.emit(kind, None, words) for _ in range(MAX_RESEND + 10)])
        request = {"journal": book.journal.id, "from": 2, "to": MAX_RESEND + 2}
        reply = await book.ask("events.request", request)
        assert reply["code"] == "invalid"
        assert str(MAX_RESEND) in reply["message"]
        assert (await book.ask("events.request", {**request, "from": 3}))["status"] == "accepted"


# -- what cannot be read -----------------------------------------------------------------------------------------------


def garbage(book: Book) -> list[tuple[bytes, bool]]:
    """Payloads, and whether an id can be read in them."""
    one = json.dumps(book.envelope("order.submit", SUBMIT, id="g-1"))
    return [
        (b"", False),
        (b"\x00", False),
        (b"\xff\xfe{}", False),
        (b"[]", False),
        (b'"x"', False),
        (b"null", False),
        (b'["id", "g-1"]', False),
        (b'[["id", "g-1"]]', False),
        (b"{}", False),
        (b'{"id": 7}', False),
        (b'{"id": ""}', False),
        (b'{"id": "g-1"}', True),
        (b'{"id": "g-1", "id": "g-2"}', False),
        (b'{"id": "' + b"x" * 201 + b'"}', False),
        (b'{"id": "\\ud800"}', False),
        (b'{"id": "g-1", "data": {"a": "\\ud800"}}', True),
        (b'{"id": "g-1", "\\udfff": 1}', True),
        (b'{"id": "g-1", "data": {"a": 1, "a": 2}}', True),
        (b'{"id": "g-1", "data": NaN}', True),
        (b'{"id": "g-1", "data": {"n": 1e999}}', True),
        (b'{"id": "g-1", "data": ' + b"[" * 200 + b"]" * 200 + b"}", True),
        (b'{"id": "g-1", "data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", False),
        (b'{"id": "g-1", "data": ' + b"9" * 5000 + b"}", False),
        (one.replace('"1.0"', '"0.3"').encode(), True),
        (one.replace("2026", "twothousand").encode(), True),
        (one.replace('"time": "2026-03-02T12:00:00.000Z"', '"time": "9999-12-31T23:59:59-14:00"').encode(), True),
        (one.replace('"branch": "B0001"', '"branch": 5').encode(), True),
        (one.replace('"data": {', '"data": [{').replace("}}", "}]}").encode(), True),
        (one[:-1].encode(), False),
        (one.encode() + b" " * 256 * 1024, False),
        (one.encode("utf-16"), False),
    ]


@pytest.mark.rule("ENV-5")
async def test_what_cannot_be_read_is_refused_counted_and_told_once(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        cases = garbage(book)
        for count, (payload, readable) in enumerate(cases, 1):
            before = book.one("SELECT count(*) FROM inbox")
            reply = await book.take(payload.replace(b"g-1", b"g-%d" % (count + 100)))
            assert bool(reply) == readable, payload[:80]
            assert reply.get("code") == ("invalid" if readable else None), payload[:80]
            after = book.one("SELECT count(*) FROM inbox")
            assert before is not None
            assert after is not None
            assert after[0] - before[0] == readable
            assert book.intake.refused_unread == count
        assert book.told("journal.changed", "what").count("unreadable_instruction") == 1
        assert book.one("SELECT 1 FROM orders") is None
        assert (await book.ask("order.submit", SUBMIT, subject="o1"))["status"] == "accepted"


@pytest.mark.rule("ENV-5")
async def test_garbage_that_could_not_be_told_for_want_of_disk_is_told_later(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        book.disk.full = True
        with pytest.raises(StoreFailed):
            await book.intake.take(b"garbage")
        book.disk.full = False
        await book.intake.take(b"garbage")
        assert book.told("journal.changed", "what").count("unreadable_instruction") == 1


@pytest.mark.rule("INS-3")
async def test_an_unreadable_instruction_under_a_known_id_changes_nothing_of_the_first(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        written = json.dumps(book.envelope("order.submit", SUBMIT, id="i-1", subject="o1")).encode()
        first = await book.take(written)
        assert (await book.take(b'{"id": "i-1"}'))["code"] == "conflict"
        assert await book.take(written) == {**first, "repeat": True}


@pytest.mark.parametrize("where", ["id", "subject", "source", "branch", "type", "scene", "customer", "reason"])
async def test_odd_but_valid_text_is_carried_or_refused_and_never_breaks_anything(tmp_path: Path, where: str) -> None:
    async with Book(tmp_path) as book:
        for text in ("\x00", "a\x00b", "\u202e", "\U0001f0a1", "'; DROP TABLE orders; --", "\n\r\t", "%s%n{}", "领卡"):
            members: Json = {where: text} if where in ("id", "subject", "source", "branch", "type") else {}
            data: Json = {**SUBMIT, **({where: text} if not members else {})}
            reply = await book.ask("order.submit", data, **members)
            assert reply["status"] in ("accepted", "rejected")
            if where == "id":
                assert reply["instruction"] == text
            await book.ask("order.cancel", {"reason": text}, subject="o1")
        rows = book.outbox()
        assert await rows.unsent("replies", 1000)
        assert await rows.unsent("events", 1000)


# -- anything at all ---------------------------------------------------------------------------------------------------

TEXT = st.text(max_size=12) | st.sampled_from(
    ["\x00", "o1", "draw", "o1/draw/1", "collect_card", at(0), at(60), "centre"]
)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
ANY = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
NAMES = sorted({name for row in INSTRUCTIONS.values() for name in row.model.model_fields} | {"from"})
DATA = st.dictionaries(st.sampled_from(NAMES) | TEXT, ANY, max_size=6)
TYPES = st.sampled_from(sorted(INSTRUCTIONS))
HEAD = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(["specversion", "id", "source", "time", "subject", "branch", "deadline"], ANY),
)
MANY = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def meets(folder: Any, type_: str, data: Any, head: Json) -> None:
    async def work() -> None:
        async with Book(folder.mktemp("any"), fast=True) as book:
            await at_point.draw_asks(book)
            members = {"type": type_, "data": data, **head}
            payload = json.dumps({**book.envelope("x", subject="o1"), **members}).encode()
            reply = await book.take(payload)
            given = members.get("id", "i2")
            readable = isinstance(given, str) and 0 < len(given) <= 200
            assert bool(reply) == readable
            if readable:
                again = await book.take(payload)
                assert again == {**reply, "repeat": True} or reply["code"] == again["code"] == "conflict"
            assert book.intake.faults == 0
            for lane in ("events", "replies"):
                for row in await book.outbox().unsent(lane, 1000):
                    json.loads(row.payload)

    run(work())


@pytest.mark.rule("ENV-1")
@pytest.mark.rule("INS-3")
@MANY
@given(type_=TYPES, data=DATA)
def test_any_data_of_any_type_has_one_reply(tmp_path_factory: pytest.TempPathFactory, type_: str, data: Json) -> None:
    meets(tmp_path_factory, type_, data, {})


@pytest.mark.rule("ENV-5")
@MANY
@given(type_=TYPES | ANY, data=ANY, head=HEAD)
def test_any_envelope_has_one_reply_where_it_has_an_id(
    tmp_path_factory: pytest.TempPathFactory, type_: str, data: Any, head: Json
) -> None:
    meets(tmp_path_factory, type_, data, head)


@pytest.mark.rule("ENV-5")
@MANY
@given(payload=st.binary(max_size=300) | ANY.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_taken(tmp_path_factory: pytest.TempPathFactory, payload: bytes) -> None:
    async def work() -> None:
        async with Book(tmp_path_factory.mktemp("bytes"), fast=True) as book:
            await book.intake.take(payload)

    run(work())


@settings(deadline=None)
@given(parameters=st.dictionaries(st.sampled_from(["take_s", "x"]), ANY, max_size=2))
def test_parameters_fit_or_are_explained(parameters: Json) -> None:
    scene = parse_scene(
        '[scene]\nname="s"\nversion=1\nclass="service"\ntitle={zh="x",en="x"}\n'
        '[parameters.take_s]\ntype="number"\ndefault=3\nmin=1\n[parameters.x]\ntype="text"\ndefault=""\n'
        '[[step]]\nname="a"\nrole="r"\nact="b"\n',
        "s.toml",
    )
    try:
        told = " ".join(scene.fill(parameters))
    except ValueError as why:
        told = str(why).partition(" parameter ")[0] and "parameter"
    assert told in ("take_s x", "parameter")
