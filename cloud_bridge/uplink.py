"""What goes up, and in which order: replies, then events, then the newest twin of each device, then readings.

Knows the outbox and a link; must not know how the link came about, nor what the messages say.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from cloud_bridge.envelope import shortened
from cloud_bridge.link import TOO_LARGE, Link, PublishRefused
from cloud_bridge.ports import READING_EXPIRY_S, Lane, Outbox, Outgoing
from cloud_bridge.settings import LinkSettings
from cloud_bridge.topics import Topics
from cloud_bridge.waiting import Sleep, answered, first

log = logging.getLogger(__name__)

CONGESTED_S = 1.0  # readings wait so long before they look whether the way is free
TELL_AGAIN_S = 3600.0  # the same trouble is told once; after an hour it is news again


@dataclass(slots=True)
class _Way:
    """One topic upwards and how the broker treats it at the moment."""

    topic: str
    not_before_s: float = 0.0
    refusals: int = 0  # in a row


class Uplink:
    """Drains the outbox and the twins into whatever link there is; `run` once per connection."""

    def __init__(
        self, settings: LinkSettings, topics: Topics, outbox: Outbox, sleep: Sleep, clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._outbox = outbox
        self._sleep = sleep
        self._clock = clock
        self._wake = asyncio.Event()
        self._ways: dict[Lane, _Way] = {"replies": _Way(topics.replies), "events": _Way(topics.events)}
        self._device_way = _Way("")
        self._twins: dict[str, bytes] = {}
        self._twins_due: dict[str, None] = {}
        self._readings = False  # some wait
        self._none_left = asyncio.Event()
        self._told_at_s: dict[tuple[str, str], float] = {}
        self.sent: dict[Lane, int] = {"replies": 0, "events": 0}
        self.refused = 0

    def put_twin(self, device: str, payload: bytes) -> None:
        """The newest twin of a device; never blocks, an older one that waits is replaced."""
        self._twins[device] = payload
        self._twins_due[device] = None
        self._wake.set()

    async def tell_once(self, what: str, reason: str) -> None:
        """An event about the link, unless the same was told within the last hour."""
        last_s = self._told_at_s.get((what, reason))
        if last_s is None or self._clock() - last_s >= TELL_AGAIN_S:
            self._told_at_s[what, reason] = self._clock()
            await self._outbox.told(what, reason)

    async def run(self, link: Link) -> None:
        """Never returns. Raises LinkLost, or what the outbox raises."""
        self._twins_due = dict.fromkeys(self._twins)  # a broker that lost its store lost the retained twins as well
        for way in (*self._ways.values(), self._device_way):
            way.not_before_s, way.refusals = 0.0, 0
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_outbox(), name="uplink outbox")
            group.create_task(self._watch_readings(), name="uplink readings")
            group.create_task(self._drain(link), name="uplink drain")

    async def _watch_outbox(self) -> None:
        while True:
            await self._outbox.changed()
            self._wake.set()

    async def _watch_readings(self) -> None:
        while True:
            await self._outbox.observed()
            self._readings = True
            self._wake.set()
            self._none_left.clear()
            await self._none_left.wait()

    async def _drain(self, link: Link) -> None:
        while True:
            self._wake.clear()
            looked_s = self._clock()
            replies = await self._send_batch(link, "replies")
            if replies >= self._settings.batch:
                continue  # there may be more; those that come while few are under way let one batch of events pass
            sent_events = await self._send_batch(link, "events")
            # One twin a turn, so that a long backlog of events neither waits for them nor hides them.
            sent_twin = await self._send_twin(link)
            if not replies and not sent_events and not sent_twin and not await self._send_reading(link):
                await self._rest(looked_s)

    async def _rest(self, looked_s: float) -> None:
        """Until something is to be sent, or a way may be tried that might not when this turn began."""
        ways = (*self._ways.values(), self._device_way)
        later = [way.not_before_s for way in ways if way.not_before_s > looked_s]  # not later than now: it may be so
        later += [looked_s + CONGESTED_S] if self._readings else []  # already, and then nothing else would wake it
        if later:
            await first(self._sleep(max(0.0, min(later) - self._clock())), _wait(self._wake))
        else:
            await self._wake.wait()

    def _limit(self, lane: Lane, way: _Way) -> int:
        if way.refusals:
            return 1  # one by one until the broker takes them again: order is kept
        if lane == "events":
            return max(1, min(self._settings.batch, int(self._settings.max_events_per_s / 2)))
        return self._settings.batch

    async def _send_batch(self, link: Link, lane: Lane) -> int:
        """How many were tried."""
        way = self._ways[lane]
        if self._clock() < way.not_before_s:
            return 0
        rows = await self._outbox.unsent(lane, self._limit(lane, way))
        if not rows:
            return 0
        if lane == "events":
            way.not_before_s = self._clock() + len(rows) / self._settings.max_events_per_s
        try:
            await self._publish_rows(link, lane, way.topic, rows)
        except PublishRefused as refusal:
            await self._hold_back(way, refusal)
        else:
            way.refusals = 0
        return len(rows)

    async def _publish_rows(self, link: Link, lane: Lane, topic: str, rows: list[Outgoing]) -> None:
        """Marks exactly what was acknowledged, whatever ends it. Raises PublishRefused, LinkLost."""
        pubacks: dict[int, asyncio.Future[None]] = {}
        refusals: list[PublishRefused] = []
        try:
            async with answered("PUBACK", self._settings.ack_timeout_s):
                for row in rows:
                    try:
                        pubacks[row.key] = await _send_row(link, topic, row.payload)
                    except PublishRefused as refusal:
                        refusals.append(refusal)
                for row in rows:
                    try:
                        await _end_of(link, topic, row, pubacks)
                    except PublishRefused as refusal:
                        refusals.append(refusal)
        finally:
            acknowledged = [key for key, puback in pubacks.items() if _is_taken(puback)]
            if acknowledged:
                self.sent[lane] += len(acknowledged)
                await self._outbox.mark_sent(lane, acknowledged)
        if refusals:
            raise refusals[0]

    async def _send_twin(self, link: Link) -> bool:
        way = self._device_way
        if not self._twins_due or self._clock() < way.not_before_s:
            return False
        device = next(iter(self._twins_due))
        del self._twins_due[device]
        try:
            async with answered("PUBACK", self._settings.ack_timeout_s):
                await link.publish(self._topics.device(device), self._twins[device], retain=True)
        except PublishRefused as refusal:
            self._twins_due[device] = None
            await self._hold_back(way, refusal)
        else:
            way.refusals = 0
        return True

    async def _send_reading(self, link: Link) -> bool:
        """One, when nothing else is to be sent and the way is free; it is gone whatever becomes of it (DEV-4)."""
        if not self._readings or link.congested:
            return False
        reading = await self._outbox.next_reading()
        if reading is None:
            self._readings = False
            self._none_left.set()
            return False
        device, payload = reading
        try:
            await link.publish(self._topics.readings(device), payload, qos=0, expiry_s=READING_EXPIRY_S)
        except PublishRefused as refusal:
            log.warning("%s; it is left out", refusal)
        return True

    async def _hold_back(self, way: _Way, refusal: PublishRefused) -> None:
        delay_s = min(self._settings.backoff_max_s, self._settings.backoff_min_s * 2**way.refusals)
        way.refusals = min(way.refusals + 1, 30)
        way.not_before_s = self._clock() + delay_s
        self.refused += 1
        log.warning("%s; tried again in %.0f s", refusal, delay_s)
        await self.tell_once("publish_refused", str(refusal))


async def _send_row(link: Link, topic: str, payload: bytes) -> asyncio.Future[None]:
    """What is too large goes shortened, else all that stands behind it waited for ever."""
    try:
        return await link.send(topic, payload)
    except PublishRefused as refusal:
        if refusal.reason != TOO_LARGE:
            raise
        return await link.send(topic, shortened(payload))


async def _end_of(link: Link, topic: str, row: Outgoing, pubacks: dict[int, asyncio.Future[None]]) -> None:
    """Of a row that has left; what the broker alone found too large leaves once more, shortened."""
    if row.key not in pubacks:
        return
    try:
        await pubacks[row.key]
    except PublishRefused as refusal:
        if refusal.reason != TOO_LARGE:
            raise
        pubacks[row.key] = await link.send(topic, shortened(row.payload))
        await pubacks[row.key]


def _is_taken(puback: asyncio.Future[None]) -> bool:
    return puback.done() and not puback.cancelled() and puback.exception() is None


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
