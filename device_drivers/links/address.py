"""Device addresses: strict parsing of serial, usb, tcp, modbus, ipp and memory addresses, and each one's link.

Knows the grammar and its mistakes, each with its remedy; must not know devices nor open anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from device_drivers.links.ipp_address import IPP_PATH, IPP_PORT, WRITE_TIMEOUT_S, IppAddress
from device_drivers.links.link import Link
from device_drivers.links.memory import named_line
from device_drivers.links.modbus_address import MODBUS_PORT, ModbusTcpAddress
from device_drivers.links.serial import SerialAddress, SerialLink
from device_drivers.links.tcp import TcpAddress, TcpLink
from device_drivers.links.usb_address import UsbAddress

BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
_SERIAL_OPTIONS = ("baud", "dtr", "rts", "flow")
FLOWS = ("none", "rtscts", "xonxoff")
_USB_OPTIONS = ("serial", "interface", "bus")
_FORMS = (
    "serial:///dev/ttyUSB0?baud=9600, usb://04b8:0e15, tcp://192.0.2.10:4001, modbus://192.0.2.20, "
    "ipp://192.0.2.10/ipp/print or memory://name"
)


_SENTENCES = {
    "address_spaces": f"{{address}} contains spaces or control characters; write it like {_FORMS}",
    "address_marks": f"{{address}}: an address has neither '#' nor '@'; write it like {_FORMS}",
    "address_no_line": f"{{address}} names no known kind of line; write it like {_FORMS}",
    "address_malformed": f"{{address}}: its port, brackets or options cannot be read; write it like {_FORMS}",
    "address_serial_path": "{address}: a serial line is named by its whole path, with three slashes: "
    "serial:///dev/ttyUSB0",
    "address_baud": "{address}: baud={baud} is not one of {known}; write one of these",
    "address_flow": "{address}: flow={flow} is not one of {known}; write one of these",
    "address_flow_rts": "{address}: with flow=rtscts the line RTS is not free to be set; leave rts out",
    "address_option_twice": "{address}: an option is given twice; keep one of them",
    "address_option": "{address}: unknown option {option}; a serial line knows {known}",
    "address_level": "{address}: {option} is neither 0 nor 1; write one of the two",
    "address_usb_ids": "{address}: a USB device is named by its vendor and product, four hexadecimal digits each, "
    "as lsusb shows them: usb://04b8:0e15",
    "address_usb_option": "{address}: unknown option {option}; a USB device knows {known}",
    "address_usb_serial": "{address}: serial= is empty; write the serial number, or leave the option out",
    "address_usb_interface": "{address}: interface={interface} is no number from 0 to 255; leave it out to take the "
    "first printer interface",
    "address_usb_bus": "{address}: bus={bus} is not NAME:REST; leave it out for this machine's own",
    "address_tcp_end": "{address}: a TCP address ends with its port: tcp://192.0.2.10:4001",
    "address_tcp_port": "{address}: host and port (1..65535) are both needed: tcp://192.0.2.10:4001",
    "address_modbus": "{address}: a Modbus TCP unit is named by its host, and its port unless it is 502: "
    "modbus://192.0.2.20; a serial server with RTU units behind it is tcp://192.0.2.20:4001",
    "address_ipp": "{address}: a printer is named by host, port unless it is 631, and path: ipp://192.0.2.10/ipp/print",
    "address_memory": "{address}: a memory line has a plain name: memory://name",
    "address_two_settings": "{port} is configured as {first} and as {second}; give all its units the same address",
}


class AddressError(ValueError):
    """An address that cannot be meant: what is wrong and how it should look, as a sentence and as code and places."""

    def __init__(self, code: str, **places: str) -> None:
        super().__init__(_SENTENCES[code].format_map(places))
        self.code = code
        self.places = places


@dataclass(frozen=True, slots=True)
class MemoryAddress:
    """`memory://name`."""

    name: str

    def __str__(self) -> str:
        return f"memory://{self.name}"


Address = SerialAddress | UsbAddress | TcpAddress | ModbusTcpAddress | IppAddress | MemoryAddress


def parse_address(text: str) -> Address:
    """Reads an address. Raises AddressError."""
    if any(ord(char) <= 0x20 or ord(char) == 0x7F for char in text):
        raise AddressError("address_spaces", address=repr(text))
    try:
        parts = urlsplit(text)
        if parts.fragment or parts.username is not None or parts.password is not None:
            raise AddressError("address_marks", address=repr(text))
        return _PARSERS[parts.scheme](text, parts)
    except KeyError:
        raise AddressError("address_no_line", address=repr(text)) from None
    except AddressError:
        raise
    except ValueError as error:
        raise AddressError("address_malformed", address=repr(text)) from error


def bytes_per_s(text: str) -> float:
    """How fast a serial line is, ten bits for each byte; infinite for every other, also one that has no such name."""
    try:
        address = parse_address(text)
    except AddressError:
        return math.inf
    return address.baud / 10 if isinstance(address, SerialAddress) else math.inf


def open_address(text: str) -> Link:
    """The link that an address names, not opened yet: its `open()` is the caller's. Raises AddressError."""
    address = parse_address(text)
    if isinstance(address, SerialAddress):
        return SerialLink(address)
    if isinstance(address, UsbAddress):
        from device_drivers.links.usb import UsbLink  # pyusb, for who has a device at USB

        return UsbLink(address)
    if isinstance(address, (TcpAddress, ModbusTcpAddress)):
        return TcpLink(address)
    if isinstance(address, IppAddress):
        return TcpLink(address, write_timeout_s=WRITE_TIMEOUT_S)
    return named_line(address.name)[0]


def _serial(text: str, parts: SplitResult) -> SerialAddress:
    if parts.netloc or not parts.path.startswith("/") or parts.path.endswith("/"):
        raise AddressError("address_serial_path", address=repr(text))
    options = _options(text, parts.query)
    if unknown := _unknown(options, _SERIAL_OPTIONS):
        raise AddressError("address_option", address=repr(text), option=unknown, known=", ".join(_SERIAL_OPTIONS))
    baud = options.get("baud", "9600")
    if baud not in map(str, BAUDS):
        raise AddressError("address_baud", address=repr(text), baud=baud, known=", ".join(map(str, BAUDS)))
    flow = options.get("flow", "none")
    if flow not in FLOWS:
        raise AddressError("address_flow", address=repr(text), flow=flow, known=", ".join(FLOWS))
    if flow == "rtscts" and "rts" in options:
        raise AddressError("address_flow_rts", address=repr(text))
    return SerialAddress(parts.path, int(baud), _level(text, options, "dtr"), _level(text, options, "rts"), flow)


def _options(text: str, query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    options = dict(pairs)
    if len(options) != len(pairs):
        raise AddressError("address_option_twice", address=repr(text))
    return options


def _unknown(options: dict[str, str], known: tuple[str, ...]) -> str:
    """The first option that is not known, quoted; "" when all are."""
    return next((repr(name) for name in sorted(set(options) - set(known))), "")


def _level(text: str, options: dict[str, str], name: str) -> bool | None:
    if name not in options:
        return None
    if options[name] not in ("0", "1"):
        raise AddressError("address_level", address=repr(text), option=f"{name}={options[name]}")
    return options[name] == "1"


def _usb(text: str, parts: SplitResult) -> UsbAddress:
    ids = re.fullmatch("([0-9a-fA-F]{4}):([0-9a-fA-F]{4})", parts.netloc)
    if ids is None or parts.path:
        raise AddressError("address_usb_ids", address=repr(text))
    options = _options(text, parts.query)
    if unknown := _unknown(options, _USB_OPTIONS):
        raise AddressError("address_usb_option", address=repr(text), option=unknown, known=", ".join(_USB_OPTIONS))
    if options.get("serial") == "":
        raise AddressError("address_usb_serial", address=repr(text))
    interface, bus = options.get("interface"), options.get("bus")
    if interface is not None and (not re.fullmatch("[0-9]{1,3}", interface) or int(interface) > 255):
        raise AddressError("address_usb_interface", address=repr(text), interface=interface)
    if bus is not None and not re.fullmatch("[A-Za-z0-9_-]+:.*", bus, re.DOTALL):
        raise AddressError("address_usb_bus", address=repr(text), bus=bus)
    number = None if interface is None else int(interface)
    return UsbAddress(int(ids[1], 16), int(ids[2], 16), options.get("serial", ""), number, bus or "")


def _tcp(text: str, parts: SplitResult) -> TcpAddress:
    if parts.path or parts.query:
        raise AddressError("address_tcp_end", address=repr(text))
    if not parts.hostname or not parts.port:
        raise AddressError("address_tcp_port", address=repr(text))
    return TcpAddress(parts.hostname, parts.port)


def _modbus(text: str, parts: SplitResult) -> ModbusTcpAddress:
    if parts.path or parts.query or not parts.hostname or parts.port == 0:
        raise AddressError("address_modbus", address=repr(text))
    return ModbusTcpAddress(parts.hostname, parts.port or MODBUS_PORT)


def _ipp(text: str, parts: SplitResult) -> IppAddress:
    path = parts.path or IPP_PATH
    if parts.query or not parts.hostname or parts.port == 0 or not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
        raise AddressError("address_ipp", address=repr(text))
    return IppAddress(parts.hostname, parts.port or IPP_PORT, path)


def _memory(text: str, parts: SplitResult) -> MemoryAddress:
    if not parts.netloc or parts.path or parts.query or ":" in parts.netloc:
        raise AddressError("address_memory", address=repr(text))
    return MemoryAddress(parts.netloc)


_PARSERS: dict[str, Callable[[str, SplitResult], Address]] = {
    "serial": _serial,
    "usb": _usb,
    "tcp": _tcp,
    "modbus": _modbus,
    "ipp": _ipp,
    "memory": _memory,
}
