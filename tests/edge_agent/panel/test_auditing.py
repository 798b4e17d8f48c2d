"""The audit chain over the local API: a reader with nothing but SHA-256 proves it, page by page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent.audit.chain import REMOVED, Deed, head, record
from tests.edge_agent.panel.asking import Panel
from tests.edge_agent.parts import Book, Json
from tests.edge_agent.people.desk import quick

NAMES = ("seq", "time", "clock", "door", "who", "proven", "act", "what", "facts")


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        yield await Panel.of(book)


async def page(panel: Panel, after: int = 0, limit: int = 100) -> Json:
    headers = await panel.sign_in("auditor")
    answer = await panel.ask("GET", "/audit", None, {"after": after, "limit": limit}, **headers)
    assert answer.status == 200, answer.body
    found: Json = answer.json()
    return found


def proven(page: Json) -> Json:
    """The last row's number and hash, by the page alone. As docs/api.md tells readers to do it."""
    seq, before = page["before"]["seq"], page["before"]["hash"]
    for row in page["rows"]:
        seq, before = seq + 1, hashlib.sha256(f"{before}\n{row['chained']}".encode()).hexdigest()
        assert (row["seq"], row["hash"]) == (seq, before), row
        number, time, clock, door, who, proven, act, what, facts = json.loads(row["chained"])
        told = [number, time, clock, door, json.loads(who), bool(proven), act, what, json.loads(facts)]
        assert [row[name] for name in NAMES] == told
    return {"seq": seq, "hash": before}


async def test_a_reader_proves_the_chain_page_by_page_up_to_its_head(panel: Panel) -> None:
    book = panel.people.book
    for n in range(7):
        deed = Deed("stock.load", f"柜-{n}", ("/people/teller",), "local", facts={"note": "客户 \u2028 'x'", "n": n})
        await book.do(lambda tx, deed=deed: record(tx, book.clock, deed))  # type: ignore[misc]
    first = await page(panel, limit=5)
    assert first["before"]["hash"] == hashlib.sha256(f"branchgate audit {book.journal.id}".encode()).hexdigest()
    assert [row["seq"] for row in first["rows"]] == [1, 2, 3, 4, 5]
    last = proven(first)
    rest = await page(panel, first["next"])
    assert rest["before"] == last
    assert "next" not in rest
    assert rest["rows"][-1]["act"] == "session.begin"
    assert proven(rest) == rest["head"]
    headers = await panel.sign_in("supervisor")
    told = (await panel.ask("GET", "/audit/head", **headers)).json()
    newest = book.look(head)
    assert told == {"journal": book.journal.id, "head": {"seq": newest.seq, "hash": newest.hash}}


async def test_behind_the_head_there_is_nothing_and_the_head_is_told(panel: Panel) -> None:
    found = await page(panel, 10_000)
    assert (found["rows"], found["before"]) == ([], found["head"])


async def test_what_retention_removed_is_told_by_what_the_rest_hangs_on(panel: Panel) -> None:
    whole, book = await page(panel), panel.people.book
    gone = {"seq": 3, "hash": whole["rows"][2]["hash"]}
    await book.do(lambda tx: tx.do("DELETE FROM audit WHERE seq <= 3"))
    await book.do(lambda tx: tx.set_meta(REMOVED, json.dumps(gone)))
    for after in (0, 2, 3):
        found = await page(panel, after)
        assert found["before"] == gone
        assert proven(found) == found["head"]


@pytest.mark.parametrize("query", [{"after": -1}, {"limit": 0}, {"limit": 501}, {"after": "x"}])
async def test_what_is_no_page_is_told(panel: Panel, query: Json) -> None:
    headers = await panel.sign_in("auditor")
    assert (await panel.ask("GET", "/audit", None, query, **headers)).status == 422
