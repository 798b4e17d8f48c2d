"""What a scheduler imports: instructions with their replies, and everything that branches tell.

Knows the contract from the centre's side; must not know anything of a branch's inside.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self

from cloud_bridge.envelope import BadMessage, Envelope
from cloud_bridge.event_order import EventOrder, Gap
from cloud_bridge.hearing import Heard, Kind, hear, subscription
from cloud_bridge.link import SESSION_EXPIRY_S, Connect, ConnectRefused, LinkLost, PublishRefused
from cloud_bridge.messages.reports import EventData, Reply
from cloud_bridge.messages.words import Code, Message
from cloud_bridge.mqtt_link import MqttLink
from cloud_bridge.topics import DEFAULT_ROOT, Topics
from cloud_bridge.verbs import Verbs

log = logging.getLogger(__name__)

VALID_FOR_S = 30.0  # an instruction's deadline when the caller names none
REPLY_GRACE_S = 2.0  # a reply to an acceptance at the last moment is still on its way
EVENTS_PER_REQUEST = 1000
RECONNECT_MAX_S = 5.0
QUIET_S = 1.0  # what a branch told of and does not send by itself within it is asked for


class NoReply(Exception):
    """The deadline passed without a reply: whether the branch took the instruction is not known; ask for the order."""

    def __init__(self, instruction: str) -> None:
        super().__init__(f"no reply to {instruction} in time: ask orders.request what became of it")
        self.instruction = instruction


class Scheduler(Verbs):
    """A scheduler's end of the contract; `async with` connects, and it reconnects by itself until it is left.

    `branch`: the one it speaks with, or None for all. `watch`: what `messages` shall bring; whoever watches must read.
    With a `client_id` the broker keeps the session for 7 days, else it ends with the connection. `known` says up to
    which seq the events of a journal were handled before; `from_start` wants every event of each journal.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 1883,
        *,
        name: str = "scheduler",
        branch: str | None = None,
        watch: Collection[Kind] = (),
        root: str = DEFAULT_ROOT,
        username: str | None = None,
        password: str | None = None,
        client_id: str | None = None,
        known: Mapping[str, int] | None = None,
        from_start: bool = False,
        fill_gaps: bool = True,
        resend_s: float = 5.0,
        on_lost: Callable[[LinkLost], None] | None = None,
    ) -> None:
        self.name = name
        self.branch = branch
        self.unreadable = 0
        self.order: EventOrder[Heard] = EventOrder(dict(known or {}), from_start=from_start)
        self._watch = frozenset(watch)
        self._root = root
        self._options = Connect(
            host,
            port,
            client_id or f"{name}-{uuid.uuid4().hex[:12]}",
            username,
            password,
            clean_start=client_id is None,
            session_expiry_s=SESSION_EXPIRY_S if client_id else 0,
        )
        self._fill_gaps = fill_gaps
        self._resend_s = resend_s
        self._on_lost = on_lost or partial(log.warning, "%s: %s", name)
        self._link: MqttLink | None = None
        self._connected = asyncio.Event()
        self._replies: dict[str, asyncio.Future[Reply]] = {}
        self._heard: asyncio.Queue[Heard] = asyncio.Queue()
        self._handed_on = asyncio.Event()
        self._menders: dict[str, asyncio.Task[None]] = {}
        self._branch_of: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    # -- being there ---------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Raises ConnectRefused when the first connection fails; later losses are mended."""
        self._task = asyncio.create_task(self._stay(await self._open()), name=f"{self.name} link")
        self._task.add_done_callback(_tell_death)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = [task for task in (self._task, *self._menders.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for instruction, reply in self._replies.items():
            if not reply.done():
                reply.set_exception(NoReply(instruction))

    async def _open(self) -> MqttLink:
        link = await MqttLink.connect(self._options)
        try:
            kinds: list[Kind] = sorted(self._watch | {"replies"})
            await link.subscribe(*(subscription(self._root, self.branch, kind) for kind in kinds))
        except BaseException:
            await link.drop()
            raise
        self._link = link
        self._connected.set()
        return link

    async def _stay(self, link: MqttLink) -> None:
        try:
            while True:
                try:
                    await self._listen(link)
                except LinkLost as loss:
                    self._on_lost(loss)
                    self._connected.clear()
                    await link.drop()
                    link = await self._reopen()
        finally:
            self._connected.clear()
            await link.close()

    async def _reopen(self) -> MqttLink:
        delay_s = 0.05
        while True:
            await asyncio.sleep(delay_s)
            try:
                return await self._open()
            except (ConnectRefused, LinkLost) as error:
                log.info("%s: %s", self.name, error)
            delay_s = min(RECONNECT_MAX_S, delay_s * 2)

    # -- hearing -------------------------------------------------------------------------------------------------------

    async def messages(self) -> AsyncIterator[Heard]:
        """What was asked for in `watch`, for ever; events in order and each once. One reader at a time."""
        while True:
            yield await self._heard.get()

    async def kept(self, settle_s: float = 0.5) -> list[Heard]:
        """The retained messages (sessions, twins): those that come until the broker is quiet for `settle_s`."""
        found: list[Heard] = []
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(settle_s):
                    heard = await self._heard.get()
                if heard.retained:
                    found.append(heard)
        return found

    async def _listen(self, link: MqttLink) -> None:
        while True:
            message = await link.receive()
            try:
                heard = hear(self._root, message.topic, message.payload, retained=message.retained)
            except BadMessage as error:
                self.unreadable += 1
                log.warning("%s: %s: %s", self.name, message.topic, error)
            else:
                self._sort(heard)
            message.ack()

    def _sort(self, heard: Heard) -> None:
        data = heard.data
        if isinstance(data, Reply):
            waiting = self._replies.get(data.instruction)
            if waiting is not None and not waiting.done():
                waiting.set_result(data)
        if isinstance(data, EventData):
            self._hand_on(self.order.take(data.journal, data.seq, heard))
        elif heard.kind in self._watch:
            self._heard.put_nowait(heard)
        journal, after = getattr(data, "journal", None), getattr(data, "after", None)
        if isinstance(journal, str) and "events" in self._watch:
            self._branch_of[journal] = heard.branch
            if isinstance(after, int):
                self.order.told(journal, after)
            self._look_for_gap(journal)

    def _hand_on(self, events: list[Heard]) -> None:
        for heard in events:
            self._heard.put_nowait(heard)
            self._handed_on.set()

    def _look_for_gap(self, journal: str) -> None:
        if self.order.is_behind(journal) and journal not in self._menders:
            name = f"{self.name} gaps of {journal}"
            task = self._menders[journal] = asyncio.create_task(self._mend(journal), name=name)
            task.add_done_callback(lambda _: self._menders.pop(journal))
            task.add_done_callback(_tell_death)

    async def _mend(self, journal: str) -> None:
        """Asks for what is missing, a part at a time, again when nothing more of it comes (SES-6)."""
        while (gap := self.order.gap(journal)) is not None:
            last = min(gap.last, gap.first + EVENTS_PER_REQUEST - 1)
            # A reply goes up before its events, a birth before a backlog: what is told of is mostly just behind.
            if gap.is_tail and not await self._is_quiet():
                continue
            gone = await self._have_sent_again(gap, last) if self._fill_gaps else gap.last
            if gone >= gap.first:
                self._hand_on(self.order.give_up(replace(gap, last=min(gone, gap.last))))
            await self._filled(journal, last)

    async def _have_sent_again(self, gap: Gap, last: int) -> int:
        """Up to which seq the branch says that it has them no more; 0: they come, or can be asked for once more."""
        words = (self.name, gap.first, gap.last, gap.journal)
        try:
            reply = await self.request_events(gap.journal, gap.first, last, branch=self._branch_of[gap.journal])
        except (NoReply, PublishRefused) as error:
            log.warning("%s: events %s to %s of %s are missing: %s", *words, error)
            return 0
        if reply.status == "accepted":
            return 0
        log.warning("%s: events %s to %s of %s are not sent again: %s", *words, reply.message)
        return _gone_upto(reply, gap)

    async def _is_quiet(self) -> bool:
        """Whether no event could be handed on for a while."""
        self._handed_on.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                await self._handed_on.wait()
                return False
        return True

    async def _filled(self, journal: str, last: int) -> None:
        """Until they are there, or nothing of them came for a while."""
        with contextlib.suppress(TimeoutError):
            while (gap := self.order.gap(journal)) is not None and gap.first <= last:
                self._handed_on.clear()
                async with asyncio.timeout(self._resend_s):
                    await self._handed_on.wait()

    # -- instructing ---------------------------------------------------------------------------------------------------

    async def instruct(
        self,
        verb: str,
        data: Message | Mapping[str, Any],
        *,
        subject: str | None = None,
        branch: str | None = None,
        deadline: datetime | None = None,
        instruction_id: str | None = None,
    ) -> Reply:
        """Send `verb` ("order.submit") until the reply is there (INS-9). Raises NoReply, PublishRefused, ValueError.

        The same `instruction_id` with the same content gets the first reply again (INS-3).
        """
        to = branch or self.branch
        if to is None:
            raise ValueError("this scheduler speaks with all branches: say which one")
        deadline = deadline or datetime.now(UTC) + timedelta(seconds=VALID_FOR_S)
        members = data.model_dump(mode="json", by_alias=True, exclude_none=True) if isinstance(data, Message) else data
        envelope = Envelope(
            id=instruction_id or str(uuid.uuid4()),
            source=f"/schedulers/{self.name}",
            type=f"branchgate.{verb}.v1",
            time=datetime.now(UTC),
            subject=subject,
            branch=to,
            deadline=deadline,
            data=dict(members),
        )
        reply = self._replies.setdefault(envelope.id, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(max(0.0, _seconds_until(deadline)) + REPLY_GRACE_S):
                return await self._send_until_answered(Topics(to, self._root).instructions, envelope, reply)
        except TimeoutError:
            raise NoReply(envelope.id) from None
        finally:
            self._replies.pop(envelope.id, None)

    async def _send_until_answered(self, topic: str, envelope: Envelope, reply: asyncio.Future[Reply]) -> Reply:
        payload = envelope.to_bytes()
        assert envelope.deadline is not None
        while True:
            await self._connected.wait()
            remaining_s = _seconds_until(envelope.deadline)
            if remaining_s > 0 and self._link is not None:
                # A link lost while publishing is mended by its own task; the same message goes out again then.
                with contextlib.suppress(LinkLost):
                    await self._link.publish(topic, payload, expiry_s=int(remaining_s) + 1)
            done, _ = await asyncio.wait((reply,), timeout=self._resend_s)
            if done:
                return reply.result()


def _gone_upto(reply: Reply, gap: Gap) -> int:
    """Of a gap that was asked for in vain: a clock that differs, or a fault, says nothing of the events."""
    if reply.reason not in (None, "no_events", "other_journal") or reply.code is not Code.INVALID:
        return 0
    first = reply.facts.get("first")  # the oldest that the branch has still
    return first - 1 if isinstance(first, int) and first > gap.first else gap.last


def _seconds_until(moment: datetime) -> float:
    return (moment - datetime.now(UTC)).total_seconds()


def _tell_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s died", task.get_name(), exc_info=error)
