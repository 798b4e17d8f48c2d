"""A disk whose every commit takes its time: whoever waits shares the next one, in turn; nobody is told before.

Counted in commits, not in seconds: a commit here ends when the test lets it.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edge_agent.journal import journal as journals
from edge_agent.journal import opening
from edge_agent.journal.journal import MAX_BATCH, Journal
from edge_agent.orders.adopting import adopt
from edge_agent.orders.desk import Branch
from edge_agent.orders.intake import Intake
from edge_agent.orders.scenes import load_scenes
from edge_agent.uplink import About, JournalOutbox
from tests.edge_agent.journal.gate import HELD_LIMIT_S, Gate, events, held, opened
from tests.edge_agent.parts import BRANCH, Book, Wall, _places

LANES, JOBS = 20, 25


@asynccontextmanager
async def slow(folder: Path) -> AsyncIterator[tuple[Journal, Gate]]:
    gate = Gate()
    async with opened(folder, gate) as journal:
        yield journal, gate


async def all_wait() -> None:
    """The loop has turned until whoever was told has asked again."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_lanes_share_each_commit_and_none_is_left_behind(tmp_path: Path) -> None:
    done: Counter[int] = Counter()
    spread: list[int] = []
    async with slow(tmp_path) as (journal, gate):

        async def lane(number: int) -> None:
            for _ in range(JOBS):
                await journal.write(lambda tx: tx.emit("step", str(number), {}))
                done[number] += 1

        await held(journal, gate)
        before = journal.wear.commits
        lanes = [asyncio.create_task(lane(n)) for n in range(LANES)]
        while not all(task.done() for task in lanes):
            await all_wait()
            gate.open()
            await asyncio.sleep(0)
            gate.shut()
            spread.append(max(done.values(), default=0) - min((done[n] for n in range(LANES)), default=0))
            await asyncio.wait(lanes, timeout=0.001)
        gate.open()
        await asyncio.gather(*lanes)
        shared = journal.wear.transactions / (journal.wear.commits - before)
    assert done == dict.fromkeys(range(LANES), JOBS)
    assert max(spread) <= 2, "one lane is served twice while another waits"
    assert shared > LANES / 3


async def test_nobody_is_acknowledged_before_the_disk_has_it(tmp_path: Path) -> None:
    """What `take` returns is the PUBACK: they wait for one commit together, and come in order of arrival (INS-2)."""
    wall, order = Wall(), []
    async with slow(tmp_path) as (journal, gate):
        await journal.write(lambda tx: adopt(tx, [], "/configuration"))
        intake = Intake(journal, Branch(BRANCH, load_scenes(), _places(), 1000), wall.clock())
        asking = Book(tmp_path)
        await held(journal, gate)
        before = journal.wear.commits

        async def take(n: int) -> None:
            envelope = asking.envelope("order.submit", {"scene": "collect_card"}, subject=f"o{n}")
            await intake.take(json.dumps(envelope).encode())
            order.append(n)

        taking = [asyncio.create_task(take(n)) for n in range(50)]
        await all_wait()
        assert order == [], "acknowledged before it was on the disk"
        gate.open()
        await asyncio.gather(*taking)
        assert order == list(range(50))
        assert journal.wear.commits - before == 2, "the one that was held, and one for all fifty"


@pytest.mark.parametrize(("waiting", "commits"), [(1, 1), (50, 1), (MAX_BATCH, 1), (3 * MAX_BATCH, 3)])
async def test_the_worth_of_sharing_is_counted(tmp_path: Path, waiting: int, commits: int) -> None:
    async with slow(tmp_path) as (journal, gate):
        await held(journal, gate)
        wear = journal.wear
        before = (wear.commits, wear.transactions)
        jobs = [journal.post(lambda tx: tx.emit("e", None, {})) for _ in range(waiting)]
        gate.open()
        await asyncio.gather(*jobs)
        assert (wear.commits - before[0], wear.transactions - before[1]) == (1 + commits, 1 + waiting)


async def test_while_a_commit_takes_its_time_whoever_only_looks_does_not_wait(tmp_path: Path) -> None:
    """Lanes look for work, the panel looks, events go up: at the last commit, not at the one that is being made."""
    async with slow(tmp_path) as (journal, gate):
        await journal.write(lambda tx: tx.emit("before", None, {}))
        outbox = JournalOutbox(journal, About(BRANCH, {}, "", dict), Wall().clock())
        await held(journal, gate)
        async with asyncio.timeout(HELD_LIMIT_S / 2):
            assert [type_ for _, type_ in journal.glance(events)] == ["before"]
            assert [type_ for _, type_ in await journal.read(events)] == ["before"]
            assert len(await outbox.unsent("events", 10)) == 1
            assert json.loads(await outbox.heartbeat(1))["data"]["after"] == 1
        gate.open()
        await journal.write(lambda tx: None)
        assert [type_ for _, type_ in journal.glance(events)] == ["before", "first"]


async def test_what_nobody_waits_for_begins_no_commit_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "PATIENCE_S", HELD_LIMIT_S)
    async with slow(tmp_path) as (journal, gate):
        await journal.write(lambda tx: None)
        before = gate.commits
        patient = [journal.post(lambda tx: tx.emit("patient", None, {}), patient=True) for _ in range(3)]
        while not journal._jobs.empty():  # noqa: ASYNC110  # the writer has them then
            await asyncio.sleep(0)
        await journal.write(lambda tx: tx.emit("urgent", None, {}))
        assert all(job.done() for job in patient), "posted order is commit order"
        assert gate.commits - before == 1
        assert [type_ for _, type_ in journal.glance(events)] == ["patient"] * 3 + ["urgent"]


async def test_a_journal_that_is_closed_keeps_what_was_patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "PATIENCE_S", HELD_LIMIT_S)
    async with slow(tmp_path) as (journal, _):
        journal.post(lambda tx: tx.emit("patient", None, {}), patient=True)
    async with opened(tmp_path) as journal:
        assert [type_ for _, type_ in journal.glance(events)] == ["patient"]


async def test_who_is_patient_is_not_forgotten(tmp_path: Path) -> None:
    async with slow(tmp_path) as (journal, _):
        async with asyncio.timeout(HELD_LIMIT_S):
            await journal.write(lambda tx: tx.emit("patient", None, {}), patient=True)


@pytest.mark.process
async def test_what_goes_to_the_disk_is_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        before = journal.wear.bytes
        if before is None:
            pytest.skip("this kernel keeps no account of what a process writes")
        for _ in range(100):
            await journal.write(lambda tx: tx.emit("e", None, {"text": "x" * 1000}))
        after = journal.wear.bytes
    assert after is not None
    assert after - before >= 100 * 1000, "a disk in memory counts nothing: let these tests have a real one"


@pytest.mark.process
async def test_the_log_of_writes_stays_short(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        for _ in range(3000):
            journal.post(lambda tx: tx.emit("e", None, {"text": "x" * 1000}))
            if _ % 20 == 0:
                await journal.write(lambda tx: None)
        await journal.write(lambda tx: None)
        log = (tmp_path / f"{opening.NAME}-wal").stat().st_size
    assert log < 2 * (opening.CHECKPOINT_PAGES + 150) * 4120
