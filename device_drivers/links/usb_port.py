"""The printer interface of one USB device through pyusb: found, claimed, written and read, all of it blocking.

Knows descriptors, kernel drivers and single transfers; must not know the loop, threads nor what the bytes mean.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

import usb.core  # type: ignore[import-untyped]
import usb.util  # type: ignore[import-untyped]

from device_drivers.links.usb_address import UsbAddress
from device_drivers.links.usb_buses import close_bus, open_bus
from device_drivers.links.usb_errors import UsbTrouble, why
from device_drivers.links.usb_find import Found, find

READ_BYTES = 4096  # a multiple of every packet size, or a full packet would overflow the buffer
CONTROL_TIMEOUT_MS = 1000
_GET_DEVICE_ID, _GET_PORT_STATUS = 0, 1  # USB printer class 1.1, 4.2; SOFT_RESET (2) would lose a job: never sent
_FROM_INTERFACE = 0xA1  # device to host, class, interface


class UsbPort:
    """Opened and closed once. Every method may block for the time it is given, and raises UsbTrouble alone."""

    def __init__(self, address: UsbAddress) -> None:
        self._address = address
        self._bus: Any = None
        self._found: Found | None = None
        self._kernel_driver = False  # one was taken off and is owed back

    @property
    def two_way(self) -> bool:
        """False where nothing can ever be read (protocol 01)."""
        return self._there().bulk_in is not None

    def open(self) -> None:
        """Finds the device under whatever number it has now and takes its interface; `close` also after a failure."""
        with _told():
            self._bus = open_bus(self._address.bus)
            self._found = find(self._bus, self._address)
            self._take_over(self._found)
            usb.util.claim_interface(self._found.device, self._found.interface)
            if self._found.alternate:
                self._found.device.set_interface_altsetting(self._found.interface, self._found.alternate)

    def close(self) -> None:
        """Gives the interface back, to the kernel's driver where it had it. Harmless when the device is gone."""
        found, self._found = self._found, None
        if found is not None:
            self._give_back(found)
        bus, self._bus = self._bus, None
        if bus is not None:
            close_bus(self._address.bus, bus)

    def write(self, data: bytes, timeout_s: float) -> int:
        """How many bytes were taken; 0 after a time-out. After any error it is unknown how many."""
        found = self._there()
        with _told():
            try:
                return int(found.device.write(found.bulk_out, data, _milliseconds(timeout_s)))
            except usb.core.USBTimeoutError:
                return 0
            except usb.core.USBError as error:
                if error.errno == errno.EPIPE:  # freed for what comes next; this transfer is not tried again
                    found.device.clear_halt(found.bulk_out)
                raise

    def read(self, timeout_s: float) -> bytes | None:
        """What came, b"" for an empty packet, None for silence."""
        found = self._there()
        with _told():
            try:
                return self._read(found, timeout_s)
            except usb.core.USBError as error:
                if error.errno != errno.EPIPE:
                    raise
            found.device.clear_halt(found.bulk_in)
            return self._read(found, timeout_s)

    def device_id(self) -> bytes:
        """The raw answer; b"" when the device refuses or does not answer."""
        found = self._there()
        return self._asked(_GET_DEVICE_ID, found.interface << 8 | found.alternate, 1023)

    def port_status(self) -> bytes:
        """The raw answer; b"" when the device refuses or does not answer."""
        return self._asked(_GET_PORT_STATUS, self._there().interface, 1)

    def _there(self) -> Found:
        if self._found is None:
            raise UsbTrouble("is not open")
        return self._found

    def _take_over(self, found: Found) -> None:
        with contextlib.suppress(NotImplementedError):  # a system without kernel drivers for printers
            if found.device.is_kernel_driver_active(found.interface):
                found.device.detach_kernel_driver(found.interface)
                self._kernel_driver = True

    def _give_back(self, found: Found) -> None:
        with contextlib.suppress(usb.core.USBError):
            usb.util.release_interface(found.device, found.interface)
        if self._kernel_driver:
            with contextlib.suppress(usb.core.USBError, NotImplementedError):
                found.device.attach_kernel_driver(found.interface)
        with contextlib.suppress(usb.core.USBError):
            usb.util.dispose_resources(found.device)

    def _read(self, found: Found, timeout_s: float) -> bytes | None:
        try:
            return bytes(found.device.read(found.bulk_in, READ_BYTES, _milliseconds(timeout_s)))
        except usb.core.USBError as error:
            if error.errno in (errno.ETIMEDOUT, errno.EINTR):
                return None
            raise

    def _asked(self, request: int, index: int, length: int) -> bytes:
        found = self._there()
        buffer = usb.util.create_buffer(length)
        # Not through Device.ctrl_transfer: it takes the low byte of the index for an interface and would claim that,
        # where GET_DEVICE_ID has the interface in the high byte.
        context = found.device._ctx  # noqa: SLF001
        with _told():
            try:
                got = self._bus.ctrl_transfer(
                    context.managed_open(), _FROM_INTERFACE, request, 0, index, buffer, CONTROL_TIMEOUT_MS
                )
            except usb.core.USBError as error:
                if error.errno in (errno.EPIPE, errno.ETIMEDOUT):
                    return b""
                raise
        return bytes(buffer[:got])


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Whatever pyusb and a backend raise becomes one error with its remedy."""
    try:
        yield
    except (OSError, ValueError, NotImplementedError, IndexError) as error:
        raise UsbTrouble(why(error)) from error


def _milliseconds(timeout_s: float) -> int:
    return max(1, round(timeout_s * 1000))  # 0 would mean: wait for ever
