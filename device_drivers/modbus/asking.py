"""Questions to Modbus units by hand: one reading, or who answers on a line. Nothing that writes can be asked here.

Knows one line and one question after another; must not know branches, devices or twins.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from device_drivers.links.address import open_address
from device_drivers.links.bus import Bus
from device_drivers.links.line import SharedLine
from device_drivers.modbus import protocol
from device_drivers.modbus.counts import Counts
from device_drivers.modbus.protocol import BadReplyError, RefusedError, Request, check
from device_drivers.modbus.settings import ModbusSettings
from device_drivers.modbus.talk import GarbledError, NoisyError, RtuTalk, SilentError, Talk, TcpTalk

TABLES: dict[str, int] = {**protocol.BIT_TABLES, **protocol.WORD_TABLES}
State = Literal["answers", "refuses", "garbled", "silent", "noisy"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one question. `values` only where it `answers`; `detail` in English, of what it said instead."""

    unit: int
    state: State
    values: tuple[int, ...] = ()
    detail: str = ""

    @property
    def there(self) -> bool:
        """A unit that refuses or is garbled is one all the same; a gateway that says nobody is there is none."""
        return self.state in ("answers", "refuses", "garbled")


class Asking:
    """One opened line."""

    def __init__(self, address: str, line: SharedLine, answer_s: float) -> None:
        self._address, self._line = address, line
        self._settings = ModbusSettings(answer_s=answer_s)

    async def read(self, unit: int, table: str, address: int, count: int) -> Heard:
        """Raises ValueError for what no unit has, LinkError."""
        request = protocol.read(TABLES[table], address, count)
        try:
            pdu = check(request, await self._ask(protocol.check_unit(unit), request))
        except RefusedError as refused:
            silent = refused.code in protocol.FROM_A_GATEWAY
            return Heard(unit, "silent" if silent else "refuses", detail=str(refused))
        except SilentError:
            return Heard(unit, "silent")
        except (GarbledError, BadReplyError) as error:
            return Heard(unit, "garbled", detail=str(error))
        except NoisyError as error:
            return Heard(unit, "noisy", detail=str(error))
        bits = table in protocol.BIT_TABLES
        return Heard(unit, "answers", tuple(map(int, protocol.bits_of(pdu, count))) if bits else protocol.words_of(pdu))

    async def scan(self, units: Iterable[int]) -> AsyncIterator[Heard]:
        """Each unit asked once for one register; a no is as good as a yes. Raises LinkError."""
        for unit in units:
            yield await self.read(unit, "holding", 0, 1)

    async def _ask(self, unit: int, request: Request) -> bytes:
        bus, counts = Bus.of(self._line), Counts()
        talk: Talk
        if self._settings.is_tcp(self._address):
            talk = TcpTalk(unit, self._settings, bus, counts)
        else:
            talk = RtuTalk(unit, self._settings, self._address, bus, counts)
        hold = await self._line.hold()
        try:
            async with hold.exchange() as link:
                await talk.make_quiet(link)
                return await talk.answer(link, request)
        finally:
            await hold.let_go()


@asynccontextmanager
async def asking(address: str, answer_s: float) -> AsyncIterator[Asking]:
    """The line stays open until the block ends. Raises AddressError, LinkError."""
    line = SharedLine(open_address(address))
    hold = await line.hold()
    try:
        yield Asking(address, line, answer_s)
    finally:
        await hold.let_go()
