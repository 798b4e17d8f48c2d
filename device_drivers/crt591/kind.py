"""The kind `crt591` as the catalogue offers it.

Knows how its driver is put together; must not know any other kind.
"""

from __future__ import annotations

from device_drivers.crt591.driver import CardDispenser
from device_drivers.crt591.evidence import AWAIT_TAKEN, CAPTURE, DRAW, PRESENT
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.kinds import DeviceKind, Wiring


def _make(wiring: Wiring) -> CardDispenser:
    profile = Crt591Profile.model_validate(wiring.profile)
    return CardDispenser(wiring.device_id, wiring.line(), profile, wiring.notebook, is_tcp=wiring.is_tcp)


KIND = DeviceKind("crt591", Crt591Profile, _make, frozenset({DRAW, PRESENT, CAPTURE, AWAIT_TAKEN}))
