"""Orders that print, at the door: what is left out and told, which template they keep, and which documents may come."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.rejection import told
from device_drivers.device import ActKind, ActSpec
from device_drivers.receipts.template import Template
from edge_agent.orders.desk import Place
from edge_agent.orders.forms import form
from edge_agent.orders.reading import steps_of
from edge_agent.orders.record import set_lane
from edge_agent.orders.rows import LaneRow
from edge_agent.orders.scenes import load_scenes, parse_scene
from edge_agent.orders.templates import load_templates, shipped_templates
from edge_agent.texts import Texts
from tests.edge_agent.parts import ACTS, Book, Json


def place(device: str, role: str, **kinds: ActKind) -> Place:
    return Place(device, role, {name: ActSpec(name, kind, name, 1.0) for name, kind in kinds.items()})


CARD = Place("card-1", "card-dispenser", ACTS)
RECEIPT = {"print_receipt": ActKind.POSITIONAL, "void_receipt": ActKind.IDEMPOTENT, "print_ticket": ActKind.IDEMPOTENT}
PRINTER = place("receipt-1", "receipt-printer", **RECEIPT)
TICKETS = place("ticket-1", "ticket-printer", **RECEIPT)
A4 = place("a4-1", "document-printer", print_document=ActKind.COUNTABLE)
SEALED = place("seal-1", "sealed-printer", print_document=ActKind.COUNTABLE, stamp=ActKind.BLIND)
PDF: Json = {
    "name": "document",
    "media_type": "application/pdf",
    "sha256": "0123456789abcdef" * 4,
    "address": "https://files.example/d/1?key=1",
}


def left_out(book: Book, order: str = "o1") -> list[Json]:
    (accepted,) = [e["data"] for e in book.events("order.changed", order=order) if e["data"]["to"] == "accepted"]
    told: list[Json] = accepted.get("facts", {}).get("left_out", [])
    return told


def names(book: Book, order: str = "o1") -> list[str]:
    return [step.name for step in book.look(lambda tx: steps_of(tx, order))]


# -- leaving out -------------------------------------------------------------------------------------------------------


async def test_with_a_printer_the_card_has_its_receipt(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(CARD, PRINTER)) as book:
        await book.submit("o1")
        assert (names(book), left_out(book)) == (["draw", "present", "take", "receipt"], [])
        assert [s.position for s in book.look(lambda tx: steps_of(tx, "o1"))] == [0, 1, 2, 3]
        assert book.step("receipt").device == "receipt-1"


@pytest.mark.rule("ORD-1")
async def test_without_a_printer_the_receipt_is_left_out_and_the_centre_is_told(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(CARD,)) as book:
        await book.submit("o1")
        assert names(book) == ["draw", "present", "take"]
        assert left_out(book) == [{"step": "receipt", "reason": "no_device_for_role"}]


@pytest.mark.rule("ORD-1")
async def test_a_receipt_that_is_not_wanted_is_left_out_and_the_centre_is_told(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(CARD, PRINTER)) as book:
        await book.submit("o1", parameters={"receipt": False})
        assert names(book) == ["draw", "present", "take"]
        assert left_out(book) == [{"step": "receipt", "reason": "not_wanted"}]


async def test_what_is_not_optional_is_not_left_out(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(PRINTER,)) as book:
        reply = await book.ask("order.submit", {"scene": "collect_card"}, subject="o1")
        assert reply["code"] == "no_device_for_role"
        assert "card-dispenser" in reply["message"]


WATCHED = """[scene]
name = "s"
version = 1
class = "physical"
title = { zh = "x", en = "x" }
[parameters.language]
type = "choice"
options = ["zh", "en"]
default = "zh"
[parameters.first]
type = "flag"
default = false
[[step]]
name = "first"
role = "receipt-printer"
act = "print_receipt"
template = "card_receipt"
undo = "void_receipt"
undo_always = true
when = "first"
[[step]]
name = "print"
role = "receipt-printer"
act = "print_ticket"
template = "card_receipt"
undo = "void_receipt"
optional = true
[[step]]
name = "taken"
role = "receipt-printer"
act = "await_taken"
optional = true
"""


def scenes(text: str = WATCHED) -> Json:
    return {**load_scenes(), "s": parse_scene(text, "s.toml")}


async def test_an_optional_act_that_the_device_does_not_have_is_left_out(tmp_path: Path) -> None:
    presenter = place("receipt-2", "receipt-printer", **RECEIPT, await_taken=ActKind.WATCH)
    async with Book(tmp_path / "a", places=(PRINTER,), scenes=scenes()) as book:
        await book.submit("o1", scene="s")
        assert names(book) == ["print"]
        assert left_out(book) == [
            {"step": "first", "reason": "not_wanted"},
            {"step": "taken", "reason": "no_device_for_role"},
        ]
    async with Book(tmp_path / "b", places=(PRINTER, presenter), scenes=scenes()) as book:
        await book.submit("o1", scene="s", parameters={"first": True})
        assert names(book) == ["first", "print", "taken"]
        assert {s.device for s in book.look(lambda tx: steps_of(tx, "o1"))} == {"receipt-2"}, "the one that can do all"


async def test_a_device_that_lacks_a_needed_act_is_no_device_for_it(tmp_path: Path) -> None:
    poor = place("receipt-0", "receipt-printer", print_ticket=ActKind.IDEMPOTENT)
    async with Book(tmp_path, places=(poor,), scenes=scenes()) as book:
        data: Json = {"scene": "s", "parameters": {"first": True}}
        reply = await book.ask("order.submit", data, subject="o1")
        assert reply["code"] == "no_device_for_role"
        assert "print_receipt" in reply["message"]
        assert (await book.ask("order.submit", {"scene": "s"}, subject="o1"))["status"] == "accepted"
    async with Book(tmp_path / "b", places=(poor, PRINTER), scenes=scenes()) as book:
        await book.submit("o1", scene="s", parameters={"first": True})
        assert book.step("first").device == "receipt-1"


async def test_an_order_of_which_nothing_is_left_is_invalid(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(CARD,), scenes=scenes()) as book:
        reply = await book.ask("order.submit", {"scene": "s"}, subject="o1")
        assert reply["code"] == "invalid"
        assert [(one["step"], one["reason"]) for one in reply["facts"]["left_out"]] == [
            ("first", "not_wanted"),
            ("print", "no_device_for_role"),
            ("taken", "no_device_for_role"),
        ]
        assert "first (not wanted by this order), print (no device has this role)" in reply["message"]
        assert "first（本单不需要）" in told(Texts("zh"), reply)
        assert book.one("SELECT 1 FROM orders") is None


async def test_a_shut_lane_is_chosen_last(tmp_path: Path) -> None:
    other = place("receipt-2", "receipt-printer", **RECEIPT)
    async with Book(tmp_path, places=(PRINTER, other)) as book:
        await book.journal.write(lambda tx: set_lane(tx, LaneRow("receipt-1", shut=True)))
        for n in range(3):
            await book.submit(f"o{n}", scene="print_receipt", parameters={"title": "t", "lines": "l"})
            assert book.step("print", f"o{n}").device == "receipt-2"


# -- what a step keeps -------------------------------------------------------------------------------------------------


async def test_a_step_knows_role_and_what_may_be_repeated(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(PRINTER,), scenes=scenes()) as book:
        await book.submit("o1", scene="s", parameters={"first": True})
        first, second = book.step("first"), book.step("print")
        assert (first.role, first.repeatable, first.undo_repeatable, first.undo_always) == (
            "receipt-printer",
            False,
            True,
            True,
        )
        assert (second.repeatable, second.undo_repeatable, second.undo_always) == (True, True, False)


def printed_by(book: Book, step: str, order: str = "o1") -> Json:
    number = book.step(step, order).template_form
    assert number is not None
    return book.journal.look(lambda tx: form(tx, number))


async def test_a_recipe_and_a_template_stand_once_in_the_journal(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(CARD, PRINTER)) as book:
        for n, language in enumerate(("zh", "zh", "en", "zh"), 1):
            await book.submit(f"o{n}", parameters={"language": language})
        sql = "SELECT count(*) FROM forms"
        assert [row[0] for row in book.journal.look(lambda tx: tx.all(sql))] == [3], "one scene, and two templates"
        assert printed_by(book, "receipt", "o1") == printed_by(book, "receipt", "o4")
        assert printed_by(book, "receipt", "o1") != printed_by(book, "receipt", "o3")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_template_of_the_orders_language_is_kept_as_it_was_accepted(tmp_path: Path, language: str) -> None:
    async with Book(tmp_path, places=(CARD, PRINTER)) as book:
        await book.submit("o1", parameters={"language": language})
        kept = printed_by(book, "receipt")
        assert Template.model_validate(kept) == shipped_templates()["card_receipt"][language]
        assert book.step("draw").template_form is None


async def test_where_a_template_is_not_written_in_the_orders_language_the_other_is_printed(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "mine.en.toml").write_text('[[block]]\ntext = "Only English"\n', encoding="utf-8")
    shelf = load_templates([tmp_path / "t"])
    mine = {"s": parse_scene(WATCHED.replace('"card_receipt"', '"mine"'), "s.toml")}
    async with Book(tmp_path, places=(PRINTER,), scenes=mine) as book:
        branch = replace(book.intake._desk.branch, templates=shelf)
        book.intake._desk = replace(book.intake._desk, branch=branch)
        await book.submit("o1", scene="s", parameters={"language": "zh"})
        kept = printed_by(book, "print")
        assert kept["language"] == "en"


async def test_a_language_that_is_none_is_refused(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(CARD, PRINTER)) as book:
        bad: list[Any] = ["fr", "", None, 1, ["zh"], {}]
        for language in bad:
            data: Json = {"scene": "collect_card", "parameters": {"language": language}}
            reply = await book.ask("order.submit", data, subject="o1")
            assert reply["code"] == "invalid"
            assert "language" in reply["message"]


# -- documents ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize("scene", ["print_document", "sealed_document"])
async def test_a_document_is_written_with_its_order(tmp_path: Path, scene: str) -> None:
    async with Book(tmp_path, places=(A4, SEALED)) as book:
        await book.submit("o1", scene=scene, documents=[PDF])
        row = book.one("SELECT * FROM documents")
        assert row is not None
        assert dict(row) == {**PDF, "order_id": "o1", "state": "wanted", "reason": ""}
        assert book.step("print").document == "document"


BAD: dict[str, tuple[list[Json], str, str]] = {
    "none": ([], "invalid", "document is missing"),
    "another": ([{**PDF, "name": "letter"}], "invalid", "it prints: document"),
    "one too many": ([PDF, {**PDF, "name": "letter"}], "invalid", "it prints: document"),
    "twice": ([PDF, PDF], "invalid", "twice"),
    "http": ([{**PDF, "address": "http://files.example/d/1"}], "invalid", "address"),
    "a file": ([{**PDF, "address": "file:///etc/passwd"}], "invalid", "address"),
    "a password": ([{**PDF, "address": "https://me:secret@files.example/"}], "invalid", "address"),
    "no host": ([{**PDF, "address": "https:///d/1"}], "invalid", "address"),
    "a line break": ([{**PDF, "address": "https://h/d\r\nx: y"}], "invalid", "address"),
    "letters": ([{**PDF, "address": "https://h/文件"}], "invalid", "address"),
    "a port that is none": ([{**PDF, "address": "https://h:99999/d"}], "invalid", "address"),
    "brackets": ([{**PDF, "address": "https://[::1/d"}], "invalid", "address"),
    "no address": ([{k: v for k, v in PDF.items() if k != "address"}], "invalid", "address is missing"),
    "short hash": ([{**PDF, "sha256": "0123"}], "invalid", "sha256"),
    "large letters": ([{**PDF, "sha256": "A" * 64}], "invalid", "sha256"),
    "no hash": ([{**PDF, "sha256": None}], "invalid", "sha256"),
    "a web page": ([{**PDF, "media_type": "text/html"}], "invalid", "media_type"),
    "a path": ([{**PDF, "name": "../x"}], "invalid", "name"),
    "a JWE": ([{**PDF, "address": None, "jwe": "eyJhbGciOi.x.y.z.w"}], "unsupported", "give an https address"),
    "many": ([{**PDF, "name": f"d{n}"} for n in range(9)], "invalid", "8"),
    "no list": ([7], "invalid", "documents"),  # type: ignore[list-item]
}


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize(("documents", "code", "says"), BAD.values(), ids=BAD)
async def test_documents_that_are_not_taken(tmp_path: Path, documents: list[Json], code: str, says: str) -> None:
    async with Book(tmp_path, places=(A4,)) as book:
        data = {"scene": "print_document", "documents": documents}
        reply = await book.ask("order.submit", data, subject="o1")
        assert (reply["status"], reply["code"]) == ("rejected", code), reply
        assert says in reply["message"]
        assert "secret" not in reply["message"]
        assert book.one("SELECT 1 FROM orders UNION SELECT 1 FROM documents") is None
        assert book.intake.faults == 0


async def test_a_document_of_a_step_that_is_left_out_is_not_fetched(tmp_path: Path) -> None:
    text = """[scene]\nname = "s"\nversion = 1\nclass = "physical"\ntitle = { zh = "x", en = "x" }
[[step]]\nname = "draw"\nrole = "card-dispenser"\nact = "draw_card"
[[step]]\nname = "print"\nrole = "document-printer"\nact = "print_document"\ndocument = "document"\noptional = true\n"""
    async with Book(tmp_path, places=(CARD,), scenes=scenes(text)) as book:
        await book.submit("o1", scene="s", documents=[PDF])
        await book.submit("o2", scene="s")
        assert (names(book), book.one("SELECT 1 FROM documents")) == (["draw"], None)


async def test_a_scene_that_prints_none_takes_none(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        reply = await book.ask("order.submit", {"scene": "collect_card", "documents": [PDF]}, subject="o1")
        assert (reply["code"], "it prints: none" in reply["message"]) == ("invalid", True)
