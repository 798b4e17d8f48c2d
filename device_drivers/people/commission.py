"""Commissioning a people counter: somebody walks through the beams, and the registers say which word comes first.

Knows one module's registers; writes nothing to it (U17). The two orders differ by 65536 for each person.
"""

from __future__ import annotations

from collections.abc import Mapping

from device_drivers.commissioning import Commissioning, NotAsMeantError
from device_drivers.device import Json
from device_drivers.modbus.unit import ModbusUnit
from device_drivers.people.profile import PeopleProfile
from device_drivers.people.registers import WordOrder

TIMES = 3
ORDERS: tuple[WordOrder, WordOrder] = ("low_first", "high_first")


async def commission(it: Commissioning) -> Mapping[str, Json]:
    """`word_order`, seen at every counter that the profile names."""
    profile = PeopleProfile.model_validate(dict(it.profile))
    unit = ModbusUnit(it.find_line(it.address), profile.unit, profile.modbus)
    await unit.connect()
    try:
        seen = [await _order(it, profile, unit, name, channel) for name, channel in profile.counts.items()]
    finally:
        await unit.disconnect()
    if profile.map.words == 1:
        return {}  # counters of one word have no order; they were seen to count, though
    if len(set(seen)) > 1:
        raise NotAsMeantError("orders_differ")
    return {"word_order": seen[0]}


async def _order(it: Commissioning, profile: PeopleProfile, unit: ModbusUnit, name: str, channel: int) -> WordOrder:
    before = await _read(profile, unit, channel)
    it.guide.tell("counter_shows", name=name, channel=channel, **before)
    await it.guide.have_done("walk", name=name, times=TIMES)
    after = await _read(profile, unit, channel)
    counted = {order: (after[order] - before[order]) % (1 << profile.map.bits) for order in ORDERS}
    for order in ORDERS:
        if counted[order] == TIMES:
            it.guide.tell("counter_counts", name=name, times=TIMES)
            return order
    raise NotAsMeantError("counter_counts_otherwise", name=name, times=TIMES, **counted)


async def _read(profile: PeopleProfile, unit: ModbusUnit, channel: int) -> dict[WordOrder, int]:
    """The same registers as either order has them."""
    map_ = profile.map
    words = await unit.read_words(map_.table, *map_.span([channel]))
    return {order: map_.value(words, channel, [channel], order) for order in ORDERS}
