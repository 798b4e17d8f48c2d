"""One opened link shared by several units: a turn per exchange, open while anyone holds it, told to all when lost.

Knows who holds the line and whether it is unbroken; must not know addresses of units nor frames.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from device_drivers.links.address import Address, AddressError, parse_address
from device_drivers.links.finish import finish_first
from device_drivers.links.link import Link, LinkError
from device_drivers.links.modbus_address import ModbusTcpAddress
from device_drivers.links.serial import SerialAddress
from device_drivers.links.tap import Passing, Show, TapLink
from device_drivers.links.tcp import TcpAddress
from device_drivers.links.turns import Turns, Urgency

__all__ = ["Hold", "Lines", "SharedLine", "Urgency"]


class SharedLine:
    """A link with its turns. Drivers `hold()` it; the first opens it, the last closes it, a loss closes it for all."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.turns = Turns()
        self._holds: set[Hold] = set()
        self._open = False
        self._generation = 0  # counts openings: a hold from before a loss is broken, even when the line is back
        self._shows: dict[object, Show] = {}

    def describe(self) -> str:
        """The address of the link."""
        return self.link.describe()

    def watch(self, show: Show) -> Callable[[], None]:
        """`show` is called for all that passes from the next exchange on, until what is returned is called.

        However many watch, the line is tapped once, and not at all when nobody does. `show` must not raise.
        """
        tap = self.link if self._shows else TapLink(self.link, self._tell)
        assert isinstance(tap, TapLink), "whoever taps a line does it here"
        own = object()
        self.link, self._shows[own] = tap, show  # who is in an exchange now goes on without it

        def end() -> None:
            if self._shows.pop(own, None) is not None and not self._shows:
                self.link = tap.wrapped

        return end

    def _tell(self, passing: Passing) -> None:
        for show in tuple(self._shows.values()):
            show(passing)

    async def hold(self) -> Hold:
        """Opens the line if nobody has. Raises LinkError."""
        async with self.turns.turn(Urgency.ASK):
            if not self._open:
                await self._reopen()
            hold = Hold(self, self._generation)
            self._holds.add(hold)
            return hold

    async def _reopen(self) -> None:
        try:
            await self.link.open()
        except BaseException:
            await finish_first(self.link.close())
            raise
        self._open = True
        self._generation += 1

    async def let_go(self, hold: Hold) -> None:
        """Takes a share back; the last closes the line, or whoever has it just now where the caller is cancelled."""
        self._holds.discard(hold)
        async with self.turns.turn(Urgency.ASK):
            if not self._holds:
                await self._shut()

    async def _shut(self) -> None:
        if self._open:
            self._open = False
            await finish_first(self.link.close())

    async def begin(self, hold: Hold, urgency: Urgency) -> Link:
        """The link, alone, for the holder of an unbroken share, who then owes an `end`. Raises LinkError."""
        await self.turns.take(urgency)
        if self.unbroken(hold):
            return self.link
        self.turns.pass_on()
        raise LinkError(self.describe(), "the line was lost; it has to be opened again")

    async def end(self, error: BaseException | None) -> None:
        """Passes the line on; a LinkError shuts it before, and so does that nobody holds it any more."""
        try:
            if isinstance(error, LinkError) or not self._holds:
                await self._shut()
        finally:
            self.turns.pass_on()

    def unbroken(self, hold: Hold) -> bool:
        """True while the line was never lost since this share was given."""
        return self._open and hold in self._holds and hold.generation == self._generation


class _Exchange:
    """One turn on a line; a class of its own, because a generator takes four times as long and a ticket has eight."""

    __slots__ = ("_hold", "_urgency")

    def __init__(self, hold: Hold, urgency: Urgency) -> None:
        self._hold = hold
        self._urgency = urgency

    async def __aenter__(self) -> Link:
        return await self._hold.line.begin(self._hold, self._urgency)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._hold.line.end(error)


class Hold:
    """One driver's share of a line, good until it lets go or the line is lost."""

    def __init__(self, line: SharedLine, generation: int) -> None:
        self.line = line
        self.generation = generation

    @property
    def unbroken(self) -> bool:
        """False once the line was lost, whoever noticed it."""
        return self.line.unbroken(self)

    def exchange(self, urgency: Urgency = Urgency.ASK) -> AbstractAsyncContextManager[Link]:
        """The link, alone; acts come before questions, questions before polls, and within each by arrival.

        A LinkError raised inside closes the line for all. Raises LinkError when broken before.
        """
        return _Exchange(self, urgency)

    def aside(self) -> Link:
        """The link out of turn: only for a byte that must reach a unit while its own exchange waits (EOT)."""
        if not self.unbroken:
            raise LinkError(self.line.describe(), "the line was lost; it has to be opened again")
        return self.line.link

    async def let_go(self) -> None:
        """Gives the share back; harmless when done already."""
        await self.line.let_go(self)


def _port_of(address: Address) -> str:
    """What two addresses of one line have in common, whatever their settings or framing."""
    if isinstance(address, SerialAddress):
        return address.path
    if isinstance(address, TcpAddress | ModbusTcpAddress):
        return str(address).partition("//")[2]
    return str(address)


class Lines:
    """One SharedLine for each address, so that drivers of several units meet on the same one."""

    def __init__(self, make_link: Callable[[str], Link]) -> None:
        self._make_link = make_link
        self._lines: dict[str, tuple[str, SharedLine]] = {}

    def line(self, text: str) -> SharedLine:
        """The line of an address. Raises AddressError, also when one port is named with two settings."""
        address = parse_address(text)
        port = _port_of(address)
        if port not in self._lines:
            self._lines[port] = (str(address), SharedLine(self._make_link(text)))
        settings, line = self._lines[port]
        if settings != str(address):
            raise AddressError("address_two_settings", port=port, first=settings, second=str(address))
        return line
