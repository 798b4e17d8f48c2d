"""Writes the bytes of one act, once, and waits for what proves that they became paper.

Knows flow control, status between chunks and the ways of proof; must not know what a sheet says, nor write it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.escpos import commands
from device_drivers.escpos.conversation import Conversation
from device_drivers.escpos.encoder import PIECE_BYTES
from device_drivers.escpos.evidence import PRINTED, PROCESSED, SENT, Armed, Ways, judge_counter
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.escpos.protocol import Event, Info, QueuedByte, RealTimeStatus
from device_drivers.escpos.status import HANDS, Status, from_real_time
from device_drivers.escpos.twin import changed_by
from device_drivers.links.finish import write_whole
from device_drivers.links.link import Link, LinkError

PEEK_S = 0.001
WRITE_SPARE_S = 40.0  # with act_max_s the longest that all bytes of a sheet may take: no lane may seem dead by it
LOOK_EVERY_S = 0.5  # the most that leaves between two questions takes so long: no printer is back sooner from no power
MID_COMMAND_MAX_S = 2.0  # the longest XOFF inside of a command, where nothing can be asked
FENCE_ANSWERS = frozenset({0x00, 0x03, 0x0C, 0x0F})  # paper bits come in pairs; anything else is noise


@dataclass(frozen=True, slots=True)
class Job:
    """What is written, and how it is proved. `process_id` is empty where none is sent."""

    pieces: tuple[bytes, ...]
    rows: int
    ways: Ways
    armed: Armed


class Press:
    """One act's writing. `heard` is awaited whenever something came in, to keep what is told only once (PHY-5)."""

    def __init__(
        self, conversation: Conversation, profile: EscPosProfile, heard: Callable[[], Awaitable[None]]
    ) -> None:
        self._talk = conversation
        self._profile = profile
        self._heard = heard
        self._now = conversation.moment
        self._most = min(profile.max_chunk_bytes, conversation.bytes_in(LOOK_EVERY_S))  # between two questions
        self._written = False  # a byte of the act may have left
        self._awaited = ""  # the process ID behind it
        self._answers: dict[int, int] = {}

    async def print(self, job: Job) -> str:
        """The evidence class. Raises DeviceUnavailable, DeviceRefused: nothing was sent; else OutcomeUnknown."""
        self._awaited = job.armed.process_id
        try:
            async with self._talk.exchange() as link:
                await self._be_ready(link)
                await self._write(link, job)
                return await self._proof(link, job)
        except LinkError as error:
            raise (OutcomeUnknown if self._written else DeviceUnavailable)("line_lost", str(error)) from error

    async def _be_ready(self, link: Link) -> None:
        await self._talk.drain(link)
        await self._look()
        if self._talk.asb is not None and self._talk.asb.trouble:
            raise DeviceRefused(self._talk.asb.trouble, "told just before the sheet was sent")
        self._talk.steady()

    async def _write(self, link: Link, job: Job) -> None:
        latest = self._now() + self._profile.act_max_s + WRITE_SPARE_S
        room = self._most
        for piece in _with_id(job):
            if len(piece) > room and self._written:
                await self._look()  # between commands only: stopping inside of one would leave the printer half-fed
                await self._pulse(link, latest)
                room = self._most
            await self._await_xon(link, self._profile.act_max_s, latest)
            await self._write_piece(link, piece, latest)
            room -= len(piece)
        if not self._is_proved():
            await self._look()
            await self._pulse(link, latest)

    async def _write_piece(self, link: Link, piece: bytes, latest: float) -> None:
        """Whole commands at once; of one that is longer so much that XOFF is heard in time."""
        for start in range(0, len(piece), PIECE_BYTES):
            if self._written and self._now() > latest:
                raise OutcomeUnknown("held_up", "the printer takes the sheet too slowly")
            if start:
                await self._await_xon(link, MID_COMMAND_MAX_S, latest, inside=True)
            await self._send(link, piece[start : start + PIECE_BYTES])
            await self._talk.hear(link, PEEK_S)

    async def _pulse(self, link: Link, latest: float) -> None:
        """One question behind each chunk, never repeated: a printer that is only busy answers it in the end.

        One that lost its power does not. It would print the rest without the beginning, and its ID would prove that.
        """
        if not self._profile.pulse or self._talk.one_way:
            return
        await self._send(link, commands.real_time(1))
        until = min(self._now() + self._profile.act_max_s, latest)
        while (left := until - self._now()) > 0:
            events = await self._talk.hear(link, left, RealTimeStatus)
            if self._is_proved():
                return  # it told more than it was asked
            await self._look()
            if any(isinstance(event, RealTimeStatus) for event in events):
                return
        raise OutcomeUnknown("no_answer", "in the middle of the sheet")

    async def _send(self, link: Link, data: bytes) -> None:
        port = self._talk.port
        begun = port.bytes_begun if port else 0
        before, self._written = self._written, True
        try:
            await write_whole(link, data)
        except LinkError:
            if port and port.bytes_begun == begun:
                self._written = before  # the port knows that none of these left
            raise

    async def _await_xon(self, link: Link, limit_s: float, latest: float, *, inside: bool = False) -> None:
        """Until it takes bytes again: `limit_s` from now at most, however long it has been written to."""
        until = min(self._now() + limit_s, latest)
        while self._talk.held_up:
            await self._look()
            if self._written and not inside:
                await self._pulse(link, latest)
            if (left := until - self._now()) <= 0:
                raise (OutcomeUnknown if self._written else DeviceUnavailable)("held_up", "XOFF, and no XON came")
            await self._talk.hear(link, min(left, self._profile.poll_s))

    async def _look(self) -> None:
        """What must not be lost is kept; what needs hands, or lost its power, ends the act, and no more is sent."""
        await self._heard()
        self._raise_if_awoke()
        if self._talk.one_way:
            await self._look_at_port()
        elif self._talk.asb is not None:
            self._raise_for(self._talk.asb)

    def _raise_if_awoke(self) -> None:
        if self._written and self._talk.awoke:
            raise OutcomeUnknown("printer_restarted", "it says that its power came back")

    async def _look_at_port(self) -> None:
        status = await self._talk.port_status()
        if status is None and self._profile.port_status:
            raise (OutcomeUnknown if self._written else DeviceUnavailable)("no_answer", "the port tells no status")
        if status is not None and status.trouble:
            error = OutcomeUnknown if self._written else DeviceRefused
            raise error(status.trouble, "told by the port", facts=changed_by(status))

    def _raise_for(self, status: Status) -> None:
        if status.trouble in HANDS:
            error = OutcomeUnknown if self._written else DeviceRefused
            raise error(status.trouble, "while the sheet was printed", facts=changed_by(status))

    async def _proof(self, link: Link, job: Job) -> str:
        if self._is_proved():
            return PRINTED  # a quick printer told it while it was still asked if it is there
        until = self._now() + self._profile.act_max_s
        if job.ways.fence:
            await self._await_xon(link, self._profile.act_max_s, until)
            await self._send(link, commands.FENCE)
        if not job.ways.process_id and not job.ways.fence:
            return await self._weak_proof(link, job, until)
        asked, next_poll = 0, self._now() + self._profile.poll_s
        fenced_at: float | None = None
        # The fence is answered when the sheet was processed, an ID when it was printed: where both were sent, it waits.
        grace_s = job.rows / self._profile.rows_per_s + self._profile.answer_s if job.ways.process_id else 0.0
        while (left := until - self._now()) > 0:
            events = await self._talk.hear(link, min(left, self._profile.poll_s), QueuedByte, RealTimeStatus)
            if self._is_proved():
                return PRINTED
            self._raise_if_awoke()
            if job.ways.fence and fenced_at is None and any(_is_fence(event) for event in events):
                fenced_at = self._now()
            if fenced_at is not None and self._now() >= fenced_at + grace_s:
                return PROCESSED
            asked = self._note(asked, events)
            await self._look()
            if self._talk.asb is None and self._now() >= next_poll:
                asked, next_poll = await self._poll(link, asked), self._now() + self._profile.poll_s
        raise OutcomeUnknown("unproven", "the printer keeps silent about the sheet")

    def _is_proved(self) -> bool:
        return bool(self._awaited) and self._awaited in self._talk.ids

    async def _poll(self, link: Link, asked: int) -> int:
        """Where nothing is told unasked: the next real-time question, in turn."""
        asked = {3: 2, 2: 4}.get(asked, 3)
        await self._send(link, commands.real_time(asked))
        return asked

    def _note(self, asked: int, events: list[Event]) -> int:
        for event in events:
            if isinstance(event, RealTimeStatus) and asked:
                self._answers[asked] = event.value
                status = from_real_time(self._answers)
                self._talk.saw(status)
                self._raise_for(status)
        return asked

    async def _weak_proof(self, link: Link, job: Job, until: float) -> str:
        """The counter, else nothing but a printer (or its port) that is well after the time that the sheet takes."""
        if job.ways.counter and job.armed.cutter is not None:
            answer = await self._talk.ask_once(link, commands.CUTTER_COUNTER, Info, limit_s=until - self._now())
            await self._look()
            counted = number_of(answer)
            if counted is not None and self._judge(job, counted) == PROCESSED:
                return PROCESSED
            raise OutcomeUnknown("unproven", f"the cutter counter says {counted}, it was {job.armed.cutter}")
        rest = self._now() + job.rows / self._profile.rows_per_s
        while (left := rest - self._now()) > 0:
            await self._talk.hear(link, min(left, self._profile.poll_s))
            await self._look()
        if self._talk.one_way:
            await self._look()
            return SENT
        while trouble := await self._trouble(link):
            if self._now() >= until:
                raise OutcomeUnknown(trouble, "after the sheet was sent")
            await self._talk.hear(link, self._profile.poll_s)
        return SENT

    async def _trouble(self, link: Link) -> str:
        """What keeps it from printing, without hands: a hot head cools, and what is offline may come back."""
        for n in (1, 2, 3, 4):
            answer = await self._talk.ask_once(link, commands.real_time(n), RealTimeStatus)
            if answer is None and n == 1:
                raise OutcomeUnknown("no_answer", "after the sheet was sent")
            if answer is not None:
                self._note(n, [answer])
        self._raise_if_awoke()
        return from_real_time(self._answers).trouble

    def _judge(self, job: Job, counted: int) -> str:
        return judge_counter(job.armed, counted, calm=self._talk.calm, cover_was_open=self._talk.cover_was_open)


def _with_id(job: Job) -> tuple[bytes, ...]:
    """The pieces of the act. The ID leaves with the cut: alone, a printer that lost all the rest would answer it."""
    own = commands.process_id(job.armed.process_id) if job.armed.process_id else b""
    return (*job.pieces[:-1], job.pieces[-1] + own)


def number_of(answer: Info | None) -> int | None:
    """The digits of a counter."""
    return int(answer.data) if answer is not None and answer.data.isdigit() else None


def _is_fence(event: Event) -> bool:
    return isinstance(event, QueuedByte) and event.value in FENCE_ANSWERS
