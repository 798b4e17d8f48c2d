"""The custodian of documents, with a real server, journal and disk: fetched once, kept whole, gone when it must be."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.envelope import rfc3339
from device_drivers.device import ActKind, ActSpec
from edge_agent.custody import paper_rows
from edge_agent.custody.documents import AGAIN_MAX_S, DocumentParts, Documents
from edge_agent.custody.fetching import Limits
from edge_agent.custody.paper_rows import Paper
from edge_agent.fleet.materials import NotReady
from edge_agent.journal.tx import Tx
from edge_agent.orders.desk import Place
from edge_agent.orders.reading import next_on_device
from edge_agent.orders.times import Now
from tests.edge_agent.custody.server import (
    Answer,
    DocumentServer,
    authority,
    document_server,
    head,
    ok,
    said,
    trusting,
)
from tests.edge_agent.parts import NOON, Book, Json

PDF = b"%PDF-1.7 statement of account 6222020000000000" * 50
PRINTER = Place("a4-1", "document-printer", {"print_document": ActSpec("print_document", ActKind.COUNTABLE, "P", 1.0)})


@dataclass
class Custody:
    """A branch with a document printer, its custodian, and the server that it fetches from."""

    book: Book
    server: DocumentServer
    folder: Path
    slept: list[float] = field(default_factory=list)
    pause: asyncio.Event = field(default_factory=asyncio.Event)  # set: sleeping takes no time
    woken: list[str] = field(default_factory=list)
    limits: Limits = field(default_factory=lambda: Limits(max_bytes=100_000))
    patience_s: float = 5.0
    _documents: Documents | None = None
    _task: asyncio.Task[None] | None = None

    @property
    def documents(self) -> Documents:
        assert self._documents is not None
        return self._documents

    def start(self) -> None:
        parts = DocumentParts(self.book.journal, self.book.clock, self.folder, lambda: trusting(authority()))
        parts = replace(parts, limits=self.limits, sleep=self._sleep, jitter=lambda: 0.5, patience_s=self.patience_s)
        self._documents = Documents(parts)
        self.book.journal.on_touched(self._touched)
        self._task = asyncio.create_task(self._documents.run())

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        assert self._task.cancelled()

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.pause.wait()

    def _touched(self, devices: set[str]) -> None:
        self.woken += sorted(devices)
        self.documents.look()

    async def submit(self, order: str = "o1", *, body: bytes = PDF, **more: Any) -> None:
        document = {"name": "document", "media_type": "application/pdf", "address": self.server.address()}
        document["sha256"] = hashlib.sha256(body).hexdigest()
        data = {"scene": "print_document", "documents": [document], **more}
        reply = await self.book.ask("order.submit", data, subject=order)
        assert reply["status"] == "accepted", reply

    def row(self, order: str = "o1") -> tuple[str, str, str]:
        row = self.book.one("SELECT state, reason, address FROM documents WHERE order_id = ?", order)
        assert row is not None
        return row["state"], row["reason"], row["address"]

    async def becomes(self, state: str, reason: str = "", order: str = "o1") -> None:
        """Waits until the row says so, looking each time that the loop has come round."""
        async with asyncio.timeout(60):
            while self.row(order)[:2] != (state, reason):  # noqa: ASYNC110  # a row rings no bell
                await asyncio.sleep(0)

    def change(self, sql: str, *values: Any) -> Any:
        def work(tx: Any) -> None:
            tx.do(sql, *values)
            tx.forget_rows()
            tx.touched.add("a4-1")

        return self.book.journal.write(work)

    def step(self, state: str, order: str = "o1") -> Any:
        return self.change("UPDATE steps SET state = ? WHERE order_id = ?", state, order)

    async def why_not(self, order: str = "o1") -> tuple[str, str]:
        with pytest.raises(NotReady) as why:
            await self.documents.bring(order, "document")
        return why.value.reason, why.value.waits_for

    async def content(self, order: str = "o1") -> bytes:
        """What a driver would read."""
        return _read((await self.documents.bring(order, "document"))["path"])

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    async def settled(self) -> None:
        """The custodian has looked at everything and does nothing but wait."""
        self.documents.look()
        async with asyncio.timeout(60):
            while self.documents._looked_at.is_set() or self.documents._under_way:  # noqa: ASYNC110
                await asyncio.sleep(0)
        await asyncio.to_thread(lambda: None)
        for _ in range(20):
            await asyncio.sleep(0)


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


@asynccontextmanager
async def custody(tmp_path: Path, answer: Answer | None = None, *, start: bool = True) -> AsyncIterator[Custody]:
    async with document_server(authority()) as server, Book(tmp_path, places=(PRINTER,)) as book:
        server.answers["/a.pdf"] = answer or ok(PDF)
        custody = Custody(book, server, tmp_path / "documents")
        if start:
            custody.start()
        try:
            yield custody
        finally:
            if start:
                await custody.stop()


@pytest.mark.rule("ORD-1")
async def test_a_document_is_fetched_verified_and_kept_for_the_agent_alone(tmp_path: Path) -> None:
    async with custody(tmp_path) as it:
        await it.submit()
        await it.becomes("fetched")
        document = await it.documents.bring("o1", "document")
        assert document.pop("path") == str(it.folder / "o1.document")
        assert document == {
            "name": "document",
            "media_type": "application/pdf",
            "sha256": hashlib.sha256(PDF).hexdigest(),
        }
        assert await it.content() == PDF
        assert (it.folder / "o1.document").stat().st_mode & 0o777 == 0o600
        assert it.folder.stat().st_mode & 0o777 == 0o700
        assert it.files() == ["o1.document"]
        assert "a4-1" in it.woken
        assert (it.server.asked, it.slept) == (["/a.pdf"], [])


async def test_a_lane_that_asks_at_once_gets_it_when_it_is_there(tmp_path: Path) -> None:
    async with custody(tmp_path) as it:
        await it.submit()
        assert await it.content() == PDF


async def test_a_lane_does_not_wait_for_ever(tmp_path: Path) -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(head("content-length: 9999"))
        await asyncio.Event().wait()

    async with custody(tmp_path, stall, start=False) as it:
        it.patience_s = 0.05
        it.start()
        await it.submit()
        assert await it.why_not() == ("document_fetching", "remote")
        await it.stop()
        assert it.files() == [], "nothing is left of what was begun"


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize("what", ["another", "too large"])
async def test_another_document_or_one_too_large_is_refused_for_good(tmp_path: Path, what: str) -> None:
    async with custody(tmp_path, ok(bytes(200_000)) if what == "too large" else ok(PDF + b"!")) as it:
        await it.submit()
        reason = "document_too_large" if what == "too large" else "document_refused"
        await it.becomes("refused", reason)
        assert await it.why_not() == (reason, "never")
        await it.settled()
        assert (it.files(), it.server.asked, it.slept) == ([], ["/a.pdf"], [])
        assert it.row()[2] == "", "its address is of no use any more"
        assert "a4-1" in it.woken


async def test_one_whose_end_was_not_told_may_be_cut_and_is_asked_for_again(tmp_path: Path) -> None:
    async with custody(tmp_path, said(head() + PDF[:-5])) as it:
        await it.submit()
        await it.becomes("wanted", "document_cut")
        assert await it.why_not() == ("document_cut", "remote")
        it.server.answers["/a.pdf"] = said(head() + PDF)
        it.pause.set()
        await it.becomes("fetched")
        assert it.files() == ["o1.document"]


@pytest.mark.rule("ORD-1")
async def test_a_server_away_is_asked_again_ever_more_rarely_and_its_return_wakes_the_lane(tmp_path: Path) -> None:
    async with custody(tmp_path, said(head("content-length: 0", status="503 Later"))) as it:
        await it.submit()
        await it.becomes("wanted", "document_answer")
        assert await it.why_not() == ("document_answer", "remote")
        commits = it.book.disk.commits
        it.pause.set()
        async with asyncio.timeout(60):
            while len(it.slept) < 10:  # noqa: ASYNC110  # the server rings no bell
                await asyncio.sleep(0)
        it.pause.clear()
        assert it.slept[:10] == [1, 2, 4, 8, 16, 32, *[AGAIN_MAX_S] * 4]
        assert it.book.disk.commits == commits, "the same reason is told once"
        it.server.answers["/a.pdf"] = ok(PDF)
        it.woken.clear()
        it.pause.set()
        await it.becomes("fetched")
        await it.settled()
        assert "a4-1" in it.woken
        assert await it.content() == PDF


async def test_an_unreachable_server_and_an_unknown_one_are_told_apart(tmp_path: Path) -> None:
    async with custody(tmp_path) as it, document_server(authority("another")) as other:
        document = {"name": "document", "media_type": "application/pdf", "sha256": "0" * 64}
        given: Json = {"o1": other.address(), "o2": "https://127.0.0.1:1/a.pdf"}
        for order, address in given.items():
            await it.submit(order, documents=[{**document, "address": address}])
        await it.becomes("wanted", "document_certificate", "o1")
        await it.becomes("wanted", "document_unreachable", "o2")
        assert await it.why_not("o1") == ("document_certificate", "remote")
        assert await it.why_not("o2") == ("document_unreachable", "remote")
        assert other.asked == []


async def test_one_silent_server_does_not_keep_another_orders_document_back(tmp_path: Path) -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with custody(tmp_path) as it:
        it.server.answers["/silent.pdf"] = stall
        document = {"name": "document", "media_type": "application/pdf", "sha256": "0" * 64}
        await it.submit("o1", documents=[{**document, "address": it.server.address("/silent.pdf")}])
        await it.submit("o2")
        await it.becomes("fetched", order="o2")
        assert it.row("o1")[0] == "wanted"


async def test_an_order_whose_document_was_asked_for_in_vain_lets_others_pass(tmp_path: Path) -> None:
    async with custody(tmp_path) as it:
        nowhere = {"name": "document", "media_type": "application/pdf", "sha256": "0" * 64}

        def served() -> str:
            order = it.book.look(lambda tx: next_on_device(tx, "a4-1", Now(rfc3339(NOON))))
            assert order is not None
            return order.id

        await it.submit("o1", documents=[{**nowhere, "address": "https://127.0.0.1:1/a.pdf"}], priority=5)
        assert served() == "o1", "what has just come is not in vain yet"
        await it.becomes("wanted", "document_unreachable", "o1")
        assert served() == "o1", "nobody else is there"
        await it.submit("o2")
        assert served() == "o2"
        await it.becomes("fetched", order="o2")
        await it.change("UPDATE documents SET state = 'fetched', reason = '' WHERE order_id = 'o1'")
        assert served() == "o1"


# -- deleting ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-1")
@pytest.mark.parametrize("state", ["done", "compensated", "skipped"])
async def test_it_is_deleted_once_its_print_is_settled(tmp_path: Path, state: str) -> None:
    async with custody(tmp_path) as it:
        await it.submit()
        await it.becomes("fetched")
        await it.step(state)
        await it.becomes("deleted")
        assert it.files() == []
        assert it.row() == ("deleted", "", "")
        assert await it.why_not() == ("document_gone", "never")


@pytest.mark.parametrize("state", ["armed", "acting", "in_doubt", "no_effect", "failed"])
async def test_it_stays_while_its_print_may_still_need_it(tmp_path: Path, state: str) -> None:
    async with custody(tmp_path) as it:
        await it.submit()
        await it.becomes("fetched")
        await it.step(state)
        await it.settled()
        assert (it.row()[0], it.files()) == ("fetched", ["o1.document"])


@pytest.mark.rule("ORD-1")
async def test_it_is_deleted_when_its_order_ends(tmp_path: Path) -> None:
    async with custody(tmp_path) as it:
        await it.submit("o1")
        await it.submit("o2")
        await it.becomes("fetched", order="o1")
        await it.becomes("fetched", order="o2")
        assert (await it.book.ask("order.cancel", subject="o1"))["status"] == "accepted"
        await it.becomes("deleted", order="o1")
        assert it.files() == ["o2.document"]
        assert it.row("o2")[0] == "fetched"


async def test_nothing_is_looked_through_while_no_document_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(_tx: Tx) -> list[Paper]:
        raise AssertionError("there is nothing to be found")

    async with custody(tmp_path) as it:
        for order in ("o1", "o2"):
            await it.submit(order)
            await it.becomes("fetched", order=order)
            await it.step("done", order)
            await it.becomes("deleted", order=order)
            with monkeypatch.context() as patch:
                patch.setattr(paper_rows, "needless", look)
                await it.settled()
            assert it.running


async def test_an_order_that_ends_while_its_document_comes_gets_none(tmp_path: Path) -> None:
    hung_up = asyncio.Event()

    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(head("content-length: 9999") + PDF[:500])
        try:
            await writer.wait_closed()
        finally:
            hung_up.set()

    async with custody(tmp_path, stall) as it:
        await it.submit()
        await it.server.was_asked.wait()
        await it.book.ask("order.cancel", subject="o1")
        await it.becomes("deleted")
        await it.settled()
        assert it.files() == []
    assert hung_up.is_set()


# -- restarts and disks ------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-1")
async def test_after_a_restart_nothing_lies_there_but_what_open_steps_need(tmp_path: Path) -> None:
    async with custody(tmp_path, start=False) as it:
        it.start()
        await it.submit("o1")
        await it.submit("o2")
        await it.becomes("fetched", order="o1")
        await it.becomes("fetched", order="o2")
        await it.stop()
        for name in (".o1.document", ".o9.document", "o9.document", "strange"):
            (it.folder / name).write_bytes(b"left behind")
        await it.step("done", "o2")
        await it.book.restart()
        it.start()
        await it.becomes("deleted", order="o2")
        await it.settled()
        assert it.files() == ["o1.document"]
        assert it.server.asked == ["/a.pdf", "/a.pdf"], "what is there is not fetched again"
        assert await it.content() == PDF
        await it.stop()


async def test_a_folder_inside_of_it_is_left_alone(tmp_path: Path) -> None:
    """Such as lost+found, where the documents have a file system of their own."""
    async with custody(tmp_path, start=False) as it:
        (it.folder / "lost+found").mkdir(parents=True)
        it.start()
        await it.submit()
        await it.becomes("fetched")
        assert it.slept == []
        await it.stop()


async def test_a_restart_in_the_middle_fetches_the_whole_again(tmp_path: Path) -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(head(f"content-length: {len(PDF)}") + PDF[:500])
        await asyncio.Event().wait()

    async with custody(tmp_path, stall, start=False) as it:
        it.start()
        await it.submit()
        await it.server.was_asked.wait()
        await it.stop()
        it.server.answers["/a.pdf"] = ok(PDF)
        await it.book.restart()
        it.start()
        await it.becomes("fetched")
        assert await it.content() == PDF
        await it.stop()


@pytest.mark.parametrize("how", ["lost", "altered", "shortened"])
async def test_a_file_that_is_not_whole_any_more_is_fetched_again(tmp_path: Path, how: str) -> None:
    async with custody(tmp_path) as it:
        await it.submit()
        await it.becomes("fetched")
        file = it.folder / "o1.document"
        if how == "lost":
            file.unlink()
        else:
            file.write_bytes(PDF[:-1] + (b"?" if how == "altered" else b""))
        assert await it.content() == PDF
        assert len(it.server.asked) == 2


async def test_a_disk_that_refuses_is_a_reason_to_try_again(tmp_path: Path) -> None:
    async with custody(tmp_path, start=False) as it:
        it.folder.write_bytes(b"a file where the folder should be")
        it.start()
        await it.submit()
        await it.becomes("wanted", "document_not_kept")
        it.folder.unlink()
        it.pause.set()
        await it.becomes("fetched")
        await it.stop()


async def test_a_journal_that_cannot_write_now_loses_no_document(tmp_path: Path) -> None:
    async with custody(tmp_path) as it:
        it.book.disk.hook = lambda: setattr(it.book.disk, "full", bool(it.server.asked) and not it.pause.is_set())
        await it.submit()
        async with asyncio.timeout(60):
            while not it.slept:  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert it.row()[0] == "wanted"
        it.pause.set()
        await it.becomes("fetched")
        assert it.server.asked == ["/a.pdf"]


# -- when and what is told ---------------------------------------------------------------------------------------------


async def test_what_is_for_later_is_fetched_when_it_is_due(tmp_path: Path) -> None:
    async with custody(tmp_path) as it:
        later = rfc3339(NOON.replace(hour=13))
        await it.submit(not_before=later)
        await it.settled()
        assert it.server.asked == []
        it.book.wall.seconds = 3601
        it.documents.look()
        await it.becomes("fetched")


async def test_nothing_of_document_or_address_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "edge_agent")
    async with custody(tmp_path) as it, document_server(authority("another")) as other:
        it.server.answers["/a.pdf?token=s3cret"] = ok(PDF)
        document = {"name": "document", "media_type": "application/pdf"}
        good = hashlib.sha256(PDF).hexdigest()
        given = [
            (it.server.address("/a.pdf?token=s3cret"), good),
            (it.server.address("/a.pdf?token=s3cret"), "0" * 64),
            (other.address("/a.pdf?token=s3cret"), good),
            ("https://127.0.0.1:1/s3cret", good),
        ]
        for n, (address, sha256) in enumerate(given):
            await it.submit(f"o{n}", documents=[{**document, "address": address, "sha256": sha256}])
        await it.becomes("fetched", order="o0")
        await it.becomes("refused", "document_refused", "o1")
        await it.becomes("wanted", "document_certificate", "o2")
        await it.becomes("wanted", "document_unreachable", "o3")
        await it.step("done", "o0")
        async with asyncio.timeout(60):
            while "deleted" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0)
    told = caplog.text
    assert all(word in told for word in ("o0", "o1", "o2", "o3", "fetched", "deleted", "document_refused")), told
    assert not [word for word in ("s3cret", "127.0.0.1", "6222", good) if word in told], told
