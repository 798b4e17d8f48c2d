"""Addresses: what each names, and that each mistake is answered with its remedy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.links.address import Address, AddressError, MemoryAddress, open_address, parse_address
from device_drivers.links.ipp_address import IppAddress
from device_drivers.links.memory import MemoryEnd, named_line
from device_drivers.links.modbus_address import ModbusTcpAddress
from device_drivers.links.serial import SerialAddress, SerialLink
from device_drivers.links.tcp import TcpAddress, TcpLink
from device_drivers.links.usb import UsbLink
from device_drivers.links.usb_address import UsbAddress


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("serial:///dev/ttyUSB0", SerialAddress("/dev/ttyUSB0")),
        ("serial:///dev/ttyUSB0?baud=19200", SerialAddress("/dev/ttyUSB0", 19200)),
        ("serial:///dev/ttyS1?flow=xonxoff", SerialAddress("/dev/ttyS1", 9600, flow="xonxoff")),
        ("serial:///dev/ttyS1?baud=9600&dtr=0&rts=1", SerialAddress("/dev/ttyS1", 9600, dtr=False, rts=True)),
        ("serial:///dev/serial/by-id/usb-1a86:7523-if00", SerialAddress("/dev/serial/by-id/usb-1a86:7523-if00")),
        ("tcp://127.0.0.1:4001", TcpAddress("127.0.0.1", 4001)),
        ("tcp://[::1]:4001", TcpAddress("::1", 4001)),
        ("tcp://moxa.branch:950", TcpAddress("moxa.branch", 950)),
        ("ipp://192.0.2.10", IppAddress("192.0.2.10", 631, "/ipp/print")),
        ("ipp://printer.branch/ipp/print", IppAddress("printer.branch", 631, "/ipp/print")),
        ("ipp://[::1]:8631/printers/a4-1", IppAddress("::1", 8631, "/printers/a4-1")),
        ("modbus://192.0.2.20", ModbusTcpAddress("192.0.2.20", 502)),
        ("modbus://[::1]:1502", ModbusTcpAddress("::1", 1502)),
        ("memory://card-1", MemoryAddress("card-1")),
        ("usb://04b8:0e15", UsbAddress(0x04B8, 0x0E15)),
        ("usb://04B8:0E15?serial=A%201%262&interface=1", UsbAddress(0x04B8, 0x0E15, "A 1&2", 1)),
        ("usb://0519:0003?bus=other:127.0.0.1:7000", UsbAddress(0x0519, 3, bus="other:127.0.0.1:7000")),
    ],
)
def test_each_form_is_read_and_written_back(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "names no known kind of line; write it like serial://"),
        ("/dev/ttyUSB0", "names no known kind of line"),
        ("lpt://1", "names no known kind of line"),
        ("usb://", "usb://04b8:0e15"),
        ("usb://04b8", "four hexadecimal digits each"),
        ("usb://4b8:e15", "four hexadecimal digits each"),
        ("usb://04b8:0e1g", "four hexadecimal digits each"),
        ("usb://04b8:0e15/", "four hexadecimal digits each"),
        ("usb:///dev/usb/lp0", "four hexadecimal digits each"),
        ("usb://04b8:0e15?baud=9600", "unknown option 'baud'; a USB device knows serial, interface, bus"),
        ("usb://04b8:0e15?serial=", "serial= is empty"),
        ("usb://04b8:0e15?interface=first", "interface=first is no number"),
        ("usb://04b8:0e15?interface=256", "interface=256 is no number"),
        ("usb://04b8:0e15?bus=other", "bus=other is not NAME:REST"),
        ("usb://04b8:0e15?bus=:1", "bus=:1 is not NAME:REST"),
        ("usb://04b8:0e15?serial=1&serial=2", "given twice"),
        ("serial://dev/ttyUSB0", "three slashes"),
        ("serial://", "three slashes"),
        ("serial:///dev/", "three slashes"),
        ("serial:///dev/ttyUSB0?baud=9601", "baud=9601 is not one of 1200"),
        ("serial:///dev/ttyUSB0?baud=", "baud= is not one of"),
        ("serial:///dev/ttyUSB0?speed=9600", "unknown option 'speed'; a serial line knows baud, dtr, rts, flow"),
        ("serial:///dev/ttyUSB0?baud=9600&baud=9600", "given twice"),
        ("serial:///dev/ttyUSB0?flow=dsrdtr", "flow=dsrdtr is not one of none, rtscts, xonxoff"),
        ("serial:///dev/ttyUSB0?flow=rtscts&rts=1", "leave rts out"),
        ("serial:///dev/ttyUSB0?dtr=on", "dtr=on is neither 0 nor 1"),
        ("serial:///dev/ttyUSB0?baud", "write it like serial://"),
        ("serial:///dev/tty USB0", "spaces"),
        ("serial:///dev/ttyUSB0#1", "neither '#' nor '@'"),
        ("tcp://127.0.0.1", "host and port"),
        ("tcp://:4001", "host and port"),
        ("tcp://127.0.0.1:0", "host and port"),
        ("tcp://127.0.0.1:70000", "write it like"),
        ("tcp://127.0.0.1:http", "write it like"),
        ("tcp://127.0.0.1:4001/", "ends with its port"),
        ("tcp://127.0.0.1:4001?baud=9600", "ends with its port"),
        ("ipp:///ipp/print", "named by host"),
        ("ipp://192.0.2.10/ipp/", "named by host"),
        ("ipp://192.0.2.10/ipp/print?x=1", "named by host"),
        ("ipp://192.0.2.10:0/ipp/print", "named by host"),
        ("tcp://me:secret@127.0.0.1:4001", "neither '#' nor '@'"),
        ("tcp://[::1:4001", "write it like"),
        ("memory://", "plain name"),
        ("memory://a/b", "plain name"),
    ],
)
def test_each_mistake_names_its_remedy(text: str, remedy: str) -> None:
    with pytest.raises(AddressError) as mistake:
        parse_address(text)
    assert remedy in str(mistake.value)


USB = st.text().map("usb://".__add__) | st.builds(
    "usb://04b8:0e15?{}={}".format, st.sampled_from(["serial", "interface", "bus"]), st.text()
)


@given(st.one_of(st.text(), st.text().map("serial:///dev/".__add__), st.text().map("tcp://".__add__), USB))
def test_any_text_is_an_address_or_a_clear_error(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError as error:
        told = str(error)
    else:
        told = repr(text)
        assert parse_address(str(address)) == address
    assert repr(text) in told


def test_the_link_of_an_address_is_not_opened_yet() -> None:
    assert isinstance(open_address("serial:///dev/does-not-exist"), SerialLink)
    assert isinstance(open_address("tcp://192.0.2.1:4001"), TcpLink)
    assert open_address("ipp://192.0.2.1").describe() == "ipp://192.0.2.1:631/ipp/print"
    assert isinstance(open_address("usb://04b8:0e15"), UsbLink)
    link = open_address("memory://some")
    assert isinstance(link, MemoryEnd)
    assert link is named_line("some")[0]
    assert link.describe() == "memory://some"
