"""What is said and heard on a printer's line: questions with their answers, and all that it tells unasked.

Knows which answer fits which question, and that a question may be repeated; must not know sheets nor what proves them.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

from device_drivers.errors import DeviceUnavailable
from device_drivers.escpos import commands
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.escpos.protocol import (
    Asb,
    Event,
    FlowControl,
    Info,
    Presenter,
    ProcessId,
    QueuedByte,
    RealTimeStatus,
    ReplyReader,
)
from device_drivers.escpos.status import HANDS, Status, from_asb, from_port
from device_drivers.links.address import bytes_per_s
from device_drivers.links.finish import write_whole
from device_drivers.links.line import Hold, SharedLine
from device_drivers.links.link import Link, LinkError
from device_drivers.links.port_questions import port_questions

TRIES = 3  # a question that moves nothing may be asked again
READ_BYTES = 1024
DRAIN_BYTES_MAX = 16384
DRAIN_MAX_S = 1.0  # a line that is not quiet for so long is flooding
IDS_MAX = 64
T = TypeVar("T", RealTimeStatus, Asb, ProcessId, Info, QueuedByte, Presenter)


@dataclass(slots=True)
class LineCounters:
    """What went wrong on the line since the driver was made."""

    resends: int = 0
    late_replies: int = 0
    floods: int = 0


class Conversation:
    """One printer's line. What it told last is kept while the line is unbroken; counters outlive it."""

    def __init__(self, line: SharedLine, profile: EscPosProfile) -> None:
        self._line = line
        self._profile = profile
        self._bytes_per_s = bytes_per_s(line.describe())
        self.port = port_questions(line.link)  # a line keeps its link; to find out takes longer than to ask
        self._reader = ReplyReader(presenter=profile.presenter)
        self._hold: Hold | None = None
        self._owed = False  # an answer is overdue: the next question must not take it for its own
        self.counters = LineCounters()
        self.session = 0  # counts connections: what was seen on an earlier one is no witness
        self.ids: deque[str] = deque(maxlen=IDS_MAX)  # process IDs heard and not yet looked at
        self.asb: Status | None = None
        self.held_up = False  # XOFF: it takes no bytes
        self.awoke = False  # XON after no XOFF: its power was away since it was last known to be `steady`
        self._flow_known = False  # whether an XOFF of before may be unknown to this connection
        self.calm = True  # nothing was wrong since this was last set; a lost line is wrong, too
        self.trouble = ""  # what needed hands when it last told its status; of a printer that fell silent it stays true
        self.cover_was_open = False
        self.half_fed = False  # a command may have been cut on its way: see commands.HEAD_END
        self.moment: Callable[[], float] = _now  # the loop's time; looked up once for each connection
        self.keep: Callable[[], Awaitable[None]] = _nothing  # awaited before each question: what was heard is kept

    @property
    def garbage_bytes(self) -> int:
        """Bytes that fit no answer."""
        return self._reader.garbage_bytes

    @property
    def broken(self) -> int:
        """Answers that began and did not end."""
        return self._reader.broken

    # -- the line ------------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Takes hold of the line. Raises DeviceUnavailable."""
        await self.disconnect()
        try:
            self._hold = await self._line.hold()
            self.moment = asyncio.get_running_loop().time
        except LinkError as error:
            self.trouble = ""
            raise DeviceUnavailable("line_unavailable", str(error)) from error

    async def disconnect(self) -> None:
        """Lets go of the line; harmless when not connected."""
        hold, self._hold = self._hold, None
        self._forget()
        if hold is not None:
            await hold.let_go()

    def _forget(self) -> None:
        self._reader.resync()
        self.session += 1
        self.ids.clear()
        self.asb, self.held_up, self.calm, self._owed = None, False, False, False
        self.awoke = self._flow_known = False

    def steady(self) -> None:
        """It is known to be well and to take bytes: what it tells of its power from now on is news."""
        self.awoke, self._flow_known = False, True

    def exchange(self) -> AbstractAsyncContextManager[Link]:
        """The line, alone; a LinkError inside is the caller's to translate. Raises DeviceUnavailable."""
        if self._hold is None:
            raise DeviceUnavailable("line_closed", "connect() comes first")
        return _Exchange(self, self._hold.exchange())

    def line_lost(self) -> None:
        """It was lost in the middle of an exchange."""
        self.calm, self.trouble = False, ""

    @property
    def link(self) -> Link:
        """What the line leads over, for what a port tells beside its bytes."""
        return self._line.link

    def bytes_in(self, seconds: float) -> int:
        """How much can leave in so long; what is behind a serial server nobody can see."""
        return int(min(seconds * self._bytes_per_s, sys.maxsize))

    @property
    def one_way(self) -> bool:
        """Whether the printer can never answer (USB protocol 01): only its port tells of it."""
        return self.port is not None and not self.port.two_way

    async def port_status(self) -> Status | None:
        """On a line that is held already; None where no port answers, or none is to be believed. Raises LinkError."""
        port = self.port if self._profile.port_status else None
        told = None if port is None else await port.port_status()
        return None if told is None else from_port(told)

    # -- questions -----------------------------------------------------------------------------------------------------

    async def real_time(self, n: int, tries: int = TRIES) -> int | None:
        """The answer to DLE EOT n; None when it keeps silent. Raises DeviceUnavailable."""
        answer = await self.ask(commands.real_time(n), RealTimeStatus, tries=tries)
        return None if answer is None else answer.value

    async def ask(
        self, question: bytes, kind: type[T], *, tries: int = TRIES, fits: Callable[[T], bool] = lambda _: True
    ) -> T | None:
        """Asks until it is answered, `tries` times; None is silence. Raises DeviceUnavailable.

        A printer that waits for the length of an image would take the question's own bytes for it, and then eat jobs.
        """
        if self.half_fed:
            question = commands.HEAD_END + question
        try:
            async with self.exchange() as link:
                for again in range(tries):
                    self.counters.resends += bool(again)
                    await self.drain(link)
                    await self.keep()
                    if (answer := await self.ask_once(link, question, kind, fits)) is not None:
                        return answer
        except LinkError as error:
            raise DeviceUnavailable("line_lost", str(error)) from error
        return None

    async def ask_once(
        self,
        link: Link,
        question: bytes,
        kind: type[T],
        fits: Callable[[T], bool] = lambda _: True,
        limit_s: float | None = None,
    ) -> T | None:
        """One question on a line that is held already, `answer_s` long unless told. Raises LinkError."""
        await write_whole(link, question)
        until = self.moment() + (self._profile.answer_s if limit_s is None else limit_s)
        while (left := until - self.moment()) > 0:
            for event in await self.hear(link, left, kind):
                if isinstance(event, kind) and fits(event):
                    if isinstance(event, ProcessId):
                        self._asked_for(event.text)
                    return event
        self._reader.resync()
        self._owed = True
        return None

    def _asked_for(self, text: str) -> None:
        """It is no news of a job."""
        if text in self.ids:
            self.ids.remove(text)

    async def tell(self, data: bytes) -> None:
        """Writes what asks for no answer and prints nothing. Raises DeviceUnavailable."""
        try:
            async with self.exchange() as link:
                await write_whole(link, data)
        except LinkError as error:
            raise DeviceUnavailable("line_lost", str(error)) from error

    async def listen(self) -> None:
        """Takes in what it told unasked. Raises DeviceUnavailable."""
        try:
            async with self.exchange() as link:
                await self.drain(link)
        except LinkError as error:
            raise DeviceUnavailable("line_lost", str(error)) from error

    async def drain(self, link: Link) -> None:
        """Reads until it is quiet, so that no answer is taken for a later question's. Raises DeviceUnavailable."""
        until, taken = self.moment() + DRAIN_MAX_S + self._profile.answer_s, 0
        quiet_s = self._profile.answer_s if self._owed else self._profile.quiet_s
        while data := await self._read(link, quiet_s):
            self._sort(data)
            taken += len(data)
            if taken > DRAIN_BYTES_MAX or self.moment() > until:
                self.counters.floods += 1
                raise DeviceUnavailable("line_floods", f"{taken} bytes unasked")
        self._reader.resync()
        self._owed = False

    # -- hearing -------------------------------------------------------------------------------------------------------

    async def hear(self, link: Link, limit_s: float, *wanted: type[Event]) -> list[Event]:
        """What came within `limit_s`, at once when something comes; what is not `wanted` is counted as late."""
        return self._sort(await self._read(link, limit_s), wanted)

    def _sort(self, data: bytes, wanted: tuple[type[Event], ...] = ()) -> list[Event]:
        events = self._reader.feed(data)
        for event in events:
            if isinstance(event, ProcessId):
                self._told_id(event.text)
            elif isinstance(event, FlowControl):
                self._flow(event)
            elif isinstance(event, Asb):
                self.saw(from_asb(event.data))
                self.asb = from_asb(event.data)
            elif not isinstance(event, wanted):
                self.counters.late_replies += 1
        return events

    def _told_id(self, text: str) -> None:
        """What lay in it went with its power: an ID that it tells after that proves nothing of what was sent before."""
        if self.awoke:
            self.counters.late_replies += 1
        else:
            self.ids.append(text)

    def _flow(self, told: FlowControl) -> None:
        """With XON/XOFF a printer that was turned on says XON (TM-T88IV p. 102), else only after an XOFF."""
        if told is FlowControl.XON and self._flow_known and not self.held_up and self._profile.xon_tells_power:
            self.awoke, self.calm = True, False
        self.held_up, self._flow_known = told is FlowControl.XOFF, True

    def saw(self, status: Status) -> None:
        """Any status that the printer told, whichever way."""
        self.calm = self.calm and not status.trouble
        self.trouble = status.trouble if status.trouble in HANDS else ""
        self.cover_was_open = self.cover_was_open or status.cover_open

    async def _read(self, link: Link, timeout_s: float) -> bytes:
        data = await link.read(READ_BYTES, timeout_s)
        if data:
            await asyncio.sleep(0)  # a flooding line is always readable and would otherwise never let another lane run
        return data


class _Exchange:
    """One turn on a printer's line that tells the conversation of its loss; see links.line for why it is a class."""

    __slots__ = ("_talk", "_turn")

    def __init__(self, talk: Conversation, turn: AbstractAsyncContextManager[Link]) -> None:
        self._talk = talk
        self._turn = turn

    async def __aenter__(self) -> Link:
        return await self._turn.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, LinkError):
            self._talk.line_lost()
        await self._turn.__aexit__(kind, error, trace)


async def _nothing() -> None:
    pass


def _now() -> float:
    return asyncio.get_running_loop().time()
