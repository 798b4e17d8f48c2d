"""One Modbus unit on a line that others share: questions may be asked again, an act is written once (PHY-2).

Knows urgency, deadlines, back-off and which error answers "did anything happen?"; must not know frames' bytes nor what
hangs on the unit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from device_drivers.errors import DeviceError, DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.links.breaker import Breaker
from device_drivers.links.bus import Bus
from device_drivers.links.finish import finish_first
from device_drivers.links.line import Hold, SharedLine, Urgency
from device_drivers.links.link import Link, LinkError
from device_drivers.modbus import protocol
from device_drivers.modbus.counts import Counts
from device_drivers.modbus.protocol import BadReplyError, Bits, RefusedError, Request, Words
from device_drivers.modbus.settings import ModbusSettings
from device_drivers.modbus.talk import GarbledError, NoisyError, RtuTalk, SilentError, Talk, TcpTalk

_TRY_AGAIN = frozenset({"unit_silent", "unit_garbled", "unit_resting"})  # a question may be asked again after these


class ModbusUnit:
    """`connect`, then read and write; calls of one unit may overlap, its line puts them in order.

    Questions raise DeviceUnavailable (`unit_silent`, `unit_garbled`, `unit_resting`: it was silent and is left in
    peace, `line_busy`, `line_noisy`, `line_lost`, `line_closed`) and DeviceRefused (`unit_refused`: a Modbus
    exception). Acts raise DeviceUnavailable where nothing was written, DeviceRefused where the unit checked and said
    no, and OutcomeUnknown for everything else.
    """

    def __init__(self, line: SharedLine, unit: int, settings: ModbusSettings | None = None) -> None:
        """Raises ValueError for an address that is not one unit's."""
        self.unit = protocol.check_unit(unit)
        self.settings = settings = settings or ModbusSettings()
        self._line, self._bus = line, Bus.of(line)
        self._counts = Counts()
        self._hold: Hold | None = None
        self._breaker = self._bus.breaker(unit, first_s=settings.least_back_off_s, longest_s=settings.back_off_max_s)
        self._is_tcp = settings.is_tcp(line.describe())
        if settings.echo is not None:
            self._bus.hears_itself = settings.echo
        self._answers_to = protocol.read(protocol.READ_COILS, 0, 1)  # a question that it is known to answer
        self._talk = self._make_talk()

    def _make_talk(self) -> Talk:
        if self._is_tcp:
            return TcpTalk(self.unit, self.settings, self._bus, self._counts)
        return RtuTalk(self.unit, self.settings, self._line.describe(), self._bus, self._counts)

    @property
    def breaker(self) -> Breaker:
        """Whether it may be spoken to."""
        return self._breaker.state(_now())

    def counters(self) -> Mapping[str, int]:
        """For a twin: what went wrong, how often it was left in peace, and which turns its line gave out of order."""
        breaker, turns = self._breaker, self._line.turns
        rests = {"backOffs": breaker.opened, "probes": breaker.probes, "turnedAway": breaker.turned_away}
        rests |= {"lineOvertaken": turns.overtaken, "lineOwed": turns.owed}
        return {**self._counts.told(), **{name: count for name, count in rests.items() if count}}

    async def connect(self) -> None:
        """Takes a share of the line; says nothing to the unit. Raises DeviceUnavailable."""
        if self._hold is not None and self._hold.unbroken:
            return
        await self.disconnect()
        try:
            self._hold = await self._line.hold()
            self._bus.opened(self._hold.generation)
        except LinkError as error:
            raise DeviceUnavailable("line_unavailable", str(error)) from error

    async def disconnect(self) -> None:
        """Gives the share back; harmless when not connected."""
        hold, self._hold = self._hold, None
        if hold is not None:
            await finish_first(hold.let_go())

    async def read_bits(
        self, table: Bits, address: int, count: int, urgency: Urgency = Urgency.ASK, *, deadline_s: float | None = None
    ) -> tuple[bool, ...]:
        """FC01 or FC02, lowest address first."""
        request = protocol.read(protocol.BIT_TABLES[table], address, count)
        return protocol.bits_of(await self._ask(request, urgency, deadline_s), count)

    async def read_words(
        self, table: Words, address: int, count: int, urgency: Urgency = Urgency.ASK, *, deadline_s: float | None = None
    ) -> tuple[int, ...]:
        """FC03 or FC04, each word 0 to 65535. Which of two words is the high one is the device's affair."""
        request = protocol.read(protocol.WORD_TABLES[table], address, count)
        return protocol.words_of(await self._ask(request, urgency, deadline_s))

    async def write_coil(self, address: int, *, on: bool) -> None:
        """FC05, written once."""
        await self._act(_made(lambda: protocol.write_coil(address, protocol.ON if on else protocol.OFF)))

    async def pulse_coil(self, address: int, value: int) -> None:
        """FC05 with a maker's own address and value: a pulse that the board itself times. Written once."""
        await self._act(_made(lambda: protocol.write_coil(address, value)))

    async def write_word(self, address: int, value: int) -> None:
        """FC06, written once."""
        await self._act(_made(lambda: protocol.write_word(address, value)))

    async def write_words(self, address: int, values: Sequence[int], urgency: Urgency = Urgency.ACT) -> None:
        """FC10, written once; a text that is shown again may let others go first."""
        await self._act(_made(lambda: protocol.write_words(address, values)), urgency)

    async def _ask(self, request: Request, urgency: Urgency, deadline_s: float | None) -> bytes:
        """Asked again until the deadline, with the unit's back-off between; a poll is asked once."""
        until = _now() + (self.settings.deadline_s if deadline_s is None else deadline_s)
        while True:
            try:
                return await self._once(request, urgency, until)
            except DeviceUnavailable as error:
                due_s = self._breaker.due_s(_now())
                if error.reason not in _TRY_AGAIN or urgency is Urgency.POLL or _now() + due_s >= until:
                    raise
                self._counts.add(resends=error.reason != "unit_resting")
                await asyncio.sleep(due_s)

    async def _once(self, request: Request, urgency: Urgency, until: float) -> bytes:
        try:
            async with self._turn(urgency, until) as link:
                return await self._exchange(link, request, _Sent())
        except LinkError as error:
            raise DeviceUnavailable("line_lost", str(error)) from error

    async def _act(self, request: Request, urgency: Urgency = Urgency.ACT) -> None:
        await self._meet(request)
        until, sent = _now() + self.settings.deadline_s, _Sent()
        try:
            async with self._turn(urgency, until) as link:
                if self._is_unmet(request):
                    raise DeviceUnavailable("unit_resting", f"unit {self.unit} fell silent to somebody else meanwhile")
                await self._exchange(link, request, sent)
        except LinkError as error:
            kind = OutcomeUnknown if sent.anything else DeviceUnavailable
            raise kind("line_lost", str(error)) from error
        except (DeviceUnavailable, DeviceRefused) as error:
            not_done = isinstance(error.__cause__, RefusedError) and error.__cause__.not_done
            if not sent.anything or not_done:
                raise
            raise OutcomeUnknown(error.reason, error.detail, facts=error.facts) from error

    async def _meet(self, request: Request) -> None:
        """A question before an act whose answer could be somebody's else, since it is the frame itself.

        On a line that hears itself it comes back from a dead board; after a silence it may be an older act's.
        """
        if self._is_unmet(request):
            with suppress(DeviceRefused):  # it has no such coil, and said so
                await self._ask(self._answers_to, Urgency.ACT, None)

    def _is_unmet(self, request: Request) -> bool:
        if self._is_tcp or not request.echoed:
            return False
        return self._bus.hears_itself is None or self.breaker is Breaker.HALF_OPEN

    @asynccontextmanager
    async def _turn(self, urgency: Urgency, until: float) -> AsyncIterator[Link]:
        """The line, alone, with this unit ready to be spoken to. Raises LinkError, DeviceUnavailable."""
        if self._hold is None:
            raise DeviceUnavailable("line_closed", "connect first")
        self._raise_if_resting()  # before it takes a turn from others
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(until - _now()):
                    link = await stack.enter_async_context(self._hold.exchange(urgency))
            except TimeoutError as error:
                raise DeviceUnavailable("line_busy", f"{self._line.describe()}: no turn in time") from error
            yield link

    def _raise_if_resting(self) -> None:
        if self._breaker.state(_now()) is Breaker.OPEN:
            self._breaker.turned_away += 1
            due_s = self._breaker.due_s(_now())
            raise DeviceUnavailable("unit_resting", f"unit {self.unit} was silent; asked again in {due_s:.1f} s")

    async def _exchange(self, link: Link, request: Request, sent: _Sent) -> bytes:
        """One frame and its answer. Once begun it is finished, also when nobody waits any more."""
        self._raise_if_resting()  # somebody else may have found it silent meanwhile
        try:
            await self._talk.make_quiet(link)
        except NoisyError as error:
            raise DeviceUnavailable("line_noisy", str(error)) from error
        sent.anything = True
        try:
            return await finish_first(self._finish(link, request))
        except asyncio.CancelledError:
            self._counts.add(cancelled=1)
            raise

    async def _finish(self, link: Link, request: Request) -> bytes:
        try:
            if self._breaker.begin(_now()) is Breaker.HALF_OPEN and request.reads:
                await self._talk.meet_again(link, request, self.settings.late_s * (1 + self._breaker.false_hopes))
                self._breaker.false_hopes += 1  # unless the next one is answered, too
            reply = protocol.check(request, await self._talk.answer(link, request))
        except (SilentError, GarbledError, BadReplyError) as error:
            raise self._unanswered(error) from error
        except RefusedError as error:
            raise self._refused(error) from error
        self._breaker.answered()
        self._answers_to = request if request.reads else self._answers_to
        return reply

    def _unanswered(self, error: Exception) -> DeviceUnavailable:
        now, silent = _now(), isinstance(error, SilentError)
        self._bus.timeouts += 1
        self._bus.owe_quiet(now + self.settings.late_s)
        self._breaker.silent(now)
        self._counts.add(**{"timeouts" if silent else "badFrames": 1})
        return DeviceUnavailable("unit_silent" if silent else "unit_garbled", str(error))

    def _refused(self, error: RefusedError) -> DeviceError:
        facts = {"exception": error.code}
        self._counts.add(exceptions=1)
        if error.code in protocol.FROM_A_GATEWAY:
            self._breaker.silent(_now())
            return DeviceUnavailable("unit_silent", str(error), facts=facts)
        self._breaker.answered()
        waits_for = "never" if error.code in {1, 2, 3} else "device"
        return DeviceRefused("unit_refused", str(error), facts=facts, waits_for=waits_for)


class _Sent:
    """Whether the frame may have left."""

    anything = False


def _now() -> float:
    return asyncio.get_running_loop().time()


def _made(make: Callable[[], Request]) -> Request:
    """A request that may act. Raises DeviceRefused where it would be none of ours to write (PHY-3)."""
    try:
        return make()
    except ValueError as error:
        raise DeviceRefused("invalid_params", str(error), waits_for="never") from error
