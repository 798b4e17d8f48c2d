"""The kind `led485` as the catalogue offers it.

Knows how its driver is put together; must not know any other kind. It is reached by byte lines only: an address alone
cannot tell which form a display is spoken to in, and plain text would be nonsense to a Modbus TCP gateway.
"""

from __future__ import annotations

from device_drivers.kinds import DeviceKind, Wiring
from device_drivers.led485.profile import Led485Profile
from device_drivers.led485.screen import RegisterScreen, line_screen
from device_drivers.screens.driver import ACTS, REFRESH_S, ScreenDriver


def _make(wiring: Wiring) -> ScreenDriver:
    profile = Led485Profile.model_validate(wiring.profile)
    settle_s = profile.drain_s if wiring.is_tcp else 0.0
    screen = (RegisterScreen if profile.protocol == "modbus" else line_screen)(wiring.line(), profile)
    return ScreenDriver(screen, profile.panel, profile.idle_text, wiring.notebook, settle_s)


KIND = DeviceKind("led485", Led485Profile, _make, ACTS, observe_s=REFRESH_S)
