"""The panel beside a disk that is full or cannot be written: people get in, see how things stand and why (OUT-4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.people.roles import Role
from tests.edge_agent.journal.tight import Tight
from tests.edge_agent.panel.pages_asking import Browser, site
from tests.edge_agent.parts import Book
from tests.edge_agent.people.desk import quick
from tests.edge_agent.test_full_disk import fill, keep_reserve

pytestmark = pytest.mark.rule("OUT-4")
ORDER = {"order": "new", "scene": "collect_card", "parameters": {"receipt": False}}


@pytest.mark.parametrize("why", ["read_only", "disk_full"])
async def test_where_nothing_can_be_written_all_is_seen_and_nothing_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        panel = await site(book)
        await book.submit("D-1", parameters={"receipt": False})
        monkeypatch.setattr(book.journal, "read_only", why)
        await panel.people.open()  # a start
        browser = await Browser.of(panel, Role.TELLER.value)
        page = await browser.get("/")
        assert page.status == 200
        assert "日志库不能写入" in page.body.decode()
        for address in ("/orders", "/orders/D-1", "/machines"):
            assert (await browser.get(address)).status == 200
        headers = await panel.sign_in(Role.TELLER.value)
        assert (await panel.ask("GET", "/orders/D-1", **headers)).json()["order"] == "D-1"
        refused = await panel.ask("POST", "/orders", ORDER, **headers)
        assert (refused.status, refused.json()["error"]) == (503, "store_failed")


async def test_on_a_full_disk_no_new_order_is_taken_and_what_is_there_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    disk = Tight(tmp_path)
    disk.watch(monkeypatch)
    async with Book(tmp_path) as book:
        keep_reserve(book, disk)
        panel = await site(book)
        await book.submit("D-1", parameters={"receipt": False})
        await fill(book, disk)
        headers = await panel.sign_in(Role.TELLER.value)
        refused = await panel.ask("POST", "/orders", ORDER, **headers)
        assert (refused.status, refused.json()["code"]) == (503, "overloaded")
        held = await panel.ask("POST", "/orders/D-1/hold", {}, **headers)
        assert held.json()["status"] == "accepted"
        browser = await Browser.of(panel, Role.TELLER.value)
        assert "日志库不能写入" in (await browser.get("/")).body.decode()


async def test_people_get_in_also_where_the_disk_fails_while_the_agent_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A failed password counted in memory then, and the right one was answered with 503."""
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        panel = await site(book)
        book.disk.full = True
        headers = await panel.sign_in(Role.TELLER.value)
        assert (await panel.ask("GET", "/orders", **headers)).status == 200
        browser = await Browser.of(panel, Role.TELLER.value)
        assert (await browser.get("/machines")).status == 200
        assert caplog.text.count("signed in, which is not in the journal") == 2
        book.disk.full = False
