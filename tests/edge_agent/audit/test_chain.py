"""The audit chain: a row for each deed, bound to the one before; whatever is changed, missing or moved is found."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

import cli
from edge_agent.audit import chain
from edge_agent.audit.chain import Deed, Head, record
from edge_agent.audit.proof import Wanted, head_of, prove, rows
from edge_agent.audit.verify import verify
from edge_agent.journal import opening
from edge_agent.orders.desk import Caller
from tests.edge_agent.orders import points as at_point
from tests.edge_agent.parts import Book, Json
from tests.edge_agent.upkeep.test_retention import days
from tests.speech import speak

DAY = 86_400.0


def act(folder: Path, **wanted: str) -> list[Json]:
    return rows(folder, Wanted(1000, **wanted))


async def some(folder: Path, count: int = 6) -> Head:
    """A chain of so many rows; its head."""
    async with Book(folder) as book:
        for n in range(count):
            deed = Deed("people.add", f"/people/p{n}", ("/people/chief",), "local", proven=True, facts={"n": n})
            await book.do(lambda tx, deed=deed: record(tx, book.clock, deed))  # type: ignore[misc]
        return book.look(chain.head)


def spoil(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / opening.NAME, isolation_level=None)) as db:
        for sql in statements:
            assert db.execute(sql).rowcount >= 1, sql


def codes(folder: Path, kept: Head | None = None) -> list[tuple[str, str]]:
    return [(found.code, found.where) for found in prove(folder, kept).findings]


_COLUMNS = "time, clock, door, who, proven, act, what, facts, hash"
_SWAP = (
    f"UPDATE audit SET ({_COLUMNS}) = (SELECT {_COLUMNS} FROM kept WHERE kept.seq = 7 - audit.seq) WHERE seq IN (3, 4)"  # noqa: S608
)
SPOILT: dict[str, tuple[tuple[str, ...], list[tuple[str, str]]]] = {
    "what was done was changed": (
        ("UPDATE audit SET act = 'people.role' WHERE seq = 3",),
        [("audit_broken", "audit 3")],
    ),
    "who did it was changed": (("UPDATE audit SET who = '[]' WHERE seq = 1",), [("audit_broken", "audit 1")]),
    "when was changed": (
        ("UPDATE audit SET time = '2020-01-01T00:00:00.000Z' WHERE seq = 6",),
        [("audit_broken", "audit 6")],
    ),
    "a row is missing": (("DELETE FROM audit WHERE seq = 4",), [("audit_missing", "audit 4")]),
    "the first row is missing": (("DELETE FROM audit WHERE seq = 1",), [("audit_missing", "audit 1")]),
    "the last rows are missing": (("DELETE FROM audit WHERE seq >= 5",), [("audit_missing", "audit 5")]),
    "two rows changed places": (
        ("CREATE TABLE kept AS SELECT * FROM audit", _SWAP),
        [("audit_broken", "audit 3"), ("audit_broken", "audit 4"), ("audit_broken", "audit 5")],
    ),
    "a row was closed up behind a missing one": (
        ("DELETE FROM audit WHERE seq = 3", "UPDATE audit SET seq = seq - 1 WHERE seq > 3"),
        [("audit_broken", f"audit {n}") for n in (3, 4, 5)] + [("audit_missing", "audit 6")],
    ),
}


@pytest.mark.parametrize(("statements", "found"), SPOILT.values(), ids=SPOILT)
async def test_each_planted_change_is_found_where_it_is(
    tmp_path: Path, statements: tuple[str, ...], found: list[tuple[str, str]]
) -> None:
    head = await some(tmp_path)
    assert codes(tmp_path, head) == []
    with closing(sqlite3.connect(tmp_path / opening.NAME, isolation_level=None)) as db:
        for sql in statements:
            db.execute(sql)
    assert codes(tmp_path) == found
    assert {code for code, _ in found} <= {finding.code for finding in verify(tmp_path).findings}


async def test_a_chain_written_anew_is_told_by_a_head_kept_elsewhere(tmp_path: Path) -> None:
    head = await some(tmp_path)
    older = head_of(f"4:{rows(tmp_path, Wanted())[3]['hash']}")
    assert codes(tmp_path, older) == []
    with closing(sqlite3.connect(tmp_path / opening.NAME, isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        before = chain.beginning(db.execute("SELECT value FROM meta WHERE key = 'journal'").fetchone()[0])
        for row in db.execute("SELECT * FROM audit ORDER BY seq").fetchall():
            forged = {**dict(row), "what": "/people/nobody"}
            before = chain.hash_of(before, forged)
            db.execute("UPDATE audit SET what = '/people/nobody', hash = ? WHERE seq = ?", (before, row["seq"]))
    assert codes(tmp_path) == []
    assert codes(tmp_path, head) == [("audit_head", "audit 6")]
    assert codes(tmp_path, older) == [("audit_head", "audit 4")]


@pytest.mark.rule("SES-2")
@pytest.mark.usefixtures("_in_english")
async def test_a_tail_cut_off_with_every_trace_of_it_is_told_by_the_head_of_the_last_birth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await some(tmp_path)
    async with Book(tmp_path) as book:
        born = json.loads(await book.outbox().birth(1))["data"]["audit"]
    spoil(tmp_path, "DELETE FROM audit WHERE seq >= 5", "UPDATE sqlite_sequence SET seq = 4 WHERE name = 'audit'")
    assert codes(tmp_path) == [], "nothing that is left knows of it"
    kept = f"{born['seq']}:{born['hash']}"
    assert codes(tmp_path, head_of(kept)) == [("audit_head", "audit 6")]
    assert (run(capsys, "verify", tmp_path)[0], run(capsys, "verify", tmp_path, "--head", kept)[0]) == (0, 1)


async def test_no_chain_fits_into_another_journal(tmp_path: Path) -> None:
    await some(tmp_path)
    spoil(tmp_path, "UPDATE meta SET value = 'another' WHERE key = 'journal'")
    assert codes(tmp_path) == [("audit_broken", "audit 1")]


async def test_the_prefix_that_retention_removes_leaves_a_chain_that_can_be_verified(tmp_path: Path) -> None:
    head = await some(tmp_path, 3)
    async with Book(tmp_path) as book:
        await days(book, 2)
        await book.do(lambda tx: record(tx, book.clock, Deed("late", "", ("/people/a",), "local")))
        await days(book, 5)
        left = act(tmp_path)
        assert [row["act"] for row in left] == ["late"]
        proof = prove(tmp_path, head)
        assert (proof.findings, proof.first, proof.rows) == ([], 4, 1), "the head of what was removed still fits"
        assert verify(tmp_path).findings == []
        await days(book, 30)
        assert act(tmp_path) == []
        assert prove(tmp_path).findings == []
        again = await book.do(lambda tx: record(tx, book.clock, Deed("next", "", ("/people/a",), "local")))
        assert again.seq == 5
    assert codes(tmp_path, again) == []
    spoil(tmp_path, "UPDATE meta SET value = replace(value, '\"seq\": 4', '\"seq\": 3') WHERE key = 'audit_removed'")
    assert ("audit_missing", "audit 4") in codes(tmp_path)


async def test_rows_stay_as_long_as_the_audit_period(tmp_path: Path) -> None:
    await some(tmp_path, 3)
    async with Book(tmp_path) as book:
        await days(book, 3, audit=timedelta(days=5))
        assert len(act(tmp_path)) == 3


# -- instructions ------------------------------------------------------------------------------------------------------


async def test_who_asked_for_what_through_which_door_and_what_became_of_it(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await at_point.draw_asks(book)
        await book.ask("order.cancel", {}, subject="none")
        await book.ask("orders.request")
        await book.resolve("o1", "draw", "done", "zhang", "li")
        await book.ask("order.hold", {}, subject="o1", branch="B9")
    told = [(r["act"], r["what"], r["facts"]["status"], r["facts"].get("code")) for r in act(tmp_path)]
    assert told == [
        ("order.submit", "o1", "accepted", None),
        ("order.cancel", "none", "rejected", "unknown_order"),
        ("order.resolve", "o1", "accepted", None),
        ("order.hold", "o1", "rejected", "unauthorized"),
    ]
    decided = act(tmp_path, act="order.resolve")[0]
    assert decided["facts"]["people"] == ["zhang", "li"]
    assert (decided["who"], decided["proven"], decided["door"]) == (["/schedulers/centre"], False, "centre")
    assert (decided["clock"], decided["time"][:10]) == ("synced", "2026-03-02")
    assert prove(tmp_path).findings == []


async def test_a_repeat_is_no_deed_and_a_refusal_by_fault_keeps_the_chain(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        written = json.dumps(book.envelope("order.submit", {"scene": "collect_card"}, subject="o1")).encode()
        await book.take(written)
        assert (await book.take(written))["repeat"]
        await book.take(b'{"id": "x"}')
    assert [row["act"] for row in act(tmp_path)] == ["order.submit", "unknown"]
    assert prove(tmp_path).findings == []


async def test_a_wish_through_a_door_of_the_branch_needs_no_deadline_and_goes_to_nobody_else(tmp_path: Path) -> None:
    from cloud_bridge.envelope import Envelope

    async with Book(tmp_path) as book:
        book.wall.known = False
        members = book.envelope("order.submit", {"scene": "collect_card"}, subject="o1", source="/applications/till")
        envelope = Envelope.model_validate({**members, "deadline": None})
        reply = await book.intake.ask(envelope, Caller("api"))
        assert (reply["status"], book.order().state.value) == ("accepted", "accepted")
        assert book.one("SELECT 1 FROM replies") is None, "it was not the centre who asked"
        assert (await book.intake.ask(envelope, Caller("api")))["repeat"]
        refused = await book.ask("order.hold", {}, subject="o1", deadline=None)
        assert refused["code"] == "invalid", "the centre must say one"
    first = act(tmp_path)[0]
    assert (first["who"], first["door"], first["clock"]) == (["/applications/till"], "api", "unknown")


async def test_a_deed_that_is_not_written_leaves_no_row(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        book.disk.full = True
        with pytest.raises(Exception, match="cannot write"):
            await book.ask("order.submit", {"scene": "collect_card"}, subject="o1")
        book.disk.full = False
        await book.submit()
    assert [row["seq"] for row in act(tmp_path)] == [1]


@pytest.mark.rule("SES-2")
async def test_the_birth_tells_the_head_and_the_beat_does_not(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await book.submit()
        born = json.loads(await book.outbox().birth(1))["data"]
        head = book.look(chain.head)
        assert born["audit"] == {"seq": 1, "hash": head.hash}
        assert "audit" not in json.loads(await book.outbox().heartbeat(1))["data"]


# -- the commands ------------------------------------------------------------------------------------------------------


@pytest.fixture
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    speak(monkeypatch, "en")


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = cli.run(("audit", *map(str, arguments)))
    said = capsys.readouterr()
    return code, said.out + said.err


@pytest.mark.usefixtures("_in_english")
async def test_the_commands_tell_and_judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = await some(tmp_path)
    kept = f"{head.seq}:{head.hash}"
    code, said = run(capsys, "verify", tmp_path, "--head", kept)
    assert (code, "is whole: 6 rows from 1 on" in said, kept in said) == (0, True, True)
    assert run(capsys, "verify", tmp_path, "--head", "nonsense")[0] == 2
    assert run(capsys, "verify", tmp_path / "none")[0] == 3
    code, said = run(capsys, "show", tmp_path, "--what", "/people/p2", "--json")
    assert [row["facts"] for row in json.loads(said)] == [{"n": 2}]
    assert len(json.loads(run(capsys, "show", tmp_path, "--last", "4", "--who", "chief", "--json")[1])) == 4
    assert run(capsys, "show", tmp_path, "--act", "people")[1].count("people.add") == 6
    assert json.loads(run(capsys, "show", tmp_path, "--who", "thief", "--json")[1]) == []
    spoil(tmp_path, "UPDATE audit SET facts = '{}' WHERE seq = 2")
    code, said = run(capsys, "verify", tmp_path, "--json")
    assert (code, json.loads(said)["findings"][0]["code"]) == (1, "audit_broken")
