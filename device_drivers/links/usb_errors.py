"""What goes wrong at a USB port, as a sentence with its remedy.

Knows the numbers that pyusb's backends give; must not know transfers.
"""

from __future__ import annotations

import errno


class UsbTrouble(Exception):
    """The port cannot be opened or was lost; the text says why and what to do."""


_DENIED = (
    'permission denied; add a udev rule such as SUBSYSTEM=="usb", ATTR{idVendor}=="VVVV", ATTR{idProduct}=="PPPP", '
    'GROUP="lp", MODE="0660" and the user to that group'
)
_GONE = "the device is gone (unplugged or switched off?)"
_REMEDIES = {
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EBUSY: "another program holds the port (a print queue?); stop it or take this printer away from it",
    errno.ENODEV: _GONE,
    errno.ENXIO: _GONE,
    errno.ESHUTDOWN: _GONE,
    errno.EIO: "a transfer failed (unplugged, or a bad cable?)",
    errno.EPIPE: "the device refused a transfer (stalled); what was sent may have arrived or not",
    errno.EOVERFLOW: "the device sent more than was asked for",
    errno.ETIMEDOUT: "the device did not answer in time; switch it off and on",
    errno.ENOENT: "the device has no such interface",
}


def why(error: BaseException) -> str:
    """The reason with its remedy; any exception of pyusb is told, never passed on."""
    number = error.errno if isinstance(error, OSError) else None
    return _REMEDIES.get(number or 0, "") or str(error) or type(error).__name__
