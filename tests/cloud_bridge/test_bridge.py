from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import pytest

from cloud_bridge.bridge import Bridge
from cloud_bridge.link import TOO_LARGE, Connect, ConnectRefused, PublishRefused
from cloud_bridge.ports import StoreFailed
from cloud_bridge.settings import LinkSettings
from cloud_bridge.topics import Topics
from tests.cloud_bridge.memory import FakeLink, Hours, MemoryInbox, MemoryOutbox, settle

TOPICS = Topics("b1")
SETTINGS = LinkSettings("b1", batch=3, max_events_per_s=1_000_000)


@dataclass
class World:
    """A bridge whose broker is a list of links; `refuse` fails the next connects, `answer` decides each publish."""

    hours: Hours
    inbox: MemoryInbox
    outbox: MemoryOutbox
    bridge: Bridge
    links: list[FakeLink]
    refuse: int = 0
    answer: Callable[[str, bytes], Awaitable[None]] | None = None

    @property
    def link(self) -> FakeLink:
        return self.links[-1]

    async def open_link(self, options: Connect) -> FakeLink:
        if self.refuse:
            self.refuse -= 1
            raise ConnectRefused("nobody there")

        async def answer(topic: str, payload: bytes) -> None:
            if self.answer is not None:
                await self.answer(topic, payload)

        self.links.append(FakeLink(options, answer))
        return self.links[-1]

    def told(self, topic: str) -> list[str]:
        return [payload.decode() for at, payload, _ in self.link.published if at == topic]


@asynccontextmanager
async def world(settings: LinkSettings = SETTINGS, chance: float = 0.0) -> AsyncIterator[World]:
    hours, inbox, outbox, links = Hours(), MemoryInbox(), MemoryOutbox(), list[FakeLink]()

    async def open_link(options: Connect) -> FakeLink:
        return await made.open_link(options)

    bridge = Bridge(
        settings,
        TOPICS,
        inbox,
        outbox,
        open_link=open_link,
        sleep=hours.sleep,
        chance=lambda: chance,
        clock=hours.clock,
    )
    made = World(hours, inbox, outbox, bridge, links)
    task = asyncio.create_task(bridge.run())
    await settle()
    try:
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("turns", range(8))
async def test_it_ends_when_cancelled_in_whatever_turn_of_the_loop(turns: int) -> None:
    """Also in the one in which a refused connection ends what stood around it."""

    async def nobody_there(_: Connect) -> FakeLink:
        raise ConnectRefused("nobody there")

    outbox = MemoryOutbox()
    task = asyncio.create_task(
        Bridge(SETTINGS, TOPICS, MemoryInbox(), outbox, open_link=nobody_there, sleep=Hours().sleep).run()
    )
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await settle()
    assert task.cancelled()


@pytest.mark.rule("SES-2")
@pytest.mark.rule("SES-3")
async def test_a_connection_counts_itself_first_then_subscribes_and_is_born() -> None:
    async with world() as w:
        assert w.link.subscribed == [TOPICS.instructions, TOPICS.session]
        assert w.link.options.will is not None
        assert json.loads(w.link.options.will.payload) == {"died": 1, "reason": "lost"}
        assert w.link.options.will.topic == TOPICS.session
        assert w.link.options.will.delay_s == 30
        assert w.link.published[0] == (TOPICS.session, b'{"born": 1}', True)
        assert (w.bridge.status.connected, w.bridge.status.session) == (True, 1)


@pytest.mark.rule("SES-1")
async def test_the_session_is_asked_for_as_the_contract_says() -> None:
    async with world() as w:
        assert (w.link.options.client_id, w.link.options.clean_start) == ("b1", False)
        assert w.link.options.session_expiry_s >= 7 * 24 * 3600


@pytest.mark.rule("SES-6")
async def test_a_heartbeat_each_minute_retained() -> None:
    async with world() as w:
        await w.hours.advance(59)
        assert w.told(TOPICS.session) == ['{"born": 1}']
        await w.hours.advance(122)
        assert w.told(TOPICS.session) == ['{"born": 1}'] + ['{"beat": 1}'] * 3
        assert all(retained for topic, _, retained in w.link.published if topic == TOPICS.session)


@pytest.mark.rule("SES-3")
async def test_the_birth_is_said_again_when_another_death_stands_there() -> None:
    async with world() as w:
        mine = w.link.deliver(TOPICS.session, b'{"died": 1, "reason": "lost"}')
        await settle()
        assert w.told(TOPICS.session) == ['{"born": 1}']
        other = w.link.deliver(TOPICS.session, b'{"died": 0, "reason": "lost"}')
        await settle()
        assert w.told(TOPICS.session) == ['{"born": 1}', '{"born": 1}']
        assert mine.acked
        assert other.acked
        assert w.inbox.taken == []


@pytest.mark.rule("SES-4")
async def test_the_back_off_doubles_to_a_minute_and_starts_anew_after_a_success() -> None:
    async with world(chance=0.5) as w:
        w.refuse = 8
        w.link.lose()
        await w.hours.advance(400)
        assert len(w.links) == 2
        assert w.bridge.status.connected
        pauses = [s for s in w.hours.slept if s != SETTINGS.heartbeat_s]
        assert pauses == [1.5, 3, 6, 12, 24, 45, 45, 45, 45]
        w.hours.slept.clear()
        await w.hours.advance(SETTINGS.stable_s)
        w.link.lose()
        await settle()
        assert [s for s in w.hours.slept if s != SETTINGS.heartbeat_s] == [1.5]


@pytest.mark.rule("SES-4")
@pytest.mark.parametrize("chance", [0.0, 0.999999])
async def test_the_back_off_stays_between_its_bounds(chance: float) -> None:
    async with world(chance=chance) as w:
        w.refuse = 40
        w.link.lose()
        await w.hours.advance(3000)
        pauses = [s for s in w.hours.slept if s != SETTINGS.heartbeat_s]
        assert min(pauses) >= 1
        assert max(pauses) <= 60


@pytest.mark.rule("SES-4")
async def test_a_broker_that_hangs_at_each_connect_is_no_success() -> None:
    async with world() as w:

        async def hang(options: Connect) -> FakeLink:
            w.hours.now_s += 10
            raise ConnectRefused("did not answer within 10 s")

        w.bridge._open_link = hang
        w.link.lose()
        await w.hours.advance(100)
        assert [s for s in w.hours.slept if s != SETTINGS.heartbeat_s][:6] == [1, 2, 4, 8, 16, 30]


async def test_a_taken_over_session_backs_off_for_long_and_is_told_once() -> None:
    async with world() as w:
        for _ in range(3):
            w.link.lose("session taken over", taken_over=True)
            await w.hours.advance(60)
        assert len(w.links) == 4
        assert [what for what, _ in w.outbox.tales] == ["session_taken_over"]
        pauses = [s for s in w.hours.slept if s != SETTINGS.heartbeat_s]
        assert pauses == [30.0] * 3
        await w.hours.advance(3600)
        w.link.lose("session taken over", taken_over=True)
        await settle()
        assert len(w.outbox.tales) == 2


@pytest.mark.rule("INS-2")
async def test_takes_overlap_and_start_in_order_and_each_is_acknowledged_only_when_taken() -> None:
    async with world() as w:
        w.inbox.gate = asyncio.Event()
        messages = [w.link.deliver(TOPICS.instructions, b"%d" % n) for n in range(4)]
        await settle()
        assert w.inbox.started == [b"0", b"1", b"2", b"3"]
        assert not any(m.acked for m in messages)
        w.inbox.gate.set()
        await settle()
        assert all(m.acked for m in messages)
        assert w.bridge.status.taken == 4


@pytest.mark.rule("INS-7")
async def test_no_more_takes_are_under_way_than_receive_maximum_whatever_comes() -> None:
    async with world(replace(SETTINGS, receive_maximum=5)) as w:
        w.inbox.gate = asyncio.Event()
        for n in range(50):
            w.link.deliver(TOPICS.instructions, b"%d" % n)
        await settle()
        assert len(w.inbox.started) == 5
        w.inbox.gate.set()
        await settle()
        assert w.inbox.taken == [b"%d" % n for n in range(50)]


@pytest.mark.rule("INS-2")
async def test_what_the_journal_cannot_write_is_not_acknowledged_and_the_link_comes_back_later() -> None:
    async with world() as w:
        w.inbox.broken = StoreFailed("disk full")
        message = w.link.deliver(TOPICS.instructions, b"x")
        await settle()
        assert not message.acked
        assert w.link.ended == "dropped"
        assert "disk full" in w.bridge.status.last_error
        w.inbox.broken = None
        await w.hours.advance(2)
        assert len(w.links) == 2


async def test_a_journal_that_cannot_count_a_session_means_no_connect() -> None:
    async with world() as w:
        w.outbox.broken = StoreFailed("read-only")
        w.link.lose()
        await w.hours.advance(30)
        assert len(w.links) == 1
        w.outbox.broken = None
        await w.hours.advance(60)
        assert len(w.links) == 2
        assert w.bridge.status.session == 2


@pytest.mark.rule("SES-4")
async def test_a_fault_of_our_own_restarts_the_connection_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    async with world() as w:
        w.inbox.broken = ZeroDivisionError("a bug")
        w.link.deliver(TOPICS.instructions, b"x")
        await settle()
        assert w.bridge.status.faults == 1
        assert "a bug" in caplog.text
        w.inbox.broken = None
        await w.hours.advance(2)
        assert w.bridge.status.connected


@pytest.mark.rule("DEV-4")
async def test_replies_go_before_events_and_each_lane_in_order() -> None:
    async with world() as w:
        w.link.lose()
        await settle()
        w.outbox.put("events", *range(1, 6))
        w.outbox.put("replies", 1, 2, 3, 4)
        await w.hours.advance(2)
        sent = [p.decode() for t, p, _ in w.link.published if t != TOPICS.session]
        assert sent == [*(f"replies {n}" for n in range(1, 5)), *(f"events {n}" for n in range(1, 6))]
        assert w.outbox.rows == {"replies": {}, "events": {}}


async def test_a_reply_overtakes_a_backlog_of_events() -> None:
    async with world() as w:

        async def answer(topic: str, payload: bytes) -> None:
            if payload == b"events 2":
                w.outbox.put("replies", 1)

        w.answer = answer
        w.outbox.put("events", *range(1, 10))
        await w.hours.advance(1)
        sent = [p.decode() for t, p, _ in w.link.published if t != TOPICS.session]
        assert sent.index("replies 1") == 3, "after the batch under way, before the rest"
        assert len(sent) == 10


@pytest.mark.rule("OUT-2")
async def test_exactly_what_was_acknowledged_is_marked_when_the_link_is_lost() -> None:
    async with world() as w:
        never = asyncio.Event()

        async def answer(topic: str, payload: bytes) -> None:
            if payload == b"events 2":
                await never.wait()

        w.answer = answer
        w.outbox.put("events", 1, 2, 3)
        await settle()
        assert w.outbox.sent["events"] == []
        w.link.lose()
        await settle()
        assert w.outbox.sent["events"] == [1, 3]
        w.answer = None
        await w.hours.advance(1)
        assert w.told(TOPICS.events) == ["events 2"]
        assert w.outbox.sent["events"] == [1, 3, 2]


@pytest.mark.rule("SES-5")
async def test_a_reconnect_sends_nothing_again_that_was_acknowledged() -> None:
    async with world() as w:
        w.outbox.put("events", 1, 2)
        w.outbox.put("replies", 1)
        await settle()
        w.link.lose()
        await w.hours.advance(2)
        assert len(w.links) == 2
        assert w.told(TOPICS.events) == []
        assert w.told(TOPICS.replies) == []


@pytest.mark.rule("OUT-2")
async def test_a_publish_without_puback_is_a_lost_link() -> None:
    async with world(replace(SETTINGS, ack_timeout_s=0.0)) as w:

        async def answer(topic: str, payload: bytes) -> None:
            if topic == TOPICS.events:
                await asyncio.Event().wait()

        w.answer = answer
        w.outbox.put("events", 1)
        await settle()
        assert w.outbox.sent["events"] == []
        assert "no PUBACK" in w.bridge.status.last_error


@pytest.mark.rule("OUT-2")
async def test_refused_events_wait_with_a_back_off_one_by_one_and_are_told_once() -> None:
    async with world() as w:
        refusing = True

        async def answer(topic: str, payload: bytes) -> None:
            if topic == TOPICS.events and refusing:
                raise PublishRefused(topic, "Quota exceeded")

        w.answer = answer
        w.outbox.put("events", *range(1, 8))
        await settle()
        assert w.told(TOPICS.events) == ["events 1", "events 2", "events 3"]
        assert len(w.outbox.tales) == 1
        assert "Quota exceeded" in w.outbox.tales[0][1]
        w.outbox.put("replies", 1)
        await w.hours.advance(0.5)
        assert w.outbox.sent == {"replies": [1], "events": []}, "the other lane goes on"
        await w.hours.advance(60)
        tries = w.told(TOPICS.events)[3:]
        assert set(tries) == {"events 1"}, "nothing overtakes the refused one"
        assert 4 <= len(tries) <= 6
        assert len(w.outbox.tales) == 1
        refusing = False
        await w.hours.advance(60)
        assert w.outbox.sent["events"] == list(range(1, 8))
        assert w.bridge.status.refused == 1 + len(tries), "one for the first batch, one for each try"
        assert len(w.links) == 1


@pytest.mark.rule("ENV-5")
async def test_what_is_too_large_for_the_broker_goes_up_shortened_and_blocks_nobody() -> None:
    async with world() as w:

        async def answer(topic: str, payload: bytes) -> None:
            if topic == TOPICS.events and len(payload) > 500:
                raise PublishRefused(topic, TOO_LARGE)

        w.answer = answer
        data = {"journal": "j", "seq": 1, "order": "o1", "reason": "x" * 400, "facts": {"long": "y" * 400}}
        large = json.dumps({"id": "j-1", "type": "t", "data": data}).encode()
        w.outbox.rows["events"] = {1: large, 2: b"events 2"}
        w.outbox.put("events", 3)
        await settle()
        assert w.outbox.sent["events"] == [1, 2, 3]
        stubs = [json.loads(payload) for topic, payload, _ in w.links[0].published if b"too_large" in payload]
        told = {"journal": "j", "seq": 1, "order": "o1", "too_large": len(large)}
        assert stubs == [{"id": "j-1", "type": "t", "data": told}]


@pytest.mark.rule("OUT-2")
async def test_of_a_batch_exactly_what_was_acknowledged_is_marked_whatever_became_of_its_neighbours() -> None:
    async with world(replace(SETTINGS, batch=100)) as w:
        large = json.dumps({"id": "j-4", "type": "t", "data": {"seq": 4, "long": "y" * 900}}).encode()

        async def answer(topic: str, payload: bytes) -> None:
            if payload == b"events 2":
                raise PublishRefused(topic, "Quota exceeded")
            if b"j-4" in payload:
                raise PublishRefused(topic, TOO_LARGE)

        w.answer = answer
        w.outbox.rows["events"] = {4: large}
        w.outbox.put("events", 1, 2, 3, 5)
        await settle()
        assert w.outbox.sent["events"] == [1, 3, 5]
        assert list(w.outbox.rows["events"]) == [4, 2]
        stubs = [payload for _, payload, _ in w.links[0].published if b"too_large" in payload]
        assert len(stubs) == 1, "tried shortened, and refused all the same"


@pytest.mark.rule("OUT-5")
async def test_a_backlog_drains_no_faster_than_allowed_and_replies_do_not_wait_for_it() -> None:
    async with world(replace(SETTINGS, batch=100, max_events_per_s=10)) as w:
        w.outbox.put("events", *range(1, 101))
        await w.hours.advance(2)
        assert 20 <= len(w.outbox.sent["events"]) <= 25
        w.outbox.put("replies", 1)
        await settle()
        assert w.outbox.sent["replies"] == [1]
        await w.hours.advance(10)
        assert w.outbox.sent["events"] == list(range(1, 101))


class Slow:
    """Time that moves between two looks at it, as on a machine that is busy with others."""

    def __init__(self, hours: Hours, step_s: float) -> None:
        self.hours, self.step_s = hours, step_s

    def __call__(self) -> float:
        self.hours.now_s += self.step_s
        return self.hours.now_s


@pytest.mark.rule("OUT-5")
@pytest.mark.parametrize("looks", range(1, 7))
async def test_an_event_whose_time_comes_while_the_uplink_looks_at_its_clock_is_not_left_behind(looks: int) -> None:
    """It may not go up yet at one look and may at the next: whichever look that is, nothing else will wake anybody."""
    async with world(replace(SETTINGS, batch=100, max_events_per_s=10)) as w:
        w.outbox.put("events", 1)
        await settle()
        w.bridge._uplink._clock = Slow(w.hours, 0.1 / looks)
        w.outbox.put("events", 2)
        for _ in range(10):
            await w.hours.advance(0.1)
        assert w.outbox.sent["events"] == [1, 2]


@pytest.mark.rule("DEV-4")
async def test_the_newest_twin_wins_and_all_twins_are_said_on_each_connection() -> None:
    async with world() as w:
        w.link.lose()
        await settle()
        for n in range(5):
            w.bridge.put_twin("card-1", b"twin %d" % n)
        w.bridge.put_twin("printer", b"p")
        await w.hours.advance(1)
        assert [p for p in w.link.published if p[0] == TOPICS.device("card-1")] == [
            (TOPICS.device("card-1"), b"twin 4", True)
        ]
        w.link.lose()
        await w.hours.advance(4)
        assert w.told(TOPICS.device("card-1")) == ["twin 4"]
        assert w.told(TOPICS.device("printer")) == ["p"]


@pytest.mark.rule("DEV-4")
async def test_readings_go_last_at_qos_0_and_expire() -> None:
    async with world() as w:
        w.link.lose()
        await settle()
        w.outbox.observe("door-1", b"r1", b"r2")
        w.outbox.put("events", 1, 2, 3)
        w.outbox.put("replies", 1)
        w.bridge.put_twin("door-1", b"t")
        await w.hours.advance(1)
        came = [(topic, qos, expiry) for topic, qos, expiry in w.link.said if topic != TOPICS.session]
        assert came[-2:] == [(TOPICS.readings("door-1"), 0, 300)] * 2
        assert {(qos, expiry) for _, qos, expiry in came[:-2]} == {(1, None)}
        assert w.outbox.sent == {"replies": [1], "events": [1, 2, 3]}
        assert w.told(TOPICS.readings("door-1")) == ["r1", "r2"]


@pytest.mark.rule("DEV-4")
async def test_on_a_way_that_is_full_readings_wait_and_events_go() -> None:
    async with world() as w:
        w.link.congested = True
        w.outbox.observe("door-1", b"r1")
        w.outbox.put("events", 1)
        await w.hours.advance(5)
        assert w.outbox.sent["events"] == [1]
        assert w.told(TOPICS.readings("door-1")) == []
        w.link.congested = False
        await w.hours.advance(1)
        assert w.told(TOPICS.readings("door-1")) == ["r1"]


async def test_a_reading_that_is_refused_is_left_out_and_the_link_stands() -> None:
    async with world() as w:

        async def answer(topic: str, payload: bytes) -> None:
            if payload == b"huge":
                raise PublishRefused(topic, TOO_LARGE)

        w.answer = answer
        w.outbox.observe("door-1", b"huge", b"r2")
        await settle()
        w.outbox.observe("door-1", b"r3")
        await settle()
        assert w.told(TOPICS.readings("door-1")) == ["huge", "r2", "r3"]
        assert len(w.links) == 1


async def test_a_refused_twin_is_told_and_tried_again() -> None:
    async with world() as w:

        async def answer(topic: str, payload: bytes) -> None:
            if topic == TOPICS.device("card-1") and w.hours.now_s < 5:
                raise PublishRefused(topic, "Not authorized")

        w.answer = answer
        w.bridge.put_twin("card-1", b"t")
        await w.hours.advance(10)
        assert len(w.outbox.tales) == 1
        assert len(w.told(TOPICS.device("card-1"))) == 4
        assert len(w.links) == 1


@pytest.mark.rule("SES-3")
async def test_a_planned_stop_publishes_its_own_death_and_says_goodbye() -> None:
    async with world() as w:
        await w.bridge.stop()
        assert w.link.published[-1] == (TOPICS.session, b'{"died": 1, "reason": "planned_stop"}', True)
        assert w.link.ended == "closed"
        assert not w.bridge.status.connected


async def test_a_stop_waits_for_no_broker() -> None:
    async with world(replace(SETTINGS, stop_limit_s=0.0)) as w:

        async def answer(topic: str, payload: bytes) -> None:
            await asyncio.Event().wait()

        w.answer = answer
        w.outbox.put("events", 1)
        await settle()
        await w.bridge.stop()
        assert w.link.ended == "dropped"
    async with world() as w:
        w.refuse = 1000
        w.link.lose()
        await w.hours.advance(100)
        await w.bridge.stop()
