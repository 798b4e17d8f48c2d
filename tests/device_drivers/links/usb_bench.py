"""A bus of simulated devices under the name `bench:`, and what its tests ask of every link.

Knows the simulator's in-process form; the link under test sees pyusb and nothing else.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from device_drivers.links import usb_buses
from device_drivers.links.address import open_address
from device_drivers.links.usb import UsbLink
from simulators.usb_bus import LocalHub, UsbBus
from simulators.usb_device import UsbDevice
from simulators.usb_ends import PlainEnd
from simulators.usb_model import UsbModel

ADDRESS = "usb://04b8:0e15?bus=bench:"


def usb_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("usb ")]


@pytest.fixture(autouse=True)
def _no_leftover_thread() -> Iterator[None]:
    yield
    assert not usb_threads()


class Bench:
    """The hub, and the devices on it in the order of plugging in."""

    def __init__(self) -> None:
        self.hub = LocalHub()
        self._numbers = itertools.count(2)

    def add(self, model: UsbModel | None = None) -> tuple[UsbDevice, PlainEnd]:
        end = PlainEnd()
        device = UsbDevice(model or UsbModel(), end, self._numbers)
        self.hub.plugs.append(device)
        return device, end

    def bus(self, _rest: str) -> UsbBus:
        return UsbBus(self.hub)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    it = Bench()
    offer(monkeypatch, "bench", it.bus)
    return it


def offer(monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[str], object]) -> None:
    """As if a package that offers this bus were installed."""
    entry = SimpleNamespace(name=name, value="bench:bus", load=lambda: make)

    def entry_points(**wanted: str) -> list[SimpleNamespace]:
        assert wanted["group"] == "branchgate.usb_buses"
        return [entry] if wanted.get("name", name) == name else []

    monkeypatch.setattr(usb_buses, "entry_points", entry_points)


def usb_link(address: str = ADDRESS) -> UsbLink:
    link = open_address(address)
    assert isinstance(link, UsbLink)
    return link


@asynccontextmanager
async def opened(address: str = ADDRESS) -> AsyncIterator[UsbLink]:
    link = usb_link(address)
    await link.open()
    try:
        yield link
    finally:
        await link.close()
