"""The kind `escpos` as the catalogue offers it.

Knows how its driver is put together; must not know any other kind.
"""

from __future__ import annotations

from device_drivers.escpos.driver import ReceiptPrinter
from device_drivers.escpos.evidence import AWAIT_TAKEN, PRINT, TICKET, VOID
from device_drivers.escpos.profile import EscPosProfile
from device_drivers.kinds import BYTE_LINES, DeviceKind, Wiring


def _make(wiring: Wiring) -> ReceiptPrinter:
    profile = EscPosProfile.model_validate(wiring.profile)
    return ReceiptPrinter(wiring.device_id, wiring.line(), profile, wiring.notebook, is_tcp=wiring.is_tcp)


KIND = DeviceKind("escpos", EscPosProfile, _make, frozenset({PRINT, VOID, TICKET, AWAIT_TAKEN}), BYTE_LINES | {"usb"})
