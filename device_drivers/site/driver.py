"""The site input driver: looks at doors, buttons and power all the time, and says what has settled to something else.

Knows one module; must not know who is told, nor what was told before. It asks and never writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from device_drivers.actless import Actless
from device_drivers.device import Happening, Twin
from device_drivers.errors import DeviceRefused, DeviceUnavailable
from device_drivers.links.line import SharedLine, Urgency
from device_drivers.modbus.unit import ModbusUnit
from device_drivers.site.contact import Contact
from device_drivers.site.profile import SiteProfile

Sleep = Callable[[float], Awaitable[None]]


class SiteInputs(Actless):
    """A `device.Driver` and `device.Listener`. Cancelled at any await it loses nothing: contacts keep their levels."""

    def __init__(self, device_id: str, line: SharedLine, profile: SiteProfile, *, sleep: Sleep = asyncio.sleep) -> None:
        self.device_id = device_id
        self._profile, self._sleep = profile, sleep
        self._unit = ModbusUnit(line, profile.unit, profile.modbus)
        self._contacts = {name: Contact(profile.settle_s) for name in profile.inputs}
        self._untold = False  # something settled, and nobody was told of it yet

    async def connect(self) -> None:
        await self._unit.connect()

    async def disconnect(self) -> None:
        await self._unit.disconnect()

    async def probe(self) -> Twin:
        """One look, asked until it is answered."""
        await self._look(Urgency.ASK)
        self._untold = False
        return self._twin()

    async def listen(self) -> Happening:
        """Looks every `poll_s` until something has settled to another level."""
        missed = 0
        while not self._untold:
            await self._sleep(self._profile.poll_s)
            try:
                await self._look(Urgency.POLL)
                missed = 0
            except DeviceUnavailable as error:
                missed += error.reason != "unit_resting"  # left in peace: it was not asked
                if missed >= self._profile.misses_max:
                    raise
        self._untold = False
        return Happening(twin=self._twin())

    async def _look(self, urgency: Urgency) -> None:
        try:
            bits = await self._unit.read_bits(self._profile.table, self._profile.first, self._profile.count, urgency)
        except DeviceRefused as error:  # a module that knows no such input is another module
            raise DeviceUnavailable(error.reason, error.detail) from error
        now_s = asyncio.get_running_loop().time()
        for name, one in self._profile.inputs.items():
            if self._contacts[name].look(bits[one.channel], now_s):
                self._untold = True

    def _twin(self) -> Twin:
        words = {
            name: (one.on if level else one.off)
            for name, one in self._profile.inputs.items()
            if (level := self._contacts[name].level) is not None
        }
        bounces = sum(contact.bounces for contact in self._contacts.values())
        counters = {**self._unit.counters(), **({"bounces": bounces} if bounces else {})}
        return Twin("online", counters=counters, auxiliaries=words)
