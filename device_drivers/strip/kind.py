"""The kind `strip_screen` as the catalogue offers it.

Knows how its driver is put together; must not know any other kind.
"""

from __future__ import annotations

from functools import partial

from device_drivers.kinds import DeviceKind, Wiring
from device_drivers.screens.driver import ACTS, REFRESH_S, ScreenDriver
from device_drivers.screens.faces import Face
from device_drivers.screens.mute import MuteScreen
from device_drivers.strip.profile import StripProfile
from device_drivers.strip.protocol import GAP_S, show_frame


def _make(wiring: Wiring) -> ScreenDriver:
    profile = StripProfile.model_validate(wiring.profile)
    settle_s = profile.drain_s if wiring.is_tcp else 0.0
    screen = MuteScreen(wiring.line(), partial(_frame, profile), GAP_S)
    return ScreenDriver(screen, profile.panel, profile.idle_text, wiring.notebook, settle_s)


def _frame(profile: StripProfile, face: Face) -> bytes:
    (line,) = face.pages[0]
    style = profile.style(scrolls=face.scrolls, urgent=line.urgent)
    return show_frame(profile.unit, style, (line.text or " ").encode("gbk"), profile.check)


KIND = DeviceKind("strip_screen", StripProfile, _make, ACTS, observe_s=REFRESH_S)
