"""What is plugged in on a USB bus, and how a device of it is written as an address.

Knows descriptors as pyusb shows them; claims nothing, opens a device only to ask its names, and leaves it closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import usb.core  # type: ignore[import-untyped]
import usb.util  # type: ignore[import-untyped]

from device_drivers.links.usb_address import UsbAddress
from device_drivers.links.usb_buses import close_bus, open_bus
from device_drivers.links.usb_errors import why
from device_drivers.links.usb_find import PRINTER_CLASS


@dataclass(frozen=True, slots=True)
class Plugged:
    """One device. `trouble` says why it does not tell its names: mostly rights (the udev rules)."""

    vendor: int
    product: int
    maker: str
    name: str
    serial: str
    printer: bool
    trouble: str = ""

    @property
    def address(self) -> str:
        serial = f"?serial={self.serial}" if self.serial else ""
        return f"usb://{self.vendor:04x}:{self.product:04x}{serial}"


def plugged(bus: str = "") -> list[Plugged]:
    """Every device, sorted. Raises UsbTrouble."""
    backend = open_bus(bus)
    try:
        found = [_told(one) for one in usb.core.find(find_all=True, backend=backend)]
    finally:
        close_bus(bus, backend)
    return sorted(found, key=lambda one: (not one.printer, one.vendor, one.product, one.serial))


def alike(address: UsbAddress) -> tuple[int, list[str]]:
    """How many of that vendor and product are plugged in, and what else is; opens none. Raises UsbTrouble."""
    backend = open_bus(address.bus)
    try:
        seen = [(one.idVendor, one.idProduct) for one in usb.core.find(find_all=True, backend=backend)]
    finally:
        close_bus(address.bus, backend)
    wanted = (address.vendor, address.product)
    return seen.count(wanted), sorted({f"{vendor:04x}:{product:04x}" for vendor, product in seen})


def _told(device: Any) -> Plugged:
    names, trouble = ["", "", ""], ""
    try:
        indexes = (device.iManufacturer, device.iProduct, device.iSerialNumber)
        names = [_clean(usb.util.get_string(device, index)) if index else "" for index in indexes]
    except usb.core.USBError as error:
        trouble = why(error)
    except (ValueError, IndexError):
        trouble = "unreadable"
    finally:
        usb.util.dispose_resources(device)
    maker, name, serial = names
    return Plugged(device.idVendor, device.idProduct, maker, name, serial, _is_printer(device), trouble)


def _is_printer(device: Any) -> bool:
    try:
        return any(setting.bInterfaceClass == PRINTER_CLASS for one in device for setting in one)
    except usb.core.USBError:
        return False


def _clean(text: str | None) -> str:
    return "".join(char for char in text or "" if char.isprintable()).strip("\0 ")
