"""The kind `scanner` as the catalogue offers it.

Knows how its driver is put together; must not know any other kind.
"""

from __future__ import annotations

from device_drivers.kinds import DeviceKind, Wiring
from device_drivers.scanner.driver import Scanner
from device_drivers.scanner.profile import ScannerProfile


def _make(wiring: Wiring) -> Scanner:
    return Scanner(wiring.device_id, wiring.line(), ScannerProfile.model_validate(wiring.profile))


KIND = DeviceKind("scanner", ScannerProfile, _make, frozenset())
