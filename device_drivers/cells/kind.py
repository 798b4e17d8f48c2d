"""The kind `cells` as the catalogue offers it.

Knows how its driver is put together; must not know any other kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from device_drivers.cells.driver import CellCabinet
from device_drivers.cells.evidence import AWAIT_TAKEN, OPEN, SECURE
from device_drivers.cells.modules import ModbusModules
from device_drivers.cells.profile import LINES, CellsProfile
from device_drivers.commissioning import Commissioning
from device_drivers.device import Json
from device_drivers.kinds import DeviceKind, Wiring


def _make(wiring: Wiring) -> CellCabinet:
    profile = CellsProfile.model_validate(wiring.profile)
    where = profile.modules or wiring.address
    modules = None
    if profile.has_modules:
        line = wiring.find_line(where)
        modules = ModbusModules(line, profile.units, profile.pulse_ms, profile.modbus)
    is_tcp = wiring.is_tcp or where.startswith(("tcp:", "modbus:"))
    return CellCabinet(wiring.device_id, wiring.line(), profile, wiring.notebook, modules=modules, is_tcp=is_tcp)


async def _commission(it: Commissioning) -> Mapping[str, Json]:
    from device_drivers.cells.commission import commission  # an agent never needs it

    return await commission(it)


KIND = DeviceKind("cells", CellsProfile, _make, frozenset({OPEN, AWAIT_TAKEN, SECURE}), LINES, commission=_commission)
