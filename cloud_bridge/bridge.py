"""The branch's session with the centre: connect, be born, take instructions in, let the outbox out, come back.

Knows the contract's rules of the link (§2, INS-2, INS-7) through `ports`; must not know orders, devices or the journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cloud_bridge.link import Connect, ConnectRefused, Link, LinkLost, Message, PublishRefused, Will
from cloud_bridge.mqtt_link import MqttLink
from cloud_bridge.ports import Inbox, Outbox, StoreFailed
from cloud_bridge.presence import Presence
from cloud_bridge.settings import LinkSettings
from cloud_bridge.topics import Topics
from cloud_bridge.troubles import Told, word_of
from cloud_bridge.uplink import Uplink
from cloud_bridge.waiting import Sleep, answered, first

log = logging.getLogger(__name__)

STRANGER = "another agent speaks for this branch"
EXPECTED = (ConnectRefused, LinkLost, StoreFailed, OSError)  # told in one line; anything else is a fault of ours
OpenLink = Callable[[Connect], Awaitable[Link]]


@dataclass(slots=True)
class Status:
    """How the link stands, for `check` and the watchdog; times are of the bridge's clock (monotonic)."""

    connected: bool = False
    session: int = 0
    session_present: bool = False
    since_s: float = 0.0  # when `connected` last changed
    last_error: str = ""
    last_word: Told | None = None  # the same, for readers of any language
    connects: int = 0
    taken: int = 0  # instructions that are in the journal
    sent_replies: int = 0
    sent_events: int = 0
    refused: int = 0  # publishes that the broker refused
    faults: int = 0  # tasks that died of an error of our own


class _Stopped(Exception):
    """A planned stop was asked for."""


class Bridge:
    """Run as one task (`run`), ended by `stop`; nothing that the broker does or leaves undone delays the agent."""

    def __init__(
        self,
        settings: LinkSettings,
        topics: Topics,
        inbox: Inbox,
        outbox: Outbox,
        *,
        open_link: OpenLink = MqttLink.connect,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._inbox = inbox
        self._outbox = outbox
        self._open_link = open_link
        self._sleep = sleep
        self._chance = chance
        self._clock = clock
        self._uplink = Uplink(settings, topics, outbox, sleep, clock)
        self._status = Status(since_s=clock())
        self._presence = Presence()
        self._rebirth = asyncio.Event()
        self._stopping = asyncio.Event()
        self._stop_reason = "planned_stop"
        self._ended = asyncio.Event()
        self._ended.set()
        self._link: Link | None = None
        self._failures = 0
        self._connected_at_s: float | None = None

    @property
    def status(self) -> Status:
        """How it stands now; the object is live."""
        self._status.sent_replies = self._uplink.sent["replies"]
        self._status.sent_events = self._uplink.sent["events"]
        self._status.refused = self._uplink.refused
        return self._status

    def put_twin(self, device: str, payload: bytes) -> None:
        """The newest twin of a device; never blocks, an older one that waits is replaced."""
        self._uplink.put_twin(device, payload)

    async def run(self) -> None:
        """Until `stop`: a connection that ends, for whatever reason, is followed by another (SES-4)."""
        self._ended.clear()
        try:
            while not self._stopping.is_set():
                await self._one_session()
                if not self._stopping.is_set():
                    await first(self._sleep(self._backoff_s()), self._stop_asked())
        finally:
            self._ended.set()

    async def stop(self, reason: str = "planned_stop") -> None:
        """Publish our own death with the reason, say goodbye; bounded by `stop_limit_s`, whatever the broker does."""
        self._stop_reason = reason
        self._stopping.set()
        await self._ended.wait()

    # -- one session ---------------------------------------------------------------------------------------------------

    async def _one_session(self) -> None:
        self._connected_at_s = None
        try:
            await self._until_it_ends()
        except ExceptionGroup as group:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # a task group that ends on an error takes no notice of it
                raise asyncio.CancelledError from group
            await self._note_end(_cause(group))
        finally:
            await self._leave()

    async def _until_it_ends(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._raise_when_stopped(), name="bridge stop")
            session = await self._outbox.next_session()  # durable before CONNECT (ENV-2)
            will = Will(self._topics.session, self._outbox.will(session), self._settings.will_delay_s)
            link = self._link = await self._open_link(self._settings.connect(will))
            async with answered("SUBACK", self._settings.connect_timeout_s):
                await link.subscribe(self._topics.instructions, self._topics.session)
            self._note_connected(link, session)
            self._rebirth.set()
            group.create_task(self._announce(link, session), name="bridge session topic")
            group.create_task(self._take_instructions(link, session), name="bridge inbound")
            group.create_task(self._uplink.run(link), name="bridge outbound")
            raise await link.wait_lost()

    async def _raise_when_stopped(self) -> None:
        await self._stopping.wait()
        raise _Stopped

    async def _stop_asked(self) -> None:
        await self._stopping.wait()

    async def _announce(self, link: Link, session: int) -> None:
        """The birth, again when a death that is not of now was seen, and heartbeats between (SES-2, SES-3, SES-6)."""
        while True:
            if self._rebirth.is_set():
                self._rebirth.clear()
                payload = await self._outbox.birth(session)
                self._presence.said(payload)
            else:
                payload = await self._outbox.heartbeat(session)
            try:
                async with answered("PUBACK", self._settings.ack_timeout_s):  # also where nothing else goes up
                    await link.publish(self._topics.session, payload, retain=True)
            except PublishRefused as refusal:
                await self._uplink.tell_once("publish_refused", str(refusal))
            await first(self._sleep(self._settings.heartbeat_s), self._birth_asked())

    async def _birth_asked(self) -> None:
        await self._rebirth.wait()

    async def _take_instructions(self, link: Link, session: int) -> None:
        """Started in order of arrival, overlapping so that one fsync carries several; the link orders the PUBACKs."""
        # The broker keeps to Receive Maximum for QoS 1 only; a flood at QoS 0 must wait in the socket, not in memory.
        places = asyncio.Semaphore(self._settings.receive_maximum)
        async with asyncio.TaskGroup() as group:
            while True:
                message = await link.receive()
                if message.topic == self._topics.session:
                    message.ack()
                    await self._hear_session(message.payload, session)
                else:
                    await places.acquire()
                    taking = group.create_task(self._take(message), name="bridge take")
                    taking.add_done_callback(lambda _: places.release())

    async def _hear_session(self, payload: bytes, session: int) -> None:
        if self._outbox.is_other_death(payload, session):
            self._rebirth.set()
        if not self._presence.is_stranger(payload):
            return
        if self._presence.is_heard:
            raise LinkLost(STRANGER, taken_over=True)
        # Left behind, retained or queued, by one that may be gone: told, but no reason to leave, or we never came back.
        await self._note_stranger(STRANGER)

    async def _take(self, message: Message) -> None:
        await self._inbox.take(message.payload)
        message.ack()
        self._status.taken += 1

    # -- its end -------------------------------------------------------------------------------------------------------

    async def _leave(self) -> None:
        link, self._link = self._link, None
        self._note_state(connected=False)
        if link is None:
            return
        if self._stopping.is_set():
            with contextlib.suppress(TimeoutError, LinkLost, PublishRefused):
                async with asyncio.timeout(self._settings.stop_limit_s):
                    death = self._outbox.will(self._status.session, self._stop_reason)
                    await link.publish(self._topics.session, death, retain=True)
                    await link.close()
        await link.drop()

    async def _note_end(self, cause: Exception) -> None:
        if isinstance(cause, _Stopped):
            return
        self._status.last_error = str(cause) or repr(cause)
        self._status.last_word = word_of(cause)
        if self._connected_at_s is not None and self._clock() - self._connected_at_s >= self._settings.stable_s:
            self._failures = 0
        if isinstance(cause, LinkLost) and cause.taken_over:
            await self._note_stranger(str(cause))
        if isinstance(cause, EXPECTED):
            log.warning("link to the centre: %s", cause)
        else:
            self._status.faults += 1
            log.error("link to the centre: a fault of ours", exc_info=cause)

    async def _note_stranger(self, why: str) -> None:
        self._failures = 30  # the other one must be told, not fought: at most one try a minute
        with contextlib.suppress(StoreFailed):
            await self._uplink.tell_once("session_taken_over", why)

    def _backoff_s(self) -> float:
        """Doubling spans from 1-2 s to 30-60 s, a random point in each: a bank's branches must not come back as one."""
        span_s = min(self._settings.backoff_max_s, 2 * self._settings.backoff_min_s * 2.0**self._failures)
        self._failures = min(self._failures + 1, 30)
        return span_s / 2 + span_s / 2 * self._chance()

    def _note_connected(self, link: Link, session: int) -> None:
        self._connected_at_s = self._clock()
        self._status.session = session
        self._status.session_present = link.session_present
        self._status.connects += 1
        self._note_state(connected=True)
        log.info("connected to the centre, session %s", session)

    def _note_state(self, *, connected: bool) -> None:
        if self._status.connected != connected:
            self._status.connected = connected
            self._status.since_s = self._clock()


def _cause(group: BaseExceptionGroup[BaseException]) -> Exception:
    """The one error that says most: a stop first, then a fault of ours, then what the broker did."""
    found: list[Exception] = []
    todo: list[BaseException] = [group]
    while todo:
        error = todo.pop()
        if isinstance(error, BaseExceptionGroup):
            todo.extend(error.exceptions)
        elif isinstance(error, Exception):
            found.append(error)
    stops = [error for error in found if isinstance(error, _Stopped)]
    faults = [error for error in found if not isinstance(error, (*EXPECTED, _Stopped))]
    taken_over = [error for error in found if isinstance(error, LinkLost) and error.taken_over]
    return next(iter((*stops, *faults, *taken_over, *found)))
