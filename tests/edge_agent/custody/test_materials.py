"""What a printing step is handed: its template as accepted, and every value as the text that shall stand there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_drivers.device import ActKind, ActSpec
from device_drivers.receipts.compose import Marks, Paper, compose
from device_drivers.receipts.template import Template
from edge_agent.custody.documents import DocumentParts, Documents
from edge_agent.custody.materials import PrintMaterials, as_values
from edge_agent.fleet.materials import NotReady
from edge_agent.orders.desk import Place
from edge_agent.orders.templates import shipped_templates
from tests.edge_agent.custody.server import authority, trusting
from tests.edge_agent.parts import Book, Json

PRINTER = Place(
    "receipt-1", "receipt-printer", {"print_receipt": ActSpec("print_receipt", ActKind.POSITIONAL, "Prints.", 1.0)}
)
TEXTS: Json = {"title": "回单", "lines": "第一行\n第二行"}


@pytest.fixture(autouse=True)
def _the_branch_stands_in_china(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def materials(book: Book, name: str = "解放路支行") -> PrintMaterials:
    documents = Documents(
        DocumentParts(book.journal, book.clock, book.folder / "documents", lambda: trusting(authority()))
    )
    return PrintMaterials(book.journal, book.clock, documents, "B0001", name)


async def gathered(book: Book, name: str = "解放路支行", order: str = "o1", step: str = "print") -> Json:
    return await materials(book, name).gather(book.order(order), book.step(step, order), f"{order}/{step}/1", 0)


async def test_a_sheet_is_the_template_as_accepted_and_its_values(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(PRINTER,)) as book:
        await book.submit("o1", scene="print_receipt", parameters={**TEXTS, "language": "en"}, customer="c-7")
        book.wall.seconds = 8 * 3600 + 83  # eight hours after noon in Greenwich it is the next day in China
        sheet = (await gathered(book))["sheet"]
        assert Template.model_validate(sheet["template"]) == shipped_templates()["receipt"]["en"]
        assert sheet["values"] == {
            "title": "回单",
            "lines": "第一行\n第二行",
            "amount": "",
            "note": "",
            "language": "en",
            "order": "o1",
            "attempt": "o1/print/1",
            "customer": "c-7",
            "branch": "B0001",
            "branch_name": "解放路支行",
            "date": "2026-03-03",
            "time": "04:01:23",
        }


async def test_a_branch_without_a_name_is_called_by_its_id(tmp_path: Path) -> None:
    async with Book(tmp_path, places=(PRINTER,)) as book:
        await book.submit("o1", scene="print_receipt", parameters=TEXTS)
        assert (await gathered(book, ""))["sheet"]["values"]["branch_name"] == "B0001"


async def test_a_step_that_prints_nothing_is_handed_nothing(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit("o1")
        assert await gathered(book, step="draw") == {}


async def test_a_document_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    place = Place("a4-1", "document-printer", {"print_document": ActSpec("print_document", ActKind.COUNTABLE, "P", 1)})
    async with Book(tmp_path, places=(place,)) as book:
        document = {"name": "document", "media_type": "application/pdf", "sha256": "0" * 64, "address": "https://h/a"}
        await book.submit("o1", scene="print_document", documents=[document])
        await book.journal.write(lambda tx: tx.do("UPDATE documents SET reason = 'document_slow'"))
        with pytest.raises(NotReady) as why:
            await gathered(book)
        assert (why.value.reason, why.value.waits_for) == ("document_slow", "remote")


@pytest.mark.parametrize("scene", ["collect_card", "print_receipt", "print_ticket"])
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_each_shipped_scene_prints_with_the_values_that_it_has(tmp_path: Path, scene: str, language: str) -> None:
    acts = {name: ActSpec(name, ActKind.IDEMPOTENT, "P", 1.0) for name in ("print_receipt", "print_ticket")}
    places = (Place("p-1", "receipt-printer", acts), Place("p-2", "ticket-printer", acts))
    given: Json = {"print_receipt": TEXTS, "print_ticket": {"number": "A017", "queue": "个人业务"}}
    async with Book(tmp_path) as own:
        card = own.places
    async with Book(tmp_path, places=(*card, *places)) as book:
        await book.submit("o1", scene=scene, parameters={**given.get(scene, {}), "language": language})
        step = "receipt" if scene == "collect_card" else "print"
        sheet = (await gathered(book, step=step))["sheet"]
        printed = compose(Template.model_validate(sheet["template"]), sheet["values"], Paper(), Marks(f"o1/{step}/1"))
        assert any("2026-03-02" in line for line in printed.lines)


def test_values_are_text() -> None:
    given = {"a": True, "b": False, "c": 30, "d": 30.0, "e": 1234567.89, "f": "x", "g": 0.5, "h": -0.0, "i": 1e15}
    told = {"a": "true", "b": "false", "c": "30", "d": "30", "e": "1234567.89", "f": "x", "g": "0.5", "h": "0"}
    assert as_values(given) == {**told, "i": "1000000000000000"}
