from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cloud_bridge.link import Connect
from cloud_bridge.messages.catalogue import BEAT, BORN, DIED
from cloud_bridge.mqtt_link import MqttLink
from cloud_bridge.ports import StoreFailed
from cloud_bridge.topics import Topics
from tests.broker import Broker, broker
from tests.cloud_bridge.paper_branch import PaperBranch, running, until

pytestmark = pytest.mark.process
__all__ = ["broker"]
TOPICS = Topics("b1")


async def instruct(broker: Broker, *payloads: bytes) -> None:
    link = await MqttLink.connect(Connect(broker.host, broker.port, "centre", clean_start=True))
    for payload in payloads:
        await link.publish(TOPICS.instructions, payload)
    await link.close()


def order(n: int, paper: PaperBranch) -> bytes:
    return paper.envelope("branchgate.order.submit.v1", {"scene": "s"}, f"i{n}")


@pytest.mark.rule("SES-4")
@pytest.mark.rule("SES-5")
async def test_a_killed_broker_is_noticed_at_once_and_everything_comes_up_in_order_after_it(broker: Broker) -> None:
    async with running(broker) as (bridge, paper):
        paper.happen(10)
        await until(lambda: len(paper.sent["events"]) == 10)
        broker.kill()
        await until(lambda: not bridge.status.connected, 15)  # the keepalive would take 20 s
        paper.happen(300)
        broker.start()
        await until(lambda: len(paper.sent["events"]) == 310)
        assert paper.sent["events"] == list(range(1, 311))
        assert bridge.status.faults == 0


@pytest.mark.rule("SES-1")
@pytest.mark.rule("INS-2")
async def test_instructions_wait_at_the_broker_while_the_branch_is_away_also_over_its_restart(broker: Broker) -> None:
    async with running(broker) as (bridge, paper):
        await until(lambda: bridge.status.connected)
    await instruct(broker, *(order(n, paper) for n in range(20)))
    broker.restart()
    async with running(broker, paper=paper) as (bridge, paper):
        await until(lambda: len(paper.taken) == 20)
        assert bridge.status.session_present
        assert [p for p in paper.taken if b'"i7"' in p] == [paper.taken[7]]


@pytest.mark.rule("INS-2")
async def test_what_the_journal_could_not_write_is_delivered_again(broker: Broker) -> None:
    async with running(broker) as (bridge, paper):
        await until(lambda: bridge.status.connected)
        paper.broken = StoreFailed("disk full")
        # MemoryOutbox shares the attribute: no session can be counted either while the disk is full.
        await instruct(broker, order(1, paper), order(2, paper))
        await until(lambda: "disk full" in bridge.status.last_error)
        await until(lambda: not bridge.status.connected)
        assert paper.taken == []
        paper.broken = None
        await until(lambda: len(paper.taken) == 2)
        assert b'"i1"' in paper.taken[0]
        assert b'"i2"' in paper.taken[1]


async def test_a_wiped_session_is_told_and_everything_is_said_again(broker: Broker) -> None:
    async with running(broker) as (bridge, paper):
        bridge.put_twin("card-1", paper.envelope("branchgate.device.reported.v1", {"device": "card-1"}))
        await until(lambda: bridge.status.connected)
        broker.stop()
        broker.wipe()
        broker.start()
        await until(lambda: bridge.status.connects >= 2 and bridge.status.connected)
        assert not bridge.status.session_present
        link = await MqttLink.connect(Connect(broker.host, broker.port, "centre", clean_start=True))
        await link.subscribe(TOPICS.session, TOPICS.device("card-1"))
        async with asyncio.timeout(30):
            heard = {(await link.receive()).topic for _ in range(2)}
        assert heard == {TOPICS.session, TOPICS.device("card-1")}
        await link.close()
        await instruct(broker, order(1, paper))
        await until(lambda: len(paper.taken) == 1)


@pytest.mark.rule("SES-3")
async def test_a_late_will_of_the_session_before_is_answered_with_a_birth(broker: Broker) -> None:
    link = await MqttLink.connect(Connect(broker.host, broker.port, "watcher", clean_start=True))
    await link.subscribe(TOPICS.session)
    seen: list[str] = []

    async def watch() -> None:
        while True:
            message = await link.receive()
            message.ack()
            kind = message.payload.decode()
            seen.append(next(row.type for row in (BORN, BEAT, DIED) if row.type in kind))

    watching = asyncio.create_task(watch())
    async with running(broker) as (_, paper):
        await until(lambda: seen == [BORN.type])
        late = await MqttLink.connect(Connect(broker.host, broker.port, "late", clean_start=True))
        await late.publish(TOPICS.session, paper.will(0), retain=True)
        await late.close()
        await until(lambda: len(seen) == 3)
    await until(lambda: len(seen) == 4)
    watching.cancel()
    await link.drop()
    assert seen == [BORN.type, DIED.type, BORN.type, DIED.type]


@pytest.mark.rule("INS-7")
async def test_a_slow_journal_leaves_the_rest_with_the_broker(broker: Broker) -> None:
    async with running(broker, receive_maximum=4) as (bridge, paper):
        await until(lambda: bridge.status.connected)
        paper.gate = asyncio.Event()
        await instruct(broker, *(order(n, paper) for n in range(30)))
        await until(lambda: len(paper.started) == 4)
        await asyncio.sleep(0.05)
        assert len(paper.started) == 4
        paper.gate.set()
        await until(lambda: len(paper.taken) == 30)
        assert paper.taken == paper.started


@pytest.mark.rule("ENV-5")
async def test_any_bytes_reach_the_inbox_and_the_link_stands(broker: Broker) -> None:
    async with running(broker) as (bridge, paper):
        await until(lambda: bridge.status.connected)
        paper.silent = True
        rubbish = [b"", b"\x00", b"\xff\xfe", b"{" * 5000, b"[]", b"x" * 300_000, b"null"]
        await instruct(broker, *rubbish)
        await until(lambda: len(paper.taken) == len(rubbish))
        assert paper.taken == rubbish
        assert bridge.status.connects == 1


@pytest.mark.rule("OUT-2")
async def test_refused_events_stay_in_the_journal_and_are_told(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text(f"topic read #\ntopic write {TOPICS.session}\ntopic write {TOPICS.replies}\n")
    with Broker(tmp_path, extra=f"acl_file {acl}\n") as broker:
        async with running(broker) as (bridge, paper):
            paper.happen(3)
            await until(lambda: bool(paper.tales))
            assert paper.tales[0][0] == "publish_refused"
            assert "Not authorized" in paper.tales[0][1]
            assert paper.sent["events"] == []
            assert bridge.status.connected
            acl.write_text("topic readwrite #\n")
            broker.restart()
            await until(lambda: paper.sent["events"] == [1, 2, 3])


async def test_two_agents_with_one_client_id_both_learn_of_it_and_neither_fights(broker: Broker) -> None:
    async with running(broker, journal="a", backoff_max_s=1.0) as (one, paper_a):
        await until(lambda: one.status.connected)
        async with running(broker, journal="b", backoff_max_s=1.0) as (two, paper_b):
            await until(lambda: bool(paper_a.tales) and bool(paper_b.tales))
            before = one.status.connects + two.status.connects
            await asyncio.sleep(0.5)
            assert one.status.connects + two.status.connects - before <= 4
        # Newer brokers let the loser see both signs: the DISCONNECT and the other's retained session.
        assert {what for what, _ in paper_a.tales + paper_b.tales} == {"session_taken_over"}
        await until(lambda: one.status.connected)


async def test_a_stop_with_a_frozen_broker_is_quick(broker: Broker) -> None:
    loop = asyncio.get_running_loop()
    async with running(broker, stop_limit_s=0.2) as (bridge, paper):
        await until(lambda: bridge.status.connected)
        broker.freeze()
        paper.happen(5)
        started_s = loop.time()
        await bridge.stop()
        assert loop.time() - started_s < 15, "the keepalive would take 20 s"
    broker.thaw()


async def test_a_bridge_without_a_broker_waits_in_peace_and_stops_at_once(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    async with running(broker) as (bridge, paper):
        await until(lambda: "refused" in bridge.status.last_error)
        broker.start()
        paper.happen(3)
        await until(lambda: paper.sent["events"] == [1, 2, 3])
        broker.stop()
        await until(lambda: not bridge.status.connected)
