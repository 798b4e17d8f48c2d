"""The kind `site_inputs` as the catalogue offers it.

Knows how its driver is put together; must not know any other kind.
"""

from __future__ import annotations

from device_drivers.kinds import BYTE_LINES, DeviceKind, Wiring
from device_drivers.site.driver import SiteInputs
from device_drivers.site.profile import SiteProfile


def _make(wiring: Wiring) -> SiteInputs:
    return SiteInputs(wiring.device_id, wiring.line(), SiteProfile.model_validate(wiring.profile))


KIND = DeviceKind("site_inputs", SiteProfile, _make, frozenset(), BYTE_LINES | {"modbus"})
