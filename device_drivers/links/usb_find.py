"""Finding the one device that a USB address means, and in it the interface and the endpoints of its printer.

Knows descriptors as pyusb shows them; claims nothing and leaves no device open but the one found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import usb.core  # type: ignore[import-untyped]
import usb.util  # type: ignore[import-untyped]

from device_drivers.links.usb_address import UsbAddress
from device_drivers.links.usb_errors import UsbTrouble, why

PRINTER_CLASS, PRINTER_SUBCLASS = 0x07, 0x01
ONE_WAY, TWO_WAY = 0x01, 0x02  # bInterfaceProtocol; 03 (IEEE 1284.4) and 04 (IPP over USB) are packets, no streams


@dataclass(frozen=True, slots=True)
class Found:
    """`bulk_in` None: nothing can be read."""

    device: Any
    interface: int
    alternate: int
    bulk_out: int
    bulk_in: int | None


def find(bus: Any, address: UsbAddress) -> Found:
    """Raises UsbTrouble, or what pyusb raises."""
    plugged = list(usb.core.find(find_all=True, backend=bus))
    alike = [one for one in plugged if (one.idVendor, one.idProduct) == (address.vendor, address.product)]
    if not alike:
        seen = ", ".join(sorted({f"{one.idVendor:04x}:{one.idProduct:04x}" for one in plugged})) or "nothing"
        raise UsbTrouble(f"there is no such device (plugged in is: {seen}); is it switched on and plugged in?")
    device = _with_serial(alike, address.serial) if address.serial else _only(alike)
    try:
        return _interface(device, address.interface)
    except BaseException:
        usb.util.dispose_resources(device)
        raise


def _only(alike: Sequence[Any]) -> Any:
    if len(alike) > 1:
        serials = ", ".join(_serial_or_why(one) for one in alike)
        raise UsbTrouble(f"{len(alike)} alike are plugged in; add serial= to the address, one of: {serials}")
    return alike[0]


def _with_serial(alike: Sequence[Any], serial: str) -> Any:
    told = []
    for one in alike:
        found = _serial_or_why(one)
        if found == serial:
            return one
        told.append(found)
    raise UsbTrouble(f"none of those plugged in has the serial number {serial!r}; they have: {', '.join(told)}")


def _serial_or_why(device: Any) -> str:
    """Asks the device; leaves it closed, for it may be another program's."""
    try:
        languages = usb.util.get_langids(device)
        number = usb.util.get_string(device, device.iSerialNumber, languages[0]) if languages else ""
    except usb.core.USBError as error:
        return f"({why(error)})"
    except (ValueError, IndexError):
        return "(unreadable)"
    finally:
        usb.util.dispose_resources(device)
    return str(number or "").strip("\0 ") or "(none)"


def _interface(device: Any, number: int | None) -> Found:
    settings = [one for one in _configuration(device) if _fits(one, number)]
    if not settings:
        what = "printer interface" if number is None else f"interface {number} that takes bytes"
        raise UsbTrouble(f"the device has no {what}")
    first = [one for one in settings if one.bInterfaceNumber == settings[0].bInterfaceNumber]
    return max((_found(device, one) for one in first), key=lambda one: one.bulk_in is not None)


def _configuration(device: Any) -> Any:
    """The active one; choosing it again would be a light reset, so it is chosen only where there is none."""
    try:
        return device.get_active_configuration()
    except usb.core.USBError as error:
        if error.errno is not None:
            raise
    device.set_configuration()
    return device.get_active_configuration()


def _fits(interface: Any, number: int | None) -> bool:
    if _bulk(interface, usb.util.ENDPOINT_OUT) is None:
        return False
    if number is not None:
        return bool(interface.bInterfaceNumber == number)
    kind = (interface.bInterfaceClass, interface.bInterfaceSubClass)
    return kind == (PRINTER_CLASS, PRINTER_SUBCLASS) and interface.bInterfaceProtocol in (ONE_WAY, TWO_WAY)


def _found(device: Any, interface: Any) -> Found:
    one_way = interface.bInterfaceClass == PRINTER_CLASS and interface.bInterfaceProtocol == ONE_WAY
    bulk_out = _bulk(interface, usb.util.ENDPOINT_OUT)
    assert bulk_out is not None
    bulk_in = None if one_way else _bulk(interface, usb.util.ENDPOINT_IN)
    return Found(device, interface.bInterfaceNumber, interface.bAlternateSetting, bulk_out, bulk_in)


def _bulk(interface: Any, direction: int) -> int | None:
    for endpoint in interface:
        if (
            usb.util.endpoint_direction(endpoint.bEndpointAddress) == direction
            and usb.util.endpoint_type(endpoint.bmAttributes) == usb.util.ENDPOINT_TYPE_BULK
        ):
            return int(endpoint.bEndpointAddress)
    return None
