"""Addresses: what each names, and that each mistake is answered with its remedy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.links.address import AddressError, MemoryAddress, open_address, parse_address
from device_drivers.links.memory import MemoryEnd, named_line
from device_drivers.links.serial import SerialAddress, SerialLink
from device_drivers.links.tcp import TcpAddress, TcpLink


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("serial:///dev/ttyUSB0", SerialAddress("/dev/ttyUSB0")),
        ("serial:///dev/ttyUSB0?baud=19200", SerialAddress("/dev/ttyUSB0", 19200)),
        ("serial:///dev/ttyS1?baud=9600&dtr=0&rts=1", SerialAddress("/dev/ttyS1", 9600, dtr=False, rts=True)),
        ("serial:///dev/serial/by-id/usb-1a86:7523-if00", SerialAddress("/dev/serial/by-id/usb-1a86:7523-if00")),
        ("tcp://127.0.0.1:4001", TcpAddress("127.0.0.1", 4001)),
        ("tcp://[::1]:4001", TcpAddress("::1", 4001)),
        ("tcp://moxa.branch:950", TcpAddress("moxa.branch", 950)),
        ("memory://card-1", MemoryAddress("card-1")),
    ],
)
def test_each_form_is_read_and_written_back(text: str, address: SerialAddress | TcpAddress | MemoryAddress) -> None:
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "names no known kind of line; write it like serial://"),
        ("/dev/ttyUSB0", "names no known kind of line"),
        ("usb://1234:5678", "names no known kind of line"),
        ("serial://dev/ttyUSB0", "three slashes"),
        ("serial://", "three slashes"),
        ("serial:///dev/", "three slashes"),
        ("serial:///dev/ttyUSB0?baud=9601", "baud=9601 is not one of 1200"),
        ("serial:///dev/ttyUSB0?baud=", "baud= is not one of"),
        ("serial:///dev/ttyUSB0?speed=9600", "unknown option 'speed'; a serial line knows baud, dtr, rts"),
        ("serial:///dev/ttyUSB0?baud=9600&baud=9600", "given twice"),
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


@given(st.one_of(st.text(), st.text().map("serial:///dev/".__add__), st.text().map("tcp://".__add__)))
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
    link = open_address("memory://some")
    assert isinstance(link, MemoryEnd)
    assert link is named_line("some")[0]
    assert link.describe() == "memory://some"
