"""The simulated bus: it refuses what a real one refuses, and a printer behind it prints and answers in its own time."""

from __future__ import annotations

import errno
import importlib
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import usb.core  # type: ignore[import-untyped]
import usb.util  # type: ignore[import-untyped]

from simulators.escpos import EscPosPrinter, parse_options
from simulators.machine import Effect
from simulators.usb_bus import LocalHub, UsbBus, simulated
from simulators.usb_device import UsbDevice
from simulators.usb_ends import MachineEnd, PlainEnd
from simulators.usb_model import UsbInterface, UsbModel
from simulators.usb_remote import decoded, encoded, model_of, words_of
from tests.simulators.receipt_bench import proof, receipt

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def plugged(model: UsbModel | None = None) -> tuple[UsbDevice, PlainEnd, LocalHub]:
    end = PlainEnd()
    device = UsbDevice(model or UsbModel(driver=False), end)
    return device, end, LocalHub(device)


def seen(hub: LocalHub) -> usb.core.Device:
    return usb.core.find(backend=UsbBus(hub), idVendor=0x04B8)


def number_of(error: pytest.ExceptionInfo[usb.core.USBError]) -> tuple[int, int]:
    return error.value.errno, error.value.backend_error_code


def test_pyusb_shows_the_device_as_it_describes_itself() -> None:
    _, _, hub = plugged(UsbModel(interfaces=(UsbInterface(), UsbInterface(alternate=1), UsbInterface(1, bulk_in=None))))
    device = seen(hub)
    assert (device.manufacturer, device.product, device.serial_number) == ("EPSON", "TM-T88VI", "SIM0001")
    settings = [(one.bInterfaceNumber, one.bAlternateSetting, one.bNumEndpoints) for one in device[0]]
    assert settings == [(0, 0, 2), (0, 1, 2), (1, 0, 1)]
    assert "CONFIGURATION 1" in str(device)


def test_what_is_not_claimed_or_held_by_another_is_refused_as_by_the_kernel() -> None:
    device, _, hub = plugged(UsbModel())
    first, second = seen(hub), seen(hub)
    with pytest.raises(usb.core.USBError) as error:
        first.write(1, b"x")
    assert number_of(error) == (errno.EBUSY, -6)
    first.detach_kernel_driver(0)
    with pytest.raises(usb.core.USBError) as error:
        first.detach_kernel_driver(0)
    assert number_of(error) == (errno.ENOENT, -5)
    first.write(1, b"x")
    calls: list[Callable[[], object]] = [
        lambda: second.write(1, b"y"),
        lambda: first.attach_kernel_driver(0),
        first.set_configuration,
    ]
    for call in calls:
        with pytest.raises(usb.core.USBError) as error:
            call()
        assert number_of(error) == (errno.EBUSY, -6)
    usb.util.dispose_resources(first)
    second.write(1, b"z")
    assert set(device.claims) == {0}


def test_a_device_that_returns_has_a_new_number_and_old_handles_are_dead() -> None:
    device, end, hub = plugged()
    before = seen(hub)
    before.write(1, b"x")
    device.unplug()
    assert seen(hub) is None
    device.plug()
    calls: list[Callable[[], object]] = [
        lambda: before.write(1, b"y"),
        lambda: before.read(0x82, 64),
        lambda: before.clear_halt(1),
    ]
    for call in calls:
        with pytest.raises(usb.core.USBError) as error:
            call()
        assert number_of(error) == (errno.ENODEV, -4)
    after = seen(hub)
    assert after.address > before.address
    after.write(1, b"z")
    assert bytes(end.received) == b"xz"


def test_silence_and_a_full_device_are_time_outs_and_a_part_is_no_error() -> None:
    _, end, hub = plugged()
    device = seen(hub)
    end.takes = 3
    assert device.write(1, b"12345", 500) == 3
    calls: list[Callable[[], object]] = [lambda: device.write(1, b"45", 500), lambda: device.read(0x82, 64, 500)]
    for call in calls:
        with pytest.raises(usb.core.USBTimeoutError) as error:
            call()
        assert number_of(error) == (errno.ETIMEDOUT, -7)
    assert end.waited_s == pytest.approx(1.0)


def test_a_soft_reset_is_counted_and_unknown_requests_stall() -> None:
    device, _, hub = plugged()
    host = seen(hub)
    host.ctrl_transfer(0x21, 2, 0, 0, None)
    assert device.soft_resets == 1
    with pytest.raises(usb.core.USBError) as error:
        host.ctrl_transfer(0xA1, 9, 0, 0, 8)
    assert number_of(error) == (errno.EPIPE, -9)


def test_a_printer_behind_the_bus_proves_its_receipt_in_its_own_time() -> None:
    end = MachineEnd(EscPosPrinter("receipt-1", parse_options({"cutter_dots": 0})))
    end.device = UsbDevice(UsbModel(driver=False), end)
    host = seen(LocalHub(end.device))
    host.write(1, bytes.fromhex(receipt("O-1/receipt/1", "0001", "一张卡")))
    assert bytes(host.read(0x82, 64, 60_000)) == proof("0001")
    assert 0.2 < end.now < 60
    assert [effect.act for effect in end.effects if effect.kind == "act"] == ["sheet_out"]
    assert isinstance(end.effects[0], Effect)
    with pytest.raises(usb.core.USBTimeoutError):
        host.read(0x82, 64, 1000)


def test_a_printer_that_is_full_takes_the_rest_once_it_has_printed() -> None:
    printer = EscPosPrinter("receipt-1", parse_options({"cutter_dots": 0, "buffer_bytes": 1024}))
    end = MachineEnd(printer)
    host = seen(LocalHub(UsbDevice(UsbModel(driver=False), end)))
    for _ in range(10):
        host.write(1, b"x" * 400 + b"\n", 60_000)
    assert printer.lost_bytes == 0
    assert end.now > 0


def test_the_ports_status_is_the_printers() -> None:
    printer = EscPosPrinter("receipt-1", parse_options({}))
    assert printer.port_status() == 0x18
    printer.condition.paper_end = True
    assert printer.port_status() == 0x28
    printer.condition.unrecoverable = True
    assert printer.port_status() == 0x20
    printer.power_off(None, 1.0)
    assert printer.port_status() is None


def test_what_passes_on_the_wire_comes_back_as_it_was() -> None:
    model = UsbModel(serial="X", interfaces=(UsbInterface(1, kind=(255, 0, 0), bulk_in=None),))
    message = {"do": "write", "args": [1, b"\x1b@"], "model": words_of(model)}
    back = decoded(encoded(message))
    assert (back["args"], model_of(back["model"])) == ([1, b"\x1b@"], model)
    with pytest.raises(TypeError):
        model_of({"colour": "white"})
    for line in (b"[]", b"nonsense", b'{"hex": "0g"}'):
        with pytest.raises((TypeError, ValueError)):
            decoded(line)


def test_the_package_offers_the_bus_to_addresses() -> None:
    offered = tomllib.loads(PYPROJECT.read_text())["project"]["entry-points"]["branchgate.usb_buses"]
    module, _, name = offered["simulated"].partition(":")
    assert getattr(importlib.import_module(module), name) is simulated
    for rest in ("", "here", "127.0.0.1:", "127.0.0.1:x"):
        with pytest.raises(ValueError, match=r"127\.0\.0\.1:PORT"):
            simulated(rest)


def test_a_simulator_that_is_not_there_is_a_device_that_is_not_plugged_in() -> None:
    assert list(usb.core.find(find_all=True, backend=simulated("127.0.0.1:1"))) == []
