"""One opened link shared by several units: a lock per exchange, open while anyone holds it, told to all when lost.

Knows who holds the line and whether it is unbroken; must not know addresses of units nor frames.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from device_drivers.links.address import AddressError, parse_address
from device_drivers.links.finish import finish_first
from device_drivers.links.link import Link, LinkError
from device_drivers.links.serial import SerialAddress


class SharedLine:
    """A link with its lock. Drivers `hold()` it; the first opens it, the last closes it, a loss closes it for all."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._lock = asyncio.Lock()
        self._holds: set[Hold] = set()
        self._open = False
        self._generation = 0  # counts openings: a hold from before a loss is broken, even when the line is back

    def describe(self) -> str:
        """The address of the link."""
        return self.link.describe()

    async def hold(self) -> Hold:
        """Opens the line if nobody has. Raises LinkError."""
        async with self._lock:
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
        """Takes a share back; the last one closes the line."""
        async with self._lock:
            self._holds.discard(hold)
            if not self._holds:
                await self._shut()

    async def _shut(self) -> None:
        if self._open:
            self._open = False
            await finish_first(self.link.close())

    @asynccontextmanager
    async def exchange(self, hold: Hold) -> AsyncIterator[Link]:
        """The link under its lock, for the holder of an unbroken share."""
        async with self._lock:
            if not self.unbroken(hold):
                raise LinkError(self.describe(), "the line was lost; it has to be opened again")
            try:
                yield self.link
            except LinkError:
                await self._shut()
                raise

    def unbroken(self, hold: Hold) -> bool:
        """True while the line was never lost since this share was given."""
        return self._open and hold in self._holds and hold.generation == self._generation


class Hold:
    """One driver's share of a line, good until it lets go or the line is lost."""

    def __init__(self, line: SharedLine, generation: int) -> None:
        self._line = line
        self.generation = generation

    @property
    def unbroken(self) -> bool:
        """False once the line was lost, whoever noticed it."""
        return self._line.unbroken(self)

    @asynccontextmanager
    async def exchange(self) -> AsyncIterator[Link]:
        """The link, alone. A LinkError raised inside closes the line for all. Raises LinkError when broken before."""
        async with self._line.exchange(self) as link:
            yield link

    def aside(self) -> Link:
        """The link without its lock: only for a byte that must reach a unit while its own exchange waits (EOT)."""
        if not self.unbroken:
            raise LinkError(self._line.describe(), "the line was lost; it has to be opened again")
        return self._line.link

    async def let_go(self) -> None:
        """Gives the share back; harmless when done already."""
        await self._line.let_go(self)


class Lines:
    """One SharedLine for each address, so that drivers of several units meet on the same one."""

    def __init__(self, make_link: Callable[[str], Link]) -> None:
        self._make_link = make_link
        self._lines: dict[str, tuple[str, SharedLine]] = {}

    def line(self, text: str) -> SharedLine:
        """The line of an address. Raises AddressError, also when one port is named with two settings."""
        address = parse_address(text)
        port = address.path if isinstance(address, SerialAddress) else str(address)
        if port not in self._lines:
            self._lines[port] = (str(address), SharedLine(self._make_link(text)))
        settings, line = self._lines[port]
        if settings != str(address):
            raise AddressError("address_two_settings", port=port, first=settings, second=str(address))
        return line
