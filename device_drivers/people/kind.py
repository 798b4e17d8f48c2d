"""The kind `people_counter` as the catalogue offers it.

Knows how its driver is put together; must not know any other kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from device_drivers.commissioning import Commissioning
from device_drivers.device import Json
from device_drivers.kinds import BYTE_LINES, DeviceKind, Wiring
from device_drivers.people.driver import PeopleCounter
from device_drivers.people.profile import PeopleProfile

OBSERVE_S = 10.0  # a display of how full the hall is wants no older number


def _make(wiring: Wiring) -> PeopleCounter:
    profile = PeopleProfile.model_validate(wiring.profile)
    return PeopleCounter(wiring.device_id, wiring.line(), profile, wiring.notebook)


async def _commission(it: Commissioning) -> Mapping[str, Json]:
    from device_drivers.people.commission import commission  # an agent never needs it

    return await commission(it)


KIND = DeviceKind("people_counter", PeopleProfile, _make, frozenset(), BYTE_LINES | {"modbus"}, OBSERVE_S, _commission)
