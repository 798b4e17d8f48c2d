"""The kind `ipp` as the catalogue offers it.

Knows how its driver is put together; must not know any other kind.
"""

from __future__ import annotations

from device_drivers.ipp.driver import PRINT_DOCUMENT, DocumentPrinter
from device_drivers.ipp.http import Target
from device_drivers.ipp.profile import IppProfile
from device_drivers.kinds import DeviceKind, Wiring
from device_drivers.links.address import parse_address
from device_drivers.links.ipp_address import IppAddress

LINES = frozenset({"ipp"})


def target_of(address: str) -> Target:
    """Host, port and path of an `ipp://` address. Raises AddressError."""
    parsed = parse_address(address)
    assert isinstance(parsed, IppAddress), "the kind's lines allow no other"
    return Target(parsed.host, parsed.port, parsed.path)


def _make(wiring: Wiring) -> DocumentPrinter:
    profile = IppProfile.model_validate(wiring.profile)
    return DocumentPrinter(wiring.device_id, wiring.line(), target_of(wiring.address), profile, wiring.notebook)


KIND = DeviceKind("ipp", IppProfile, _make, frozenset({PRINT_DOCUMENT}), LINES)
