"""The kind `bx6` as the catalogue offers it.

Knows how its driver is put together; must not know any other kind.
"""

from __future__ import annotations

from device_drivers.bx6.profile import Bx6Profile
from device_drivers.bx6.screen import Bx6Screen
from device_drivers.kinds import DeviceKind, Wiring
from device_drivers.screens.driver import ACTS, REFRESH_S, ScreenDriver


def _make(wiring: Wiring) -> ScreenDriver:
    profile = Bx6Profile.model_validate(wiring.profile)
    settle_s = profile.drain_s if wiring.is_tcp else 0.0
    screen = Bx6Screen(wiring.line(), profile)
    return ScreenDriver(screen, profile.panel, profile.idle_text, wiring.notebook, settle_s)


KIND = DeviceKind("bx6", Bx6Profile, _make, ACTS, observe_s=REFRESH_S)
