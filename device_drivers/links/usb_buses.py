"""The USB buses by name: this machine's own through libusb, and others' (entry point `branchgate.usb_buses`).

Knows where a bus is found and that a stranger's may not load; must not know devices nor who stands behind a name.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from device_drivers.links.usb_errors import UsbTrouble

ENTRY_POINT_GROUP = "branchgate.usb_buses"


def open_bus(bus: str) -> Any:
    """A `usb.backend.IBackend` for `NAME:REST`, or libusb's for "". Raises UsbTrouble."""
    if not bus:
        return _libusb()
    name, _, rest = bus.partition(":")
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=name):
        try:
            return entry.load()(rest)
        except Exception as error:  # a stranger's module may raise anything; told once, here, with its name
            raise UsbTrouble(f"the bus {bus!r} ({entry.value}) does not open: {error!r}") from error
    known = ", ".join(sorted(entry.name for entry in entry_points(group=ENTRY_POINT_GROUP))) or "none"
    raise UsbTrouble(f"there is no USB bus named {name!r}; known are: {known}; leave bus= out for this machine's own")


def close_bus(bus: str, backend: Any) -> None:
    """Gives a bus back; libusb's is one for the whole process and stays."""
    if bus:
        backend.finalize()


def _libusb() -> Any:
    from usb.backend import libusb1  # type: ignore[import-untyped]

    backend = libusb1.get_backend()
    if backend is None:
        raise UsbTrouble("libusb is not installed; install the package libusb-1.0-0")
    return backend
