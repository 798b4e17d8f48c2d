"""Simulated USB under the real pyusb: a backend whose devices stand in this process or behind a simulator's port.

Knows pyusb's backend interface and its errors; what a device does is `usb_device`'s, how it is reached is the hub's.
The address option `bus=simulated:127.0.0.1:PORT` finds `simulated` here by its entry point (`branchgate.usb_buses`).
"""

from __future__ import annotations

import array
import errno
import itertools
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol

import usb.backend  # type: ignore[import-untyped]
import usb.core  # type: ignore[import-untyped]

from simulators import usb_descriptors
from simulators.usb_device import UsbDevice, UsbFault
from simulators.usb_model import UsbModel
from simulators.usb_remote import RemoteHub

_LIBUSB = {  # the codes that pyusb's libusb backend gives beside these errnos
    errno.EIO: -1,
    errno.EINVAL: -2,
    errno.EACCES: -3,
    errno.ENODEV: -4,
    errno.ENOENT: -5,
    errno.EBUSY: -6,
    errno.ETIMEDOUT: -7,
    errno.EOVERFLOW: -8,
    errno.EPIPE: -9,
}


class Hub(Protocol):
    """Where the devices are. A transfer waits up to its time-out; both raise `UsbFault`."""

    def devices(self) -> Sequence[tuple[int, UsbModel]]: ...

    def call(self, address: int, owner: Hashable, operation: str, args: Sequence[Any], timeout_s: float = 0.0) -> Any:
        """Of `usb_device.OPERATIONS`, and `close`."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class _Handle:
    address: int
    owner: int


class UsbBus(usb.backend.IBackend):  # type: ignore[misc]
    """One bus. Several of them on the same hub are several programs on one machine."""

    _owners: Iterator[int] = itertools.count(1)

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def _finalize_object(self) -> None:
        self._hub.close()

    def enumerate_devices(self) -> list[tuple[int, UsbModel]]:
        return list(self._hub.devices())

    def get_device_descriptor(self, dev: tuple[int, UsbModel]) -> SimpleNamespace:
        return usb_descriptors.device(*dev)

    def get_configuration_descriptor(self, dev: tuple[int, UsbModel], config: int) -> SimpleNamespace:
        return usb_descriptors.configuration(dev[1], config)

    def get_interface_descriptor(self, dev: tuple[int, UsbModel], intf: int, alt: int, _config: int) -> SimpleNamespace:
        return usb_descriptors.interface(dev[1], intf, alt)

    def get_endpoint_descriptor(
        self, dev: tuple[int, UsbModel], ep: int, intf: int, alt: int, _config: int
    ) -> SimpleNamespace:
        return usb_descriptors.endpoint(dev[1], ep, intf, alt)

    def open_device(self, dev: tuple[int, UsbModel]) -> _Handle:
        handle = _Handle(dev[0], next(self._owners))
        self._do(handle, "open")
        return handle

    def close_device(self, dev_handle: _Handle) -> None:
        self._do(dev_handle, "close")

    def set_configuration(self, dev_handle: _Handle, config_value: int) -> None:
        self._do(dev_handle, "set_configuration", config_value)

    def get_configuration(self, dev_handle: _Handle) -> Any:
        return self._do(dev_handle, "get_configuration")

    def set_interface_altsetting(self, dev_handle: _Handle, intf: int, altsetting: int) -> None:
        self._do(dev_handle, "alternate", intf, altsetting)

    def claim_interface(self, dev_handle: _Handle, intf: int) -> None:
        self._do(dev_handle, "claim", intf)

    def release_interface(self, dev_handle: _Handle, intf: int) -> None:
        self._do(dev_handle, "release", intf)

    def bulk_write(self, dev_handle: _Handle, ep: int, _intf: int, data: array.array[int], timeout: int) -> int:
        return int(self._do(dev_handle, "write", ep, data.tobytes(), timeout_ms=timeout))

    def bulk_read(self, dev_handle: _Handle, ep: int, _intf: int, buff: array.array[int], timeout: int) -> int:
        return _fill(buff, self._do(dev_handle, "read", ep, len(buff), timeout_ms=timeout))

    def ctrl_transfer(
        self,
        dev_handle: _Handle,
        bmRequestType: int,  # noqa: N803 - the names are pyusb's
        bRequest: int,  # noqa: N803
        wValue: int,  # noqa: N803
        wIndex: int,  # noqa: N803
        data: array.array[int],
        timeout: int,
    ) -> int:
        setup = (bmRequestType, bRequest, wValue, wIndex, len(data))
        told = self._do(dev_handle, "control", *setup, timeout_ms=timeout)
        return _fill(data, told) if bmRequestType & 0x80 else len(data)

    def clear_halt(self, dev_handle: _Handle, ep: int) -> None:
        self._do(dev_handle, "clear_halt", ep)

    def is_kernel_driver_active(self, dev_handle: _Handle, intf: int) -> Any:
        return self._do(dev_handle, "driver_active", intf)

    def detach_kernel_driver(self, dev_handle: _Handle, intf: int) -> None:
        self._do(dev_handle, "detach", intf)

    def attach_kernel_driver(self, dev_handle: _Handle, intf: int) -> None:
        self._do(dev_handle, "attach", intf)

    def _do(self, handle: _Handle, operation: str, *args: Any, timeout_ms: int = 0) -> Any:
        try:
            return self._hub.call(handle.address, handle.owner, operation, args, timeout_ms / 1000)
        except UsbFault as fault:
            kind = usb.core.USBTimeoutError if fault.errno == errno.ETIMEDOUT else usb.core.USBError
            raise kind(str(fault), _LIBUSB.get(fault.errno, -99), fault.errno) from fault


class LocalHub:
    """Devices of this process; their time passes only while a transfer waits. For tests."""

    def __init__(self, *devices: UsbDevice) -> None:
        self.plugs = list(devices)

    def devices(self) -> list[tuple[int, UsbModel]]:
        return [(one.address, one.model) for one in self.plugs if one.plugged]

    def call(self, address: int, owner: Hashable, operation: str, args: Sequence[Any], timeout_s: float = 0.0) -> Any:
        device = next((one for one in self.plugs if one.plugged and one.address == address), None)
        if operation == "close":
            return device is None or device.close(owner)
        if device is None:
            raise UsbFault(errno.ENODEV)
        result = device.do(owner, operation, *args)
        if result is None:
            if not timeout_s:
                raise RuntimeError(f"{operation} without a time-out: the host would wait for ever")
            device.end.wait(timeout_s)
            result = device.do(owner, operation, *args)
        if result is None:
            raise UsbFault(errno.ETIMEDOUT)
        return result

    def close(self) -> None:
        """The devices stay plugged in."""


def simulated(rest: str) -> UsbBus:
    """The bus of a simulator that listens at `rest`, HOST:PORT (`simulators.serve … --listen usb:HOST:PORT`)."""
    host, _, port = rest.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"write bus=simulated:127.0.0.1:PORT, not {rest!r}")
    return UsbBus(RemoteHub(host, int(port)))


def _fill(buffer: array.array[int], data: bytes) -> int:
    if len(data) > len(buffer):
        raise usb.core.USBError("more than asked for", _LIBUSB[errno.EOVERFLOW], errno.EOVERFLOW)
    buffer[: len(data)] = array.array("B", data)
    return len(data)
