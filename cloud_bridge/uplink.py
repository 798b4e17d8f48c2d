"""What goes up, and in which order: replies, then events, then the newest twin of each device.

Knows the outbox and a link; must not know how the link came about, nor what the messages say.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from cloud_bridge.envelope import shortened
from cloud_bridge.link import TOO_LARGE, Link, LinkLost, PublishRefused
from cloud_bridge.ports import Lane, Outbox, Outgoing
from cloud_bridge.settings import LinkSettings
from cloud_bridge.topics import Topics
from cloud_bridge.waiting import Sleep, first

log = logging.getLogger(__name__)

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
            group.create_task(self._drain(link), name="uplink drain")

    async def _watch_outbox(self) -> None:
        while True:
            await self._outbox.changed()
            self._wake.set()

    async def _drain(self, link: Link) -> None:
        while True:
            self._wake.clear()
            if await self._send_batch(link, "replies"):
                continue
            sent_events = await self._send_batch(link, "events")
            # One twin a turn, so that a long backlog of events neither waits for them nor hides them.
            sent_twin = await self._send_twin(link)
            if not sent_events and not sent_twin:
                await self._rest()

    async def _rest(self) -> None:
        """Until something is to be sent, or a way may be tried again."""
        now_s = self._clock()
        due = [way.not_before_s - now_s for way in (*self._ways.values(), self._device_way)]
        later = [delay_s for delay_s in due if delay_s > 0]
        if later:
            await first(self._sleep(min(later)), _wait(self._wake))
        else:
            await self._wake.wait()

    def _limit(self, lane: Lane, way: _Way) -> int:
        if way.refusals:
            return 1  # one by one until the broker takes them again: order is kept
        if lane == "events":
            return max(1, min(self._settings.batch, int(self._settings.max_events_per_s / 2)))
        return self._settings.batch

    async def _send_batch(self, link: Link, lane: Lane) -> bool:
        """Whether anything was tried."""
        way = self._ways[lane]
        if self._clock() < way.not_before_s:
            return False
        rows = await self._outbox.unsent(lane, self._limit(lane, way))
        if not rows:
            return False
        if lane == "events":
            way.not_before_s = self._clock() + len(rows) / self._settings.max_events_per_s
        try:
            await self._publish_rows(link, lane, way.topic, rows)
        except PublishRefused as refusal:
            await self._hold_back(way, refusal)
        else:
            way.refusals = 0
        return True

    async def _publish_rows(self, link: Link, lane: Lane, topic: str, rows: list[Outgoing]) -> None:
        """Marks exactly what was acknowledged, whatever ends it. Raises PublishRefused, LinkLost."""
        acknowledged: list[int] = []

        async def publish(row: Outgoing) -> None:
            try:
                await link.publish(topic, row.payload)
            except PublishRefused as refusal:
                if refusal.reason != TOO_LARGE:
                    raise
                await link.publish(topic, shortened(row.payload))  # else all that stands behind it waited for ever
            acknowledged.append(row.key)

        try:
            async with asyncio.timeout(self._settings.ack_timeout_s):
                ends = await asyncio.gather(*(publish(row) for row in rows), return_exceptions=True)
        except TimeoutError:
            raise LinkLost(f"no PUBACK within {self._settings.ack_timeout_s:g} s") from None
        finally:
            if acknowledged:
                self.sent[lane] += len(acknowledged)
                await self._outbox.mark_sent(lane, acknowledged)
        errors = [end for end in ends if isinstance(end, BaseException)]
        for error in sorted(errors, key=lambda error: isinstance(error, PublishRefused)):  # a lost link outranks
            raise error

    async def _send_twin(self, link: Link) -> bool:
        way = self._device_way
        if not self._twins_due or self._clock() < way.not_before_s:
            return False
        device = next(iter(self._twins_due))
        del self._twins_due[device]
        try:
            async with asyncio.timeout(self._settings.ack_timeout_s):
                await link.publish(self._topics.device(device), self._twins[device], retain=True)
        except PublishRefused as refusal:
            self._twins_due[device] = None
            await self._hold_back(way, refusal)
        except TimeoutError:
            raise LinkLost(f"no PUBACK within {self._settings.ack_timeout_s:g} s") from None
        else:
            way.refusals = 0
        return True

    async def _hold_back(self, way: _Way, refusal: PublishRefused) -> None:
        delay_s = min(self._settings.backoff_max_s, self._settings.backoff_min_s * 2**way.refusals)
        way.refusals = min(way.refusals + 1, 30)
        way.not_before_s = self._clock() + delay_s
        self.refused += 1
        log.warning("%s; tried again in %.0f s", refusal, delay_s)
        await self.tell_once("publish_refused", str(refusal))


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
