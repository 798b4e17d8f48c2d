"""The kind `sealed_printer` as the catalogue offers it.

Knows how its driver is put together of a printer's and a relay board; must not know any other kind.
"""

from __future__ import annotations

from device_drivers.ipp.driver import PRINT_DOCUMENT, DocumentPrinter
from device_drivers.ipp.kind import LINES, target_of
from device_drivers.kinds import DeviceKind, Wiring
from device_drivers.relay.board import RelayBoard
from device_drivers.sealed.driver import STAMP, SealedPrinter
from device_drivers.sealed.profile import SealedProfile


def _make(wiring: Wiring) -> SealedPrinter:
    profile = SealedProfile.model_validate(wiring.profile)
    printer = DocumentPrinter(wiring.device_id, wiring.line(), target_of(wiring.address), profile, wiring.notebook)
    board = RelayBoard(wiring.find_line(profile.stamp.address), profile.stamp.unit, profile.stamp.modbus)
    return SealedPrinter(wiring.device_id, printer, board, profile, wiring.notebook)


KIND = DeviceKind("sealed_printer", SealedProfile, _make, frozenset({PRINT_DOCUMENT, STAMP}), LINES)
