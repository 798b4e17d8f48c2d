"""The WAN away for days, in compressed time and in real time: local work goes on, and all comes up behind it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sqlite3
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.client import Scheduler as Centre
from cloud_bridge.hearing import Kind
from cloud_bridge.messages.reports import EventData
from edge_agent import timekeeper
from edge_agent.journal.journal import CommitHooks, Journal
from edge_agent.journal.tx import Tx
from edge_agent.orders.desk import JOURNAL_CHANGED
from tests.broker import Broker
from tests.conftest import BranchMaker
from tests.harness.branch import LEAVES, TAKES, Branch
from tests.harness.scheduler import REACH_S
from tests.harness.wan import SETTINGS, TOPICS, WAY_S, LinkedBench, Up, Wan
from tests.virtual_time import virtual_time

HOUR_S = 3600.0
FLAT_BYTES = 192 * 1024  # 57 kB were seen, on a busy box too; with each event kept in memory 345 and more
NOISE = [tracemalloc.Filter(False, pattern) for pattern in ("*/tests/*", "*/simulators/*", "*/logging/*", "*pytest*")]
ENDED = ("completed", "failed", "cancelled", "expired")


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Days without their log, in which the timekeeper looks once a minute: more looks would prove nothing more."""
    monkeypatch.setattr(timekeeper, "TICK_S", 60.0)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def traced() -> int:
    """Bytes that the product holds; what the test and its machines keep is theirs."""
    gc.collect()  # what goes round in circles until the next collection is no growth
    shot = tracemalloc.take_snapshot().filter_traces(NOISE)
    return sum(block.size for block in shot.statistics("filename"))


async def busy(bench: LinkedBench, hours: float, every_s: float, name: str) -> list[str]:
    """Orders made on site, one after the other, while time goes by."""
    orders = [f"{name}-{number}" for number in range(int(hours * HOUR_S / every_s))]
    for order in orders:
        await bench.submit(order)
        await bench.while_s(every_s)
        assert bench.order(order).state.value == "completed", f"{order} was not served while the WAN was away"
    return orders


def lay(tx: Tx, count: int, words: str = "x" * 200) -> None:
    """So many events, as a branch would have told them."""
    for number in range(count):
        tx.emit(JOURNAL_CHANGED, None, {"what": "backlog", "facts": {"n": number, "words": words}})


def out_of_order(events: list[Up], last: int) -> list[tuple[int, int]]:
    """Places at which it is not one event of each seq up to `last`: what was expected, what came."""
    seqs = [up.data["seq"] for up in events]
    wrong = [(n, seq) for n, seq in enumerate(seqs, 1) if n != seq]
    return wrong[:5] or ([] if len(seqs) == last else [(last, len(seqs))])


def fastest(events: list[Up], window_s: float = 1.0) -> int:
    """The most events that were acknowledged within one second."""
    most, first = 0, 0
    for last, up in enumerate(events):
        while up.at_s - events[first].at_s >= window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


# -- three days --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("OUT-5")
@pytest.mark.rule("OUT-3")
@virtual_time
async def test_three_days_without_a_wan(tmp_path: Path, calm: None) -> None:
    bench = LinkedBench(tmp_path, fast=True, idle_poll_s=120.0)
    loop, wan = asyncio.get_running_loop(), bench.wan
    bench.wall.follow = lambda: loop.time() - 1000
    async with bench:
        await busy(bench, 1, 900, "before")
        await bench.when(lambda: bench.unsent() == 0)
        up = len(wan.events())
        wan.cut()
        orders = await busy(bench, 12, 900, "away")
        tracemalloc.start()
        try:
            orders += await busy(bench, 12, 900, "first")
            began = traced()
            orders += await busy(bench, 24, 900, "second")
            grown = traced() - began
        finally:
            tracemalloc.stop()
        await bench.restart()
        orders += await busy(bench, 24, 900, "restarted")
        assert len(wan.events()) == up
        assert grown < FLAT_BYTES, f"{grown} bytes more after a day and {bench.unsent()} events"
        assert wan.tries <= 72 * 60 * 1.5, "it must not hammer on a door that is shut"
        backlog = bench.unsent()
        assert backlog > 10 * len(orders)

        wan.there = True
        await bench.when(lambda: len(wan.events()) > up + backlog // 10)
        wan.ask("order.submit", {"scene": "collect_card"}, subject="new")
        bench.submitted.add("new")
        await bench.when(lambda: any(reply.data.get("order") == "new" for reply in wan.replies()[-1:]))
        left = backlog - (len(wan.events()) - up)
        assert left > backlog // 2, "the reply does not wait for the backlog"
        await bench.until("completed", order="new")
        assert backlog - (len(wan.events()) - up) > backlog // 4, "nor does the order"
        await bench.when(lambda: bench.unsent() == 0, lambda: str(bench.unsent()))

        assert not out_of_order(wan.events(), bench.last_seq()), "each once, in order"
        assert fastest(wan.events()[up:]) <= SETTINGS.max_events_per_s + SETTINGS.batch
        assert bench.watched is not None
        assert bench.watched.most <= SETTINGS.batch
        assert wan.in_hand <= 2 * SETTINGS.batch, "the backlog stays in the journal, not in memory"
        assert {bench.order(order).state.value for order in orders} == {"completed"}
        bench.verdict()


# -- a lost tail -------------------------------------------------------------------------------------------------------


def mend(wan: Wan) -> bool:
    """What a centre does that sees a gap (SES-6); whether there is one."""
    gaps = wan.order.gaps()
    for gap in gaps:
        words = {"journal": gap.journal, "from": gap.first, "to": min(gap.last, gap.first + 999)}
        wan.ask("events.request", words)
    return bool(gaps)


@pytest.mark.rule("SES-6")
@virtual_time
async def test_a_broker_that_confirms_and_drops_is_found_out_by_the_next_heartbeat(tmp_path: Path) -> None:
    async with LinkedBench(tmp_path, fast=True) as bench:
        wan = bench.wan
        await bench.submit("o1")
        await bench.until("completed")
        await bench.when(lambda: bench.unsent() == 0)
        wan.loses = True
        await bench.submit("o2")
        await bench.until("completed", order="o2")
        await bench.when(lambda: bench.unsent() == 0)
        await bench.while_s(1)
        wan.loses = False
        assert wan.lost > 5
        assert not wan.order.gaps(), "nothing tells of what nobody heard"
        await bench.while_s(SETTINGS.heartbeat_s)
        assert mend(wan)
        await bench.while_s(5)
        assert not wan.order.gaps()
        assert not out_of_order(wan.handed, bench.last_seq())
        bench.verdict()


@pytest.mark.rule("SES-6")
@virtual_time
async def test_a_centre_that_never_stops_asking_holds_up_no_backlog(tmp_path: Path) -> None:
    async with LinkedBench(tmp_path, fast=True) as bench:
        wan = bench.wan
        await bench.do(lambda tx: lay(tx, 1000))
        await bench.when(lambda: len(wan.beats()) > 0)
        for _ in range(700):  # more often than a batch is under way
            wan.ask("events.request", {"journal": bench.journal.id, "from": 1, "to": 1})
            await bench.while_s(WAY_S / 2)
        assert len(wan.handed) == bench.last_seq()
        assert not out_of_order(wan.handed, bench.last_seq())


# -- a broker that is as good as away ----------------------------------------------------------------------------------


@pytest.mark.rule("SES-4")
@virtual_time
async def test_a_broker_that_never_grants_a_subscription_is_left_and_tried_again(tmp_path: Path) -> None:
    wan = Wan()
    wan.mute = True
    async with LinkedBench(tmp_path, fast=True, wan=wan) as bench:
        assert bench.bridge is not None
        await bench.submit()
        await bench.until("completed")
        await bench.while_s(60)
        assert "no SUBACK" in bench.bridge.status.last_error
        assert wan.tries > 2
        wan.mute = False
        await bench.when(lambda: bench.unsent() == 0)
        assert not out_of_order(wan.handed, bench.last_seq())


@pytest.mark.rule("SES-4")
@virtual_time
async def test_a_broker_that_takes_the_birth_and_confirms_nothing_is_left_also_when_nothing_happens(
    tmp_path: Path,
) -> None:
    async with LinkedBench(tmp_path, fast=True) as bench:
        wan = bench.wan
        await bench.when(lambda: bench.unsent() == 0 and len(wan.beats()) > 0)
        wan.links[-1].answer = wan._never
        await bench.while_s(SETTINGS.heartbeat_s + SETTINGS.ack_timeout_s + SETTINGS.backoff_max_s)
        assert len(wan.links) == 2, "pings may be answered all the time: a heartbeat must be"
        assert bench.bridge is not None
        assert "no PUBACK" in bench.bridge.status.last_error
        assert wan.beats()[-1].topic == TOPICS.session


# -- the same with a broker and a machine ------------------------------------------------------------------------------

BACKLOG = 20_000
RATE = 2_000.0  # events per second: ten seconds for a centre that the box does not let run
SMALL_QUEUE = "max_queued_messages 1000\n"  # mosquitto's default: what exceeds it is confirmed and dropped
DROPPED = "messages are being dropped for client centre"


@pytest.mark.process
@pytest.mark.rule("OUT-5")
@pytest.mark.rule("SES-6")
async def test_a_backlog_of_20000_comes_up_through_a_broker_that_drops_while_orders_are_served(
    make_branch: BranchMaker, tmp_path: Path
) -> None:
    """The agent is killed and back while the broker is away; the centre comes back later than the broker."""
    with Broker(tmp_path, extra=SMALL_QUEUE) as broker:
        branch: Branch = await make_branch(port=broker.port, link={"max_events_per_s": RATE, "heartbeat_s": 1.0})
        agent = await branch.start_agent()
        watch: list[Kind] = ["events", "session"]
        who: dict[str, Any] = {"branch": branch.name, "client_id": "centre", "watch": watch, "resend_s": 1.0}
        async with Centre("127.0.0.1", broker.port, **who) as centre:
            assert (await centre.submit("collect_card", {"take_s": 30}, order="a")).status == "accepted"
        await branch.until_ledger("card_drawn")
        broker.stop()
        await agent.kill()
        await pile_up(branch, BACKLOG)
        await branch.start_agent()
        await branch.until_ledger("card_taken")

        broker.start()
        async with asyncio.timeout(REACH_S):
            while DROPPED not in broker.log:  # noqa: ASYNC110 - a file of another process tells nobody that it grew
                await asyncio.sleep(0.02)
        heard: list[int] = []
        async with Centre("127.0.0.1", broker.port, **who, from_start=True) as centre:
            hearing = asyncio.create_task(hear(centre, heard))
            assert (await centre.submit("collect_card", {"take_s": 30}, order="b")).status == "accepted"
            assert unsent(branch) > BACKLOG // 10, "the reply does not wait for the backlog"
            await branch.until_ledger("card_taken", 2)
            async with asyncio.timeout(REACH_S):
                last = BACKLOG
                while len(heard) < last:
                    await asyncio.sleep(0.2)
                    last = (await centre.orders()).after or last
            hearing.cancel()
            await asyncio.wait([hearing])
        assert heard[:last] == list(range(1, last + 1)), "all, in order, each once"
        assert branch.acts() == ["card_drawn", "card_presented"] * 2


async def hear(centre: Centre, seqs: list[int]) -> None:
    async for message in centre.messages():
        if isinstance(message.data, EventData):
            seqs.append(message.data.seq)  # noqa: PERF401 - it is looked at while it grows


async def pile_up(branch: Branch, count: int, words: str = "") -> None:
    """So many events in the journal of a branch whose agent is not there."""
    journal = await Journal.open(branch.folder / "data", CommitHooks())
    try:
        await journal.write(lambda tx: lay(tx, count, words))
    finally:
        await journal.close()


@pytest.mark.process
@pytest.mark.rule("SES-6")
async def test_a_tail_that_a_wiped_broker_forgot_is_asked_for_and_comes(
    make_branch: BranchMaker, tmp_path: Path
) -> None:
    """The centre was away; what its queue held is gone, and nothing new happens."""
    with Broker(tmp_path) as broker:
        branch: Branch = await make_branch(port=broker.port, customer=LEAVES, link={"heartbeat_s": 0.5})
        await branch.start_agent()
        watch: list[Kind] = ["events", "session"]
        who: dict[str, Any] = {"branch": branch.name, "client_id": "centre", "watch": watch, "resend_s": 1.0}
        heard: list[int] = []
        async with Centre("127.0.0.1", broker.port, **who, from_start=True) as centre:
            hearing = asyncio.create_task(hear(centre, heard))
            for order in ("a", "b"):
                await centre.submit("collect_card", {"take_s": 600}, order=order)
            await branch.until_ledger("card_presented")
            while not heard:  # noqa: ASYNC110 - whoever hears tells nobody
                await asyncio.sleep(0.01)
            hearing.cancel()
            await asyncio.wait([hearing])
            known = centre.order.seen()
        async with branch.control() as control:
            await control.customer(**TAKES)  # not before nobody hears of it
        async with asyncio.timeout(REACH_S):
            while completed(branch) < 2:  # noqa: ASYNC110 - a journal tells nobody
                await asyncio.sleep(0.05)
        await until_all_sent(branch)
        await branch.stop_agent()  # the orders' events lie at the broker, all of them
        assert unsent(branch) == 0
        last = told(branch)
        broker.kill()
        broker.wipe()
        broker.start()
        await branch.start_agent()
        async with Centre("127.0.0.1", broker.port, **who, known=known) as centre:
            hearing = asyncio.create_task(hear(centre, heard))
            async with asyncio.timeout(REACH_S):
                while len(heard) < last:  # noqa: ASYNC110 - whoever hears tells nobody
                    await asyncio.sleep(0.05)
            hearing.cancel()
            await asyncio.wait([hearing])
        assert last > max(known.values()) + 3, "nothing was lost: this broker proves nothing"
        assert heard[:last] == list(range(1, last + 1))


def told(branch: Branch) -> int:
    """The last seq in its journal."""
    return ask_journal(branch, "SELECT max(seq) FROM outbox")


def unsent(branch: Branch) -> int:
    """How many of its events wait for the broker."""
    return ask_journal(branch, "SELECT count(*) FROM outbox WHERE sent = 0")


async def until_all_sent(branch: Branch) -> None:
    """Waits until the broker has confirmed each event that the journal holds."""
    async with asyncio.timeout(REACH_S):
        while unsent(branch):  # noqa: ASYNC110 - a journal tells nobody
            await asyncio.sleep(0.05)


def completed(branch: Branch) -> int:
    """How many of its orders came to their good end."""
    return ask_journal(branch, "SELECT count(*) FROM orders WHERE state = 'completed'")


def ask_journal(branch: Branch, sql: str) -> int:
    file = branch.folder / "data" / "journal.sqlite3"
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        return int(db.execute(sql).fetchone()[0])
