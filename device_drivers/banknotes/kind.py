"""The kind `banknote_counter` as the catalogue offers it.

Knows how its driver is put together; must not know any other kind.
"""

from __future__ import annotations

from device_drivers.banknotes.driver import COUNT, BanknoteCounter
from device_drivers.banknotes.profile import BanknoteProfile
from device_drivers.kinds import DeviceKind, Wiring


def _make(wiring: Wiring) -> BanknoteCounter:
    profile = BanknoteProfile.model_validate(wiring.profile)
    return BanknoteCounter(wiring.device_id, wiring.line(), profile, wiring.notebook)


KIND = DeviceKind("banknote_counter", BanknoteProfile, _make, frozenset({COUNT}))
