"""One exchange with one CRT-591: drain, frame, ACK, reply, final ACK, each bounded in bytes and time.

Knows what may be sent again (questions, and the request to repeat an answer) and that a motion never is; must not know
what a reply means for an act. Source: CRT-591-M001 Communication Protocol v1.0, pages 8 to 10.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from device_drivers.crt591.commands import STATUS, Command, Motion, Question, Recovery, Setting, command_frame
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.crt591.protocol import COMMAND, BadFrame, Control, Event, FrameReader, Packet
from device_drivers.crt591.replies import MalformedReplyError, Reply, Success, parse_reply
from device_drivers.errors import DeviceUnavailable, OutcomeUnknown
from device_drivers.links.finish import write_whole
from device_drivers.links.line import Hold
from device_drivers.links.link import Link, LinkError

QUESTION_RESENDS = 3
ANSWER_REPEATS = 3  # how often a garbled answer is asked for again with 15
READ_BYTES = 1024  # the longest packet
DRAIN_BYTES_MAX = 16384
DRAIN_MAX_S = 1.0  # a line that is not quiet for so long is flooding
ANSWER_BYTES_MAX = 16384  # a reply has at most 1024; the rest is noise around it
GAP_S = 0.5  # silence inside a frame after which it counts as cut short; serial servers pause for up to 100 ms


@dataclass(slots=True)
class LineCounters:
    """What went wrong on the line since the driver was made."""

    bad_frames: int = 0
    naks: int = 0
    resends: int = 0
    late_replies: int = 0
    floods: int = 0


class NoReplyError(Exception):
    """An exchange ended without a reply that can be believed; `reason` is the catalogue code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ChangedError(Exception):
    """The transport is not as it was read before; nothing was sent. `reply` is what the unit said instead."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class Conversation:
    """Exchanges with one unit over a held line. Counters and the reader outlive a lost line."""

    def __init__(self, profile: Crt591Profile) -> None:
        self._profile = profile
        self._reader = FrameReader()
        self._moving: asyncio.Event | None = None  # set once the motion in flight has ended
        self.counters = LineCounters()
        self.hold: Hold | None = None

    @property
    def garbage_bytes(self) -> int:
        """Bytes that were neither frame nor control byte."""
        return self._reader.garbage_bytes

    async def ask(self, command: Question | Setting) -> Reply:
        """Asks, up to four times in all. Raises DeviceUnavailable."""
        reason = "no_answer"
        for again in range(1 + QUESTION_RESENDS):
            self.counters.resends += bool(again)
            try:
                return await self._once(command, self._profile.ack_timeout_s, self._profile.question_timeout_s)
            except NoReplyError as error:
                reason = error.reason
        raise DeviceUnavailable(reason, f"{command.name}: asked {1 + QUESTION_RESENDS} times")

    async def recover(self, command: Recovery) -> Reply:
        """Initialises without moving the card; written once. Raises DeviceUnavailable."""
        try:
            return await self._once(command, self._profile.act_max_s, self._profile.act_max_s)
        except NoReplyError as error:
            raise DeviceUnavailable(error.reason, command.name) from error

    async def move(self, motion: Motion, st0: int, fresh_until_s: float) -> Reply:
        """Writes a motion frame exactly once. Raises DeviceUnavailable before it, OutcomeUnknown after.

        After `fresh_until_s` (loop time; another unit may have held the line) st0 is asked for again, under the same
        lock: a forward move with an empty transport draws a card. Raises ChangedError, with nothing sent.
        """
        written = False
        ended = asyncio.Event()
        try:
            async with self._held().exchange() as link:
                await self._drain(link)
                if _now() > fresh_until_s:
                    await self._still(link, st0)
                self._moving = ended  # not before the line is ours: EOT carries no address
                written = True
                return await self._exchange(link, motion, self._profile.act_max_s, self._profile.act_max_s)
        except (NoReplyError, LinkError) as error:
            reason = error.reason if isinstance(error, NoReplyError) else "line_lost"
            raise (OutcomeUnknown if written else DeviceUnavailable)(reason, f"{motion.name}: {error}") from error
        finally:
            ended.set()
            self._moving = None

    async def _still(self, link: Link, st0: int) -> None:
        reply = await self._exchange(link, STATUS, self._profile.ack_timeout_s, self._profile.question_timeout_s)
        if not isinstance(reply, Success) or reply.status.st0 != st0:
            raise ChangedError(reply)

    async def stop(self) -> None:
        """Sends EOT, and once more after 300 ms; the motion in flight, if any, then ends as `stopped`."""
        if self._moving is None:
            await self._stop_idle()
            return
        ended = self._moving
        for _ in range(2):
            try:
                await write_whole(self._held().aside(), Control.EOT.wire)
                async with asyncio.timeout(self._profile.ack_timeout_s):
                    await ended.wait()
                return
            except TimeoutError:
                continue
            except LinkError as error:
                raise DeviceUnavailable("line_lost", str(error)) from error

    async def _stop_idle(self) -> None:
        try:
            async with self._held().exchange() as link:
                for _ in range(2):
                    await write_whole(link, Control.EOT.wire)
                    if Control.EOT in self._events(await link.read(READ_BYTES, self._profile.ack_timeout_s)):
                        return
        except LinkError as error:
            raise DeviceUnavailable("line_lost", str(error)) from error

    def _held(self) -> Hold:
        if self.hold is None:
            raise DeviceUnavailable("line_closed", "connect() comes first")
        return self.hold

    async def _once(self, command: Command, ack_s: float, answer_s: float) -> Reply:
        try:
            async with self._held().exchange() as link:
                await self._drain(link)
                return await self._exchange(link, command, ack_s, answer_s)
        except LinkError as error:
            raise DeviceUnavailable("line_lost", str(error)) from error

    async def _drain(self, link: Link) -> None:
        """Reads away what is left of earlier exchanges. Raises NoReplyError when the line never falls quiet."""
        until, taken = _now() + DRAIN_MAX_S, 0
        while data := await self._read(link, self._profile.quiet_s):
            taken += len(data)
            self._count_stray(self._events(data))
            if taken > DRAIN_BYTES_MAX or _now() > until:
                self.counters.floods += 1
                raise NoReplyError("line_floods")
        self._count_stray(self._events(b""))

    async def _exchange(self, link: Link, command: Command, ack_s: float, answer_s: float) -> Reply:
        await write_whole(link, command_frame(self._profile.unit, command))
        answer = _Answer(self._profile.unit, command, _now() + ack_s, answer_s)
        while True:
            left = answer.until - _now()
            if left <= 0 or answer.room < 0:
                self.counters.floods += answer.room < 0
                raise NoReplyError("no_answer" if answer.room >= 0 else "line_floods")
            data = await self._read(link, min(left, GAP_S))
            answer.room -= len(data)
            for event in self._events(data):
                reply = await self._hear(link, answer, event)
                if reply is not None:
                    return reply

    async def _hear(self, link: Link, answer: _Answer, event: Event) -> Reply | None:
        """Takes one event of an exchange; the reply when it is one. Raises NoReplyError."""
        if event is Control.ACK:
            answer.acknowledge()
        elif event is Control.NAK:
            self.counters.naks += 1
            raise NoReplyError("nak")
        elif event is Control.EOT:
            raise NoReplyError("stopped")
        elif isinstance(event, BadFrame):
            await self._ask_again(link, answer, event)
        elif isinstance(event, Packet):
            return await self._accept(link, answer, event)
        return None

    async def _ask_again(self, link: Link, answer: _Answer, bad: BadFrame) -> None:
        """Has the unit repeat an answer that came garbled; noise that only looked like a frame is passed over."""
        if not answer.is_mine(bad.head[1:2], bad.head[5:7]):
            return
        if answer.repeats == ANSWER_REPEATS:
            raise NoReplyError("bad_checksum")
        answer.repeats += 1
        answer.extend(self._profile.question_timeout_s)
        await write_whole(link, Control.NAK.wire)

    async def _accept(self, link: Link, answer: _Answer, packet: Packet) -> Reply | None:
        if packet.kind == COMMAND:
            return None  # our own frame, echoed by a half-duplex adapter
        if not answer.is_mine(bytes([packet.unit]), packet.body[1:3]):
            self.counters.late_replies += 1
            return None
        await write_whole(link, Control.ACK.wire)
        try:
            return parse_reply(packet)
        except MalformedReplyError as error:
            raise NoReplyError("nonsense") from error

    async def _read(self, link: Link, timeout_s: float) -> bytes:
        data = await link.read(READ_BYTES, timeout_s)
        await asyncio.sleep(0)  # a flooding line is always readable and would otherwise never let another lane run
        return data

    def _events(self, data: bytes) -> list[Event]:
        """What the next bytes make whole; silence (no bytes) lets go of a half frame."""
        before = self._reader.bad_frames
        events = self._reader.feed(data) if data else self._reader.resync()
        self.counters.bad_frames += self._reader.bad_frames - before
        return events

    def _count_stray(self, events: list[Event]) -> None:
        self.counters.late_replies += sum(isinstance(event, Packet) and event.kind != COMMAND for event in events)


@dataclass(slots=True)
class _Answer:
    """What is awaited in one exchange, until when, and with how much patience left."""

    unit: int
    command: Command
    until: float
    answer_s: float
    acknowledged: bool = False
    repeats: int = 0
    room: int = ANSWER_BYTES_MAX

    def acknowledge(self) -> None:
        """Only the first ACK buys time: a line that says nothing else must not hold the lane."""
        if not self.acknowledged:
            self.acknowledged = True
            self.extend(self.answer_s)

    def extend(self, seconds: float) -> None:
        """Waits at least so long from now."""
        self.until = max(self.until, _now() + seconds)

    def is_mine(self, unit: bytes, echo: bytes) -> bool:
        """True for a frame of the asked unit that echoes the command; the echo is all that ties a reply to it."""
        return unit == bytes([self.unit]) and echo == bytes([self.command.cm, self.command.pm])


def _now() -> float:
    return asyncio.get_running_loop().time()
