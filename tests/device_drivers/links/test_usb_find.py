"""Which device and which interface an address means, and that each reason why not comes with its remedy."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest
from usb.backend import libusb1  # type: ignore[import-untyped]

from device_drivers.links.address import parse_address
from device_drivers.links.link import LinkError
from device_drivers.links.usb_address import UsbAddress
from device_drivers.links.usb_list import alike, plugged
from simulators.usb_bus import UsbBus
from simulators.usb_device import UsbFault
from simulators.usb_model import UsbInterface, UsbModel
from tests.device_drivers.links import usb_bench
from tests.device_drivers.links.usb_bench import ADDRESS, Bench, offer, opened, usb_link

bench, _no_leftover_thread = usb_bench.bench, usb_bench._no_leftover_thread


async def refused(address: str = ADDRESS) -> str:
    link = usb_link(address)
    with pytest.raises(LinkError) as error:
        await link.open()
    assert error.value.address == address
    await link.close()
    return error.value.why


async def test_the_device_is_found_among_others_and_written(bench: Bench) -> None:
    bench.add(UsbModel(vendor=0x1D6B, product=2, interfaces=(UsbInterface(kind=(9, 0, 0), bulk_out=None),)))
    _, end = bench.add()
    async with opened() as link:
        await link.write(b"\x1b@")
    assert bytes(end.received) == b"\x1b@"


async def test_what_is_not_there_is_told_with_what_is(bench: Bench) -> None:
    assert "plugged in is: nothing" in await refused()
    bench.add(UsbModel(vendor=0x0519, product=3))
    bench.add(UsbModel(vendor=0x1D6B, product=2))
    assert "plugged in is: 0519:0003, 1d6b:0002" in await refused()


async def test_of_two_alike_neither_is_taken_unless_named(bench: Bench) -> None:
    stranger, first = bench.add(UsbModel(serial="A1"))
    meant, second = bench.add(UsbModel(serial="A2"))
    assert "2 alike are plugged in; add serial= to the address, one of: A1, A2" in await refused()
    assert not stranger.handles | meant.handles
    async with opened("usb://04b8:0e15?serial=A2&bus=bench:") as link:
        await link.write(b"x")
        assert (len(stranger.handles), len(meant.handles)) == (0, 1)
    assert not meant.handles
    assert (bytes(first.received), bytes(second.received)) == (b"", b"x")
    assert "none of those plugged in has the serial number 'A3'; they have: A1, A2" in await refused(
        "usb://04b8:0e15?serial=A3&bus=bench:"
    )


async def test_a_device_without_a_serial_number_is_told_so(bench: Bench) -> None:
    bench.add(UsbModel(serial=""))
    assert "they have: (none)" in await refused("usb://04b8:0e15?serial=A3&bus=bench:")


@pytest.mark.parametrize("address", [ADDRESS, "usb://04b8:0e15?serial=SIM0001&bus=bench:"])
async def test_a_device_that_may_not_be_opened_is_told_with_the_udev_rule(bench: Bench, address: str) -> None:
    device, _ = bench.add()
    device.denied = True
    assert "permission denied; add a udev rule" in await refused(address)
    device.denied = False
    async with opened(address):
        pass


async def test_an_interface_is_held_by_one_only(bench: Bench) -> None:
    bench.add()
    async with opened():
        assert "another program holds the port" in await refused()
    async with opened() as link:
        await link.write(b"x")


async def test_the_kernels_driver_gives_way_and_gets_its_interface_back(bench: Bench) -> None:
    device, _ = bench.add()
    assert device.drivers == {0}
    async with opened():
        assert (device.drivers, set(device.claims)) == (set(), {0})
    assert (device.drivers, set(device.claims)) == ({0}, set())


async def test_the_kernels_driver_is_put_back_after_a_failed_opening(bench: Bench) -> None:
    device, _ = bench.add()

    def stranger(moment: str, operation: str) -> None:
        if (moment, operation) == ("before", "claim"):
            raise UsbFault(errno.EBUSY)

    device.watch = stranger
    assert "another program holds the port" in await refused()
    assert device.drivers == {0}


async def test_a_driver_that_was_not_there_is_not_called(bench: Bench) -> None:
    device, _ = bench.add(UsbModel(driver=False))
    async with opened():
        pass
    assert device.drivers == set()


async def test_a_system_without_kernel_drivers_needs_none(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(UsbBus, "is_kernel_driver_active", unknown)
    _, end = bench.add(UsbModel(driver=False))
    async with opened() as link:
        await link.write(b"x")
    assert bytes(end.received) == b"x"


SCANNER = UsbInterface(0, kind=(0xFF, 0, 0), bulk_out=0x03, bulk_in=0x84)


async def test_the_first_printer_interface_is_taken_or_the_one_that_is_named(bench: Bench) -> None:
    device, _ = bench.add(UsbModel(interfaces=(SCANNER, UsbInterface(1), UsbInterface(2, bulk_out=5, bulk_in=0x86))))
    for option, number in (("", 1), ("interface=2&", 2), ("interface=0&", 0)):
        async with opened(f"usb://04b8:0e15?{option}bus=bench:"):
            assert set(device.claims) == {number}
    assert "has no interface 3" in await refused("usb://04b8:0e15?interface=3&bus=bench:")


@pytest.mark.parametrize("kind", [(7, 1, 4), (7, 1, 3), (3, 0, 0), (7, 2, 2)])
async def test_packets_and_strangers_are_no_printer_stream(bench: Bench, kind: tuple[int, int, int]) -> None:
    device, _ = bench.add(UsbModel(interfaces=(UsbInterface(kind=kind),)))
    assert "has no printer interface" in await refused()
    assert not device.claims


async def test_the_setting_that_answers_is_preferred(bench: Bench) -> None:
    one_way, two_way = UsbInterface(kind=(7, 1, 1), bulk_in=None), UsbInterface(alternate=1, bulk_out=2, bulk_in=0x83)
    _, end = bench.add(UsbModel(interfaces=(one_way, two_way)))
    async with opened() as link:
        end.outgoing += b"x"
        assert await link.read(10, 1) == b"x"
        await link.write(b"y")
    assert bytes(end.received) == b"y"


async def test_a_device_is_configured_only_where_it_is_not_yet(bench: Bench) -> None:
    asked: list[str] = []
    device, _ = bench.add()
    device.watch = lambda moment, operation: asked.append(operation) if moment == "before" else None
    async with opened():
        pass
    assert "set_configuration" not in asked
    device, end = bench.add(UsbModel(product=0x0E20, configured=False, driver=False))
    async with opened("usb://04b8:0e20?bus=bench:") as link:
        await link.write(b"x")
    assert bytes(end.received) == b"x"


async def test_a_bus_that_nobody_offers_is_told_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "other", lambda _rest: None)
    assert "there is no USB bus named 'bench'; known are: other" in await refused()


async def test_a_bus_that_does_not_open_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(rest: str) -> None:
        raise LookupError(f"no such port {rest}")

    offer(monkeypatch, "bench", broken)
    assert "does not open: LookupError('no such port 17')" in await refused("usb://04b8:0e15?bus=bench:17")


async def test_a_machine_without_libusb_is_told_which_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libusb1, "get_backend", lambda: None)
    assert "install the package libusb-1.0-0" in await refused("usb://04b8:0e15")


async def test_without_the_option_the_bus_is_libusbs_and_stays_open(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    monkeypatch.setattr(bench.hub, "close", lambda: closed.append("bus"))
    _, end = bench.add()
    own = bench.bus("")
    monkeypatch.setattr(libusb1, "get_backend", lambda: own)
    async with opened("usb://04b8:0e15") as link:
        await link.write(b"x")
    assert (bytes(end.received), closed) == (b"x", [])
    async with opened():
        pass
    assert closed == ["bus"]


async def test_the_bus_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "somebus-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: somebus\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[branchgate.usb_buses]\nsomebus = simulators.usb_bus:simulated\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "write bus=simulated:127.0.0.1:PORT, not 'here'" in await refused("usb://04b8:0e15?bus=somebus:here")


async def test_descriptors_that_lie_are_an_error_of_the_line(bench: Bench) -> None:
    def lie(moment: str, operation: str) -> None:
        if (moment, operation) == ("amid", "get_configuration"):
            raise UsbFault(errno.EIO)

    device, _ = bench.add(replace(UsbModel(), serial="A1"))
    device.watch = lie
    assert "a transfer failed" in await refused()


def test_what_is_plugged_in_is_listed_printers_first_as_addresses(bench: Bench) -> None:
    bench.add()
    (one,) = plugged("bench:")
    assert (one.address, one.maker, one.printer) == ("usb://04b8:0e15?serial=SIM0001", "EPSON", True)
    assert str(parse_address(one.address)) == one.address
    assert alike(UsbAddress(0x04B8, 0x0E15, "", None, "bench:")) == (1, ["04b8:0e15"])
    assert alike(UsbAddress(0x04B8, 0x0E16, "", None, "bench:")) == (0, ["04b8:0e15"])
