from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge.client import NoReply, Scheduler
from cloud_bridge.hearing import Heard, Kind
from cloud_bridge.link import Connect, ConnectRefused, PublishRefused
from cloud_bridge.messages.reports import DeviceObserved, EventData, Session
from cloud_bridge.messages.words import Choice
from cloud_bridge.mqtt_link import MqttLink
from tests.broker import Broker, broker
from tests.cloud_bridge.paper_branch import PaperBranch, running, until
from tests.ports import free_port

pytestmark = pytest.mark.process
__all__ = ["broker"]


async def take(scheduler: Scheduler, count: int) -> list[Heard]:
    heard: list[Heard] = []
    async with asyncio.timeout(120):
        async for message in scheduler.messages():
            heard.append(message)
            if len(heard) == count:
                return heard
    raise AssertionError("messages never ends")


def seqs(heard: list[Heard]) -> list[int]:
    return [message.data.seq for message in heard if isinstance(message.data, EventData)]


@pytest.mark.rule("INS-1")
async def test_every_call_becomes_one_instruction_with_its_reply(broker: Broker) -> None:
    async with running(broker) as (bridge, paper), Scheduler(broker.host, broker.port, name="c", branch="b1") as s:
        await until(lambda: bridge.status.connected)
        replies = [
            await s.submit("collect_card", {"n": 1}, order="o1"),
            await s.cancel("o1", "changed mind"),
            await s.hold("o1"),
            await s.release("o1"),
            await s.resolve("o1", "present", "a1", Choice.FAILED, ["/people/1"]),
            await s.orders(["running"]),
            await s.adopt("j1", ["o1"]),
        ]
        assert [reply.status for reply in replies] == ["accepted"] * 7
        assert replies[0].order == "o1"
        types = [paper.replied and message.decode() for message in paper.taken]
        for verb, said in zip(
            ("submit", "cancel", "hold", "release", "resolve", "request", "adopt"), types, strict=True
        ):
            assert f".{verb}.v1" in said
            assert '"deadline"' in said
            assert "/schedulers/c" in said


@pytest.mark.rule("INS-9")
async def test_the_same_id_goes_out_again_until_the_reply_is_there(broker: Broker) -> None:
    async with Scheduler(broker.host, broker.port, branch="b1", resend_s=0.05) as s:
        asking = asyncio.create_task(s.submit("x", instruction_id="i1"))
        await asyncio.sleep(0.15)
        async with running(broker) as (_, paper):
            reply = await asking
            assert (reply.instruction, reply.status) == ("i1", "accepted")
            assert all(b'"i1"' in payload for payload in paper.taken)
        assert broker.log.count("Received PUBLISH from scheduler-") >= 2, "a PUBACK is not custody"


@pytest.mark.rule("INS-3")
async def test_a_repeat_gets_the_first_reply_and_says_so(broker: Broker) -> None:
    async with running(broker) as (bridge, _), Scheduler(broker.host, broker.port, branch="b1") as s:
        await until(lambda: bridge.status.connected)
        first = await s.submit("x", instruction_id="i1")
        again = await s.submit("x", instruction_id="i1")
        assert (first.repeat, again.repeat) == (False, True)
        assert again.model_copy(update={"repeat": False}) == first


@pytest.mark.rule("INS-9")
async def test_silence_until_the_deadline_is_no_reply_and_no_guess(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_bridge.client.REPLY_GRACE_S", 0.05)
    async with Scheduler(broker.host, broker.port, branch="b1", resend_s=0.05) as s:
        with pytest.raises(NoReply, match=r"orders\.request"):
            await s.submit("x", deadline=datetime.now(UTC) + timedelta(seconds=0.2))
        with pytest.raises(NoReply):
            await s.submit("x", deadline=datetime.now(UTC) - timedelta(seconds=5))


@pytest.mark.rule("INS-9")
async def test_an_instruction_survives_a_broker_that_dies_in_between(broker: Broker) -> None:
    lost: list[Exception] = []
    asker = Scheduler(broker.host, broker.port, branch="b1", resend_s=0.2, on_lost=lost.append)
    async with running(broker) as (bridge, paper), asker as s:
        await until(lambda: bridge.status.connected)
        paper.silent = True
        asking = asyncio.create_task(s.submit("x", instruction_id="i1"))
        await until(lambda: len(paper.taken) == 1)
        broker.kill()
        paper.silent = False
        broker.start()
        reply = await asyncio.wait_for(asking, 10)
        assert reply.instruction == "i1"
        assert len(lost) == 1


@pytest.mark.rule("OUT-3")
async def test_events_come_in_order_once_although_sent_again(broker: Broker) -> None:
    async with (
        Scheduler(broker.host, broker.port, branch="b1", watch=["events"], from_start=True) as s,
        running(broker) as (_, paper),
    ):
        paper.happen(50)
        assert seqs(await take(s, 50)) == list(range(1, 51))
        await until(lambda: not paper.rows["events"])  # the scheduler may hear them before the branch hears its PUBACKs
        paper.rows["events"] = dict(paper.events)
        paper.happen(1)
        assert seqs(await take(s, 1)) == [51]
        assert s.order.repeats == 50


@pytest.mark.rule("SES-6")
async def test_what_was_missed_is_asked_for_again(broker: Broker) -> None:
    async with running(broker, heartbeat_s=0.1) as (_, paper):
        paper.happen(1500)
        await until(lambda: len(paper.sent["events"]) == 1500)
        # It comes when all of that is gone; the heartbeat tells how far the journal is.
        watch: list[Kind] = ["events", "session"]
        async with Scheduler(broker.host, broker.port, branch="b1", watch=watch, known={"j1": 20}) as s:
            wanted = iter(range(21, 1501))
            async with asyncio.timeout(30):
                async for message in s.messages():
                    if isinstance(message.data, Session):
                        continue
                    assert seqs([message]) == [next(wanted)]
                    if seqs([message]) == [1500]:
                        break
        requests = [payload for payload in paper.taken if b"events.request" in payload]
        assert len(requests) == 2, "1,000 at once, and none again that is on its way"


async def test_events_that_cannot_be_had_again_are_stepped_over(broker: Broker) -> None:
    async with running(broker) as (_, paper):
        paper.happen(5)
        await until(lambda: len(paper.sent["events"]) == 5)
        paper.forgetful = True
        async with Scheduler(broker.host, broker.port, branch="b1", watch=["events"], from_start=True) as s:
            paper.happen(1)
            assert seqs(await take(s, 1)) == [6]


@pytest.mark.rule("SES-6")
@pytest.mark.parametrize(("kept_from", "late"), [(4, 0), (1, 1), (4, 1)])
async def test_only_what_the_branch_has_no_more_is_stepped_over(broker: Broker, kept_from: int, late: int) -> None:
    """Its retention removed the first of them; or it would not answer this time, for its clock goes ahead."""
    async with running(broker) as (_, paper):
        paper.happen(5)
        await until(lambda: len(paper.sent["events"]) == 5)
        paper.kept_from, paper.late = kept_from, late
        how: dict[str, Any] = {"branch": "b1", "watch": ["events"], "from_start": True, "resend_s": 0.2}
        async with Scheduler(broker.host, broker.port, **how) as s:
            paper.happen(1)
            assert seqs(await take(s, 7 - kept_from)) == list(range(kept_from, 7))


async def test_a_scheduler_of_all_branches_hears_them_apart_and_must_say_whom_it_means(broker: Broker) -> None:
    async with (
        Scheduler(broker.host, broker.port, watch=["events"]) as s,
        running(broker, "b1", "j1") as (_, one),
        running(broker, "b2", "j2") as (_, two),
    ):
        one.happen()
        two.happen()
        assert {message.branch for message in await take(s, 2)} == {"b1", "b2"}
        with pytest.raises(ValueError, match="say which one"):
            await s.submit("x")
        assert (await s.submit("x", branch="b2")).journal == "j2"
        assert one.taken == []


async def test_retained_twins_and_sessions_are_found_at_once(broker: Broker) -> None:
    async with running(broker) as (bridge, paper):
        twin = {"device": "card-1", "kind": "crt591", "role": "r", "state": "online", "after": 0}
        bridge.put_twin("card-1", paper.envelope("branchgate.device.reported.v1", twin))
        await until(lambda: "Received PUBLISH from b1" in broker.log and "devices/card-1" in broker.log)
        async with Scheduler(broker.host, broker.port, branch="b1", watch=["devices", "session"]) as s:
            kept = await s.kept(settle_s=0.2)
        assert sorted(message.kind for message in kept) == ["devices", "session"]


@pytest.mark.rule("ENV-1")
async def test_unknown_types_and_members_are_kept_and_rubbish_is_counted(broker: Broker) -> None:
    async with (
        running(broker) as (_, paper),
        Scheduler(broker.host, broker.port, branch="b1", watch=["session"]) as s,
    ):
        await take(s, 1)
        bridge_topic = "branchgate/v1/b1/session"
        assert s._link is not None
        await s._link.publish(bridge_topic, b"\xff not JSON")
        strange = paper.envelope("branchgate.weather.told.v1", {"sky": {"colour": "grey"}})
        await s._link.publish(bridge_topic, strange[:-1] + b',"newattribute":1}')
        heard = (await take(s, 1))[0]
        assert s.unreadable == 1
        assert heard.type == "branchgate.weather.told.v1"
        assert heard.data.model_dump()["sky"] == {"colour": "grey"}
        assert heard.envelope.model_dump()["newattribute"] == 1


async def test_a_persistent_scheduler_gets_what_came_while_it_was_away(broker: Broker) -> None:
    async with running(broker) as (bridge, paper):
        await until(lambda: bridge.status.connected)
        async with Scheduler(broker.host, broker.port, branch="b1", watch=["events"], client_id="centre-1") as s:
            paper.happen(2)
            await take(s, 2)
            known = s.order.seen()
        paper.happen(3)
        await until(lambda: len(paper.sent["events"]) == 5)
        async with Scheduler(
            broker.host, broker.port, branch="b1", watch=["events"], client_id="centre-1", known=known, fill_gaps=False
        ) as s:
            assert seqs(await take(s, 3)) == [3, 4, 5]


@pytest.mark.rule("DEV-3")
async def test_readings_are_heard_while_somebody_watches_and_kept_by_nobody(broker: Broker) -> None:
    async with running(broker) as (_, paper):
        told = {"device": "door-1", "kind": "k", "role": "r", "time": "2026-03-02T12:00:00Z", "after": 0}
        told |= {"readings": [{"name": "in", "raw": 7, "unit": "people", "delta": 2}]}
        async with Scheduler(broker.host, broker.port, branch="b1", watch=["readings"]) as s:
            paper.observe("door-1", paper.envelope("branchgate.device.observed.v1", told))
            (heard,) = await take(s, 1)
            assert isinstance(heard.data, DeviceObserved)
            assert (heard.kind, heard.retained, heard.data.readings[0].delta) == ("readings", False, 2)
        async with Scheduler(broker.host, broker.port, branch="b1", watch=["readings"]) as s:
            assert await s.kept(settle_s=0.2) == []


@pytest.mark.rule("ENV-4")
async def test_instructions_expire_at_the_broker_and_events_and_replies_do_not(broker: Broker) -> None:
    spy = await MqttLink.connect(Connect(broker.host, broker.port, "spy"))
    properties: dict[str, Any] = {}
    spy._paho.on_message = lambda client, userdata, message: properties.update({message.topic: message.properties})
    await spy.subscribe("branchgate/v1/b1/#")
    async with running(broker) as (_, paper), Scheduler(broker.host, broker.port, branch="b1") as s:
        paper.happen()
        await s.submit("x", deadline=datetime.now(UTC) + timedelta(seconds=40))
        await until(lambda: len(properties) == 4)
    await spy.drop()
    expiry = {topic.rsplit("/", 1)[-1]: getattr(p, "MessageExpiryInterval", None) for topic, p in properties.items()}
    assert (expiry.pop("instructions") or 0) in range(35, 42)
    assert expiry == {"session": None, "events": None, "replies": None}
    assert not any(hasattr(p, "ResponseTopic") or hasattr(p, "UserProperty") for p in properties.values())


async def test_errors_come_at_once_and_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConnectRefused, match="refused"):
        async with Scheduler("127.0.0.1", free_port()):
            pass
    (tmp_path / "acl").write_text("topic read #\n")
    with Broker(tmp_path, extra=f"acl_file {tmp_path / 'acl'}\n") as broker:
        async with Scheduler(broker.host, broker.port, branch="b1") as s:
            with pytest.raises(PublishRefused, match="Not authorized"):
                await s.submit("x", instruction_id=str(uuid.uuid4()))
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.rule("SES-6")
async def test_a_backlog_that_comes_by_itself_is_not_asked_for(broker: Broker) -> None:
    """The birth tells of all of it; each request would have it sent once more."""
    paper = PaperBranch("b1", "j1")
    paper.happen(1500)
    watch: list[Kind] = ["events", "session"]
    async with Scheduler(broker.host, broker.port, branch="b1", watch=watch, from_start=True, resend_s=1.0) as s:
        async with running(broker, paper=paper, max_events_per_s=2000):
            heard: list[int] = []
            async with asyncio.timeout(20):
                async for message in s.messages():
                    heard += seqs([message])
                    if len(heard) == 1500:
                        break
        assert heard == list(range(1, 1501))
        assert paper.taken == []
        assert s.order.repeats == 0
