"""Ring and journal together: written before the commit, read when the journal is lost (ORD-12)."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest

from device_drivers.device import Arming
from edge_agent import beginning
from edge_agent.clock import Clock
from edge_agent.journal.journal import CommitHooks, Journal, Tx
from edge_agent.orders import course
from edge_agent.orders.adopting import adopt
from edge_agent.orders.desk import Place
from edge_agent.orders.reading import lane_of, memory_of
from edge_agent.settings import Settings
from edge_agent.settings import parse as parse_settings
from tests.edge_agent.journal.gate import arming, opened
from tests.edge_agent.parts import Book
from tests.edge_agent.printer import PAPER, ROLE

ARMED = arming("o-1/draw/1", readings={"bin": 4}, time="2026-01-01T00:00:00Z")


@pytest.mark.rule("ORD-12")
async def test_the_ring_is_synced_before_the_journal_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    async with opened(tmp_path) as journal:
        put, sync, clear = journal.ring.put, journal.ring.sync, journal.ring.clear

        def note(name: str, call: Any) -> Any:
            def noted(*values: Any) -> Any:
                order.append(name)
                return call(*values)

            return noted

        monkeypatch.setattr(journal.ring, "put", note("put", put))
        monkeypatch.setattr(journal.ring, "sync", note("sync", sync))
        monkeypatch.setattr(journal.ring, "clear", note("clear", clear))
        journal._db.set_trace_callback(lambda sql: order.append(sql) if sql == "COMMIT" else None)
        await journal.write(lambda tx: tx.armed.append(ARMED))
        assert order == ["put", "sync", "COMMIT"]
        order.clear()
        await journal.write(lambda tx: tx.settled.append("o-1/draw/1"))
        assert order == ["sync", "COMMIT", "clear"], "forgotten only after the settling is on disk"
        journal._db.set_trace_callback(None)


def _settings(folder: Path, adoption: str = "automatic") -> Settings:
    return parse_settings(
        f'[branch]\nid = "B1"\n[clock]\nsource = "host"\n[journal]\nfolder = "{folder}"\nadoption = "{adoption}"\n'
    )


async def begin(journal: Journal, adoption: str = "automatic") -> None:
    """What the agent does first with its journal."""
    settings = _settings(journal.folder, adoption)
    await journal.write(lambda tx: beginning.begin(tx, journal, Clock("host"), settings))
    journal.orphans_told()


def told(tx: Tx) -> list[Any]:
    return [json.loads(row["data"]) for row in tx.all("SELECT data FROM outbox ORDER BY seq")]


def insert_attempt(tx: Tx, state: str) -> None:
    order = (
        "INSERT OR IGNORE INTO orders (n, id, scene, parameters, customer, source, instruction, priority, state) "
        "VALUES (1, 'o-1', 's', '{}', '', '', '', 0, 'running')"
    )
    tx.do(order)
    sql = "INSERT OR REPLACE INTO attempts VALUES (1, ?, 'o-1', 'draw', 'card-1', 'draw_card', ?, '{}', 0, 0)"
    tx.do(sql, ARMED["attempt"], state)


def lose(folder: Path) -> None:
    for file in folder.glob("journal.sqlite3*"):
        file.unlink()


async def _arm(folder: Path) -> None:
    """A branch at work: adopted, with one attempt armed."""
    async with opened(folder) as journal:
        await begin(journal)

        def arm(tx: Tx) -> None:
            insert_attempt(tx, "armed")
            tx.armed.append(ARMED)

        await journal.write(arm)


@pytest.mark.rule("ORD-12")
@pytest.mark.parametrize("how", ["lost", "damaged"])
async def test_a_lost_journal_does_not_forget_what_was_armed(tmp_path: Path, how: str) -> None:
    await _arm(tmp_path)
    if how == "lost":
        lose(tmp_path)
    else:
        (tmp_path / "journal.sqlite3").write_bytes(b"\xa5" * 5000)
    async with opened(tmp_path) as journal:
        assert journal.orphans == [ARMED]
        await begin(journal)
        lane = await journal.read(lambda tx: lane_of(tx, "card-1"))
        assert (lane.shut, lane.reason, lane.attempt) == (True, "journal_lost", "o-1/draw/1")
        assert await journal.read(lambda tx: tx.meta("adopted")) == "", "no automatic adoption over an open question"
        created = (await journal.read(told))[0]
        assert (created["what"], created["facts"]["orphans"]) == ("created", [ARMED])
        assert created["facts"].get("quarantined", False) is (how == "damaged")
    async with opened(tmp_path) as journal:  # the next start knows it from its own journal
        assert journal.orphans == []
        await begin(journal)
        assert (await journal.read(lambda tx: lane_of(tx, "card-1"))).shut
        assert await journal.read(lambda tx: tx.meta("adopted")) == ""


@pytest.mark.rule("ORD-12")
async def test_a_lost_journal_does_not_forget_whose_bytes_may_lie_in_a_printer(tmp_path: Path) -> None:
    """Else the half of a receipt that hangs in it would come out on the next customer's sheet."""
    async with Book(tmp_path, places=(Place("printer-1", ROLE, PAPER),)) as book:
        sheet = {"title": "t", "lines": "x"}
        await book.submit("o-1", scene="print_receipt", parameters=sheet)
        memory = {"next_id": 8, "open_job": "o-1/print/1", "open_jobs": [["o-1/print/1", "0007"]]}
        given = Arming({"bytes": 2000, "text": "x" * 1000}, memory)
        await book.do(lambda tx: course.arm(tx, "o-1", "print", given, book.clock))
    lose(tmp_path)
    async with opened(tmp_path) as journal:
        await begin(journal)
        assert await journal.read(lambda tx: memory_of(tx, "printer-1")) == memory


@pytest.mark.rule("ORD-12")
async def test_a_start_that_died_before_its_first_event_has_answered_nothing(tmp_path: Path) -> None:
    await _arm(tmp_path)
    lose(tmp_path)
    async with opened(tmp_path) as journal:
        assert journal.orphans
    async with opened(tmp_path) as journal:
        assert (journal.is_new, journal.orphans) == (True, [ARMED])


@pytest.mark.rule("ORD-12")
async def test_two_lost_journals_do_not_forget_it_either(tmp_path: Path) -> None:
    await _arm(tmp_path)
    for _ in range(2):
        lose(tmp_path)
        for _ in range(2):
            async with opened(tmp_path) as journal:
                await begin(journal)
    lose(tmp_path)
    async with opened(tmp_path) as journal:
        assert journal.orphans == [ARMED]


async def test_what_people_have_adopted_is_asked_no_more(tmp_path: Path) -> None:
    await _arm(tmp_path)
    lose(tmp_path)
    async with opened(tmp_path) as journal:
        await begin(journal)
        await journal.write(lambda tx: adopt(tx, [], "/schedulers/s"))
        assert not (await journal.read(lambda tx: lane_of(tx, "card-1"))).shut
    async with opened(tmp_path) as journal:
        assert (journal.orphans, journal.ring.entries) == ([], {})


async def test_an_empty_ring_beside_a_damaged_journal_is_not_adopted_automatically(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"\xa5" * 5000)
    async with opened(tmp_path) as journal:
        await begin(journal)
        assert await journal.read(lambda tx: tx.meta("adopted")) == ""


async def test_a_first_journal_is_adopted_only_where_the_configuration_says_so(tmp_path: Path) -> None:
    for adoption, adopted in (("automatic", "1"), ("instruction", "")):
        async with opened(tmp_path / adoption) as journal:
            await begin(journal, adoption)
            assert await journal.read(lambda tx: tx.meta("adopted")) == adopted


@pytest.mark.parametrize("state", ["armed", "acting", "waiting", "in_doubt", "done", "no_effect", "failed", None])
async def test_a_start_keeps_the_slots_of_open_attempts_only(tmp_path: Path, state: str | None) -> None:
    """A settled attempt's slot may be stale; one without a row was never committed: nothing was sent."""
    async with opened(tmp_path) as journal:
        await begin(journal)

        def arm(tx: Tx) -> None:
            tx.armed.append(ARMED)
            insert_attempt(tx, state or "")

        if state is None:
            journal.ring.put(ARMED)
        else:
            await journal.write(arm)
    async with opened(tmp_path) as journal:
        assert journal.orphans == []
        is_open = state in ("armed", "acting", "waiting", "in_doubt")
        assert set(journal.ring.entries) == ({"o-1/draw/1"} if is_open else set())
        assert not (await journal.read(lambda tx: lane_of(tx, "card-1"))).shut


@pytest.mark.rule("ORD-12")
@pytest.mark.parametrize("restart", [0, 2])
@pytest.mark.parametrize("killed", [0, 1])
async def test_a_journal_whose_end_is_lost_knows_it_from_the_ring(tmp_path: Path, restart: int, killed: int) -> None:
    """Its log was cut, or an older copy put in its place: what it answered since is forgotten, people must look.

    `killed`: before it had told anybody.
    """
    async with opened(tmp_path) as journal:
        await begin(journal)
    older = (tmp_path / "journal.sqlite3").read_bytes()
    await _arm(tmp_path)
    (tmp_path / "journal.sqlite3").write_bytes(older)
    for _ in range(killed):
        async with opened(tmp_path) as journal:
            assert journal.lost_end
    for start in range(restart + 1):
        async with opened(tmp_path) as journal:
            assert (journal.is_new, journal.lost_end) == (False, start == 0)
            assert journal.orphans == ([ARMED] if start == 0 else [])
            await begin(journal)
            assert await journal.read(lambda tx: tx.meta("adopted")) == ""
            lane = await journal.read(lambda tx: lane_of(tx, "card-1"))
            assert (lane.shut, lane.reason) == (True, "journal_lost")
    async with opened(tmp_path) as journal:
        await journal.write(lambda tx: adopt(tx, [], "/schedulers/s"))
    async with opened(tmp_path) as journal:
        await begin(journal)
        assert (journal.orphans, journal.ring.entries, journal.lost_end) == ([], {}, False)
        assert not (await journal.read(lambda tx: lane_of(tx, "card-1"))).shut


@pytest.mark.rule("ORD-12")
@pytest.mark.rule("OUT-4")
async def test_a_start_on_a_full_disk_tells_each_orphan_once(tmp_path: Path) -> None:
    """Its first commit is made a second time, on the reserve."""
    await _arm(tmp_path)
    lose(tmp_path)
    (tmp_path / "reserve").write_bytes(bytes(4096))
    full = [OSError(errno.ENOSPC, "No space left on device")]

    def before() -> None:
        if full:
            raise full.pop()

    journal = await Journal.open(tmp_path, CommitHooks(before), reserve_bytes=4096)
    try:
        assert not full
        assert journal.orphans == [ARMED]
    finally:
        await journal.close()


async def test_stale_slots_beside_a_new_journal_only_add_doubt(tmp_path: Path) -> None:
    """More than one for the same device, and one of a device that the branch has no more."""
    async with opened(tmp_path) as journal:
        await begin(journal)
        many = [ARMED, arming("o-2/draw/1"), arming("o-3/draw/1", "gone-1")]
        await journal.write(lambda tx: tx.armed.extend(many))
    lose(tmp_path)
    async with opened(tmp_path) as journal:
        await begin(journal)
        assert {orphan["attempt"] for orphan in journal.orphans} == {entry["attempt"] for entry in many}
        for device in ("card-1", "gone-1"):
            assert (await journal.read(lambda tx, device=device: lane_of(tx, device))).shut  # type: ignore[misc]
