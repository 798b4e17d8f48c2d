"""A journal as JSON lines: whole, without secrets, and what is left of a damaged one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge_agent.audit.export import Exported, export
from edge_agent.audit.verify import NoJournal
from edge_agent.journal import opening
from tests.edge_agent.journal.gate import arming, contents_of, opened


async def fill(folder: Path, count: int = 300) -> None:
    async with opened(folder) as journal:
        for n in range(count):
            journal.post(lambda tx, n=n: tx.emit("t", f"o{n}", {"n": n, "text": "纸" * 200}))  # type: ignore[misc]
        await journal.write(lambda tx: tx.armed.append(arming("o1/draw/1")))


def read(folder: Path) -> tuple[list[dict[str, Any]], Exported]:
    exported = Exported()
    return [json.loads(line) for line in export(folder, exported)], exported


async def test_every_row_of_every_table_is_there(tmp_path: Path) -> None:
    await fill(tmp_path)
    before = contents_of(tmp_path)
    lines, exported = read(tmp_path)
    assert contents_of(tmp_path) == before
    with closing(sqlite3.connect(tmp_path / opening.NAME)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counted = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}  # noqa: S608
    assert exported.rows == {**counted, "ring": 1}
    assert exported.damaged == {}
    told = [line["row"] for line in lines if line["table"] == "outbox"]
    assert [row["data"]["n"] for row in told] == list(range(300)), "its JSON is JSON"
    assert [line["row"]["attempt"] for line in lines if line["table"] == "ring"] == ["o1/draw/1"]


async def test_the_key_to_a_document_stays_here(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        address = "https://user:pass@files.example/a/b.pdf?token=SECRET#SECRET"
        sql = "INSERT INTO documents VALUES ('o1', 'doc', 'application/pdf', 'ff', ?, 'wanted', '')"
        journal._db.execute("PRAGMA foreign_keys = OFF")
        await journal.write(lambda tx: tx.do(sql, address))
        lines, _ = read(tmp_path)
    (row,) = [line["row"] for line in lines if line["table"] == "documents"]
    assert row["address"] == "https://files.example/a/b.pdf"
    assert "SECRET" not in json.dumps(lines)
    assert "pass" not in json.dumps(lines)


async def test_what_lies_on_both_sides_of_a_damaged_page_is_read(tmp_path: Path) -> None:
    await fill(tmp_path)
    path = tmp_path / opening.NAME
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP INDEX outbox_of_others")
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'outbox'").fetchone()
    raw = bytearray(path.read_bytes())
    middle = raw.index(b'"n":150,') // 4096
    assert middle + 1 != root
    raw[middle * 4096 : middle * 4096 + 4096] = b"\xa5" * 4096
    path.write_bytes(raw)
    lines, exported = read(tmp_path)
    there = {line["row"]["data"]["n"] for line in lines if line["table"] == "outbox" and "row" in line}
    assert {0, 100, 200, 299} <= there
    assert 150 not in there
    assert len(there) > 280
    assert list(exported.damaged) == ["outbox"]
    assert any(line.get("unreadable") for line in lines), "the file itself says that it is not all"


async def test_no_journal_is_an_answer(tmp_path: Path) -> None:
    with pytest.raises(NoJournal):
        read(tmp_path)


async def test_of_what_cannot_be_opened_the_ring_is_left(tmp_path: Path) -> None:
    await fill(tmp_path)
    (tmp_path / opening.NAME).write_bytes(b"# another kind of file\n" * 300)
    lines, exported = read(tmp_path)
    assert [line["table"] for line in lines] == [opening.NAME, "ring"]
    assert list(exported.damaged) == [opening.NAME]
