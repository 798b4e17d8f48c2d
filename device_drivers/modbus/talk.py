"""One request on a line that is ours for the moment, and its answer: silence before it, and what else is heard.

Knows links, frames and the manners of the line; must not know urgency, back-off nor what an error means to an act.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

from device_drivers.links.bus import Bus
from device_drivers.links.link import Link
from device_drivers.modbus.counts import Counts
from device_drivers.modbus.framing import RtuReply, TcpReply, rtu_frame, tcp_frame
from device_drivers.modbus.protocol import RefusedError, Request, check
from device_drivers.modbus.settings import ModbusSettings

READ_BYTES = 256
RTU_AROUND = 3  # the unit's address before, the checksum behind
NOISE_MAX_S = 0.3  # a line that is never quiet for so long is not waited for any longer


class SilentError(Exception):
    """Nothing came that could be an answer."""


class GarbledError(Exception):
    """Something came, and it is no answer."""


class NoisyError(Exception):
    """The line was never quiet; nothing was written."""


class Talk(Protocol):
    """How frames pass on one kind of line."""

    async def make_quiet(self, link: Link) -> None:
        """What must be before a frame may be written. May be cancelled. Raises LinkError, NoisyError."""
        ...

    async def answer(self, link: Link, request: Request) -> bytes:
        """Writes once and waits; bounded. Raises LinkError, SilentError, GarbledError."""
        ...

    async def meet_again(self, link: Link, request: Request, listen_s: float) -> None:
        """Before the same question is asked of a unit that was silent. Raises as `answer` does."""
        ...


class RtuTalk:
    """Modbus RTU; also behind a TCP serial server."""

    def __init__(self, unit: int, settings: ModbusSettings, address: str, bus: Bus, counts: Counts) -> None:
        self._unit, self._settings, self._bus, self._counts = unit, settings, bus, counts
        self._silence_s, self._address = settings.silence_s(address), address

    async def make_quiet(self, link: Link) -> None:
        """Listens until 3.5 characters of silence, and until no answer of the past is to be feared any more."""
        clock = asyncio.get_running_loop().time
        owed_s = self._bus.quiet_owed_s(clock())
        until, late = clock() + owed_s + NOISE_MAX_S, 0
        while heard := await link.read(READ_BYTES, max(self._silence_s, self._bus.quiet_owed_s(clock()))):
            late += len(heard)
            if clock() > until:
                self._counts.add(garbageBytes=late)
                raise NoisyError(f"never quiet for {self._silence_s * 1000:.1f} ms")
        if late:
            self._counts.add(lateReplies=1, garbageBytes=late)

    async def answer(self, link: Link, request: Request) -> bytes:
        """The answer's function code and what follows."""
        frame = rtu_frame(self._unit, request.pdu)
        expects_itself = not request.echoed or self._bus.hears_itself
        reply = RtuReply(self._unit, request, frame if expects_itself else b"")
        self._counts.add(requests=1)
        await link.write(frame)
        try:
            wire_s = self._settings.on_the_wire_s(self._address, len(frame) + request.reply_bytes + RTU_AROUND)
            pdu = await self._listen(link, reply, self._settings.answer_s + wire_s, patient=not request.reads)
            self._bus.hears_itself = reply.heard_itself if not request.echoed else self._bus.hears_itself
        finally:
            self._tell(reply, request)
        if request.echoed and expects_itself and not reply.heard_itself:
            raise GarbledError("the line did not bring back our own frame, so nothing tells it from the answer")
        return pdu

    async def meet_again(self, link: Link, request: Request, listen_s: float) -> None:
        """Asks in vain once: an answer of RTU does not say to which question, so the first may be a late one.

        It is not believed, whatever it says; the same question follows, and a unit that is always late leaves that one
        unanswered: back-off sets two such pairs further apart than one waits here, and `listen_s` grows with each pair,
        so that the second late answer of an older pair comes before the second question of this one.
        """
        with suppress(RefusedError):
            check(request, await self.answer(link, request))
        if heard := await link.read(READ_BYTES, listen_s):
            self._counts.add(lateReplies=1, garbageBytes=len(heard))
            raise GarbledError("two answers to one question after a silence")

    async def _listen(self, link: Link, reply: RtuReply, limit_s: float, *, patient: bool) -> bytes:
        """Until the whole answer; a half one to a question is given up early, one to an act is waited for."""
        clock = asyncio.get_running_loop().time
        until = clock() + limit_s
        while (left_s := until - clock()) > 0:
            more = await link.read(READ_BYTES, min(left_s, self._settings.gap_s) if reply.began else left_s)
            pdu = reply.feed(more) if more else reply.silence()
            if pdu is not None:
                return pdu
            if not more and reply.began and not patient:
                break
        if reply.began:
            raise GarbledError(f"no whole answer, {reply.garbage_bytes + len(reply.left_over)} bytes of something else")
        raise SilentError(f"no answer in {limit_s:.2f} s")

    def _tell(self, reply: RtuReply, request: Request) -> None:
        if reply.heard_itself and not request.echoed:
            self._bus.hears_itself = True  # also where nobody answered
        self._counts.add(garbageBytes=reply.garbage_bytes + len(reply.left_over), badFrames=reply.bad_frames)


class TcpTalk:
    """Modbus TCP: the transaction tells whose answer it is, so no silence is needed between frames."""

    def __init__(self, unit: int, settings: ModbusSettings, bus: Bus, counts: Counts) -> None:
        self._unit, self._settings, self._bus, self._counts = unit, settings, bus, counts

    async def make_quiet(self, link: Link) -> None:
        """Nothing to do."""

    async def answer(self, link: Link, request: Request) -> bytes:
        """The answer's function code and what follows. Answers of the past are counted."""
        transaction = self._bus.next_transaction()
        reply = TcpReply(transaction, self._unit, self._bus.unread)
        self._counts.add(requests=1)
        await link.write(tcp_frame(transaction, self._unit, request.pdu))
        try:
            return await self._listen(link, reply)
        finally:
            self._counts.add(garbageBytes=reply.garbage_bytes, lateReplies=reply.late)

    async def meet_again(self, link: Link, request: Request, listen_s: float) -> None:
        """Nothing to do: its transaction tells whose answer it is."""

    async def _listen(self, link: Link, reply: TcpReply) -> bytes:
        clock = asyncio.get_running_loop().time
        until, heard = clock() + self._settings.answer_s, False
        while (left_s := until - clock()) > 0:
            more = await link.read(READ_BYTES, left_s)
            heard = heard or bool(more)
            if more and (pdu := reply.feed(more)) is not None:
                return pdu
        if heard and not reply.late:
            raise GarbledError("no whole answer, but something else")
        raise SilentError(f"no answer in {self._settings.answer_s} s")
