"""Lock boards over a held line: one question, and one frame that opens, which is written once.

Knows exchanges and their silence; must not know cells, nor what a state byte means.
"""

from __future__ import annotations

import asyncio

from device_drivers.cells.profile import CellsProfile
from device_drivers.cells.protocol import OPEN, QUERY, REPORT, FrameReader, LockFrame, open_frame, query_frame
from device_drivers.errors import DeviceUnavailable, OutcomeUnknown
from device_drivers.links.breaker import Breaker, UnitBreaker
from device_drivers.links.bus import Bus
from device_drivers.links.finish import finish_first
from device_drivers.links.line import Hold, Urgency
from device_drivers.links.link import Link, LinkError

QUESTION_TRIES = 3  # each after the peace that a silence brings
BACK_OFF_LONGEST_S = 10.0  # a customer may stand before it
PATIENCE_S = 3.0  # how long a question waits for a board that is left in peace
READ_BYTES = 256
DRAIN_READS = 64  # reads of old bytes before a line counts as flooding
ANSWER_READS = 64  # and the same while an answer is awaited


class NoReplyError(Exception):
    """An exchange ended without the answer; `reason` is the catalogue code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LockBoards:
    """All boards of one line. Counters and the reader outlive a lost line."""

    def __init__(self, profile: CellsProfile) -> None:
        self._profile = profile
        self._reader = FrameReader()
        self.hold: Hold | None = None
        self._breakers: dict[int, UnitBreaker] = {}
        self.reports = 0  # doors that told by themselves that they moved
        self.late_replies = 0
        self.floods = 0
        self.resends = 0

    @property
    def counters(self) -> dict[str, int]:
        """For the twin."""
        return {
            "garbageBytes": self._reader.garbage_bytes,
            "badFrames": self._reader.bad_frames,
            "resends": self.resends,
            "lateReplies": self.late_replies,
            "floods": self.floods,
            "doorReports": self.reports,
            "backOffs": sum(breaker.opened for breaker in self._breakers.values()),
            "turnedAway": sum(breaker.turned_away for breaker in self._breakers.values()),
        }

    async def ask(self, board: int, lock: int) -> int | None:
        """A lock's state byte; None: this board does not answer. Raises DeviceUnavailable: the line is lost.

        A board that was silent is left in peace for a while, so that it costs the others on its line little.
        """
        breaker, clock = self._breaker(board), asyncio.get_running_loop().time
        for again in range(QUESTION_TRIES):
            if (due_s := breaker.due_s(clock())) <= PATIENCE_S:
                await asyncio.sleep(due_s)  # it may be back by then, and what it says decides
            if breaker.begin(clock()) is Breaker.OPEN:
                return None
            self.resends += bool(again)
            try:
                state = await self._question(board, lock)
            except NoReplyError:
                breaker.silent(clock())  # each silence costs the others one time-out, and has its peace
                continue
            except LinkError as error:
                raise DeviceUnavailable("line_lost", str(error)) from error
            breaker.answered()
            return state
        return None

    async def _question(self, board: int, lock: int) -> int:
        async with self._held().exchange(Urgency.ASK) as link:
            await self._drain(link)
            asked, echoes, bus = (QUERY, board, lock), self._reader.echoes, Bus.of(self._held().line)
            try:
                return (await self._exchange(link, query_frame(board, lock), asked, self._profile.answer_s)).state
            finally:  # a line that hears itself does so also where no board answers
                bus.hears_itself = bus.hears_itself or self._reader.echoes > echoes

    def _breaker(self, board: int) -> UnitBreaker:
        """One for each board of a line, whoever asks it."""
        breaker = Bus.of(self._held().line).breaker(("lock board", board), longest_s=BACK_OFF_LONGEST_S)
        self._breakers[board] = breaker
        return breaker

    async def open(self, board: int, lock: int) -> int:
        """Writes the opening frame exactly once. Raises DeviceUnavailable before it, OutcomeUnknown after."""
        frame, written = open_frame(board, lock), False
        try:
            async with self._held().exchange(Urgency.ACT) as link:
                await self._drain(link)
                own = frame if Bus.of(self._held().line).hears_itself else b""
                written = True
                return (await self._exchange(link, frame, (OPEN, board, lock), self._profile.act_max_s, own)).state
        except (NoReplyError, LinkError) as error:
            reason = error.reason if isinstance(error, NoReplyError) else "line_lost"
            raise (OutcomeUnknown if written else DeviceUnavailable)(reason, f"open: {error}") from error

    def _held(self) -> Hold:
        if self.hold is None:
            raise DeviceUnavailable("line_closed", "connect() comes first")
        return self.hold

    async def _drain(self, link: Link) -> None:
        """Reads away what is left of earlier exchanges. Raises NoReplyError when the line never falls quiet."""
        for _ in range(DRAIN_READS):
            data = await link.read(READ_BYTES, self._profile.quiet_s)
            await asyncio.sleep(0)  # a flooding line is always readable and would otherwise never let another lane run
            if not data:
                self._reader.resync()
                return
            self.late_replies += sum(not self._is_report(frame) for frame in self._reader.feed(data))
        self.floods += 1
        raise NoReplyError("line_floods")

    async def _exchange(
        self, link: Link, frame: bytes, awaited: tuple[int, int, int], within_s: float, own: bytes = b""
    ) -> LockFrame:
        """Writes once and waits. `own` comes back before the answer, and an opening looks as its answer 11 does."""
        await finish_first(link.write(frame))
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        for _ in range(ANSWER_READS):
            left = until - loop.time()
            data = await link.read(READ_BYTES, left) if left > 0 else b""
            await asyncio.sleep(0)
            if not data:
                self._reader.resync()
                raise NoReplyError("no_answer")
            for heard in self._reader.feed(data):
                if own and heard.wire == own:
                    own = b""
                    continue
                if (heard.kind, heard.board, heard.lock) == awaited:
                    return heard
                self.late_replies += not self._is_report(heard)
        self.floods += 1
        raise NoReplyError("line_floods")

    def _is_report(self, heard: LockFrame) -> bool:
        self.reports += heard.kind == REPORT
        return heard.kind == REPORT
