"""Device addresses: strict parsing of `serial://`, `tcp://` and `memory://`, and the link that each names.

Knows the grammar and its mistakes, each with its remedy; must not know devices nor open anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from device_drivers.links.link import Link
from device_drivers.links.memory import named_line
from device_drivers.links.serial import SerialAddress, SerialLink
from device_drivers.links.tcp import TcpAddress, TcpLink

BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
_SERIAL_OPTIONS = ("baud", "dtr", "rts")
_FORMS = "serial:///dev/ttyUSB0?baud=9600, tcp://192.0.2.10:4001 or memory://name"


_SENTENCES = {
    "address_spaces": f"{{address}} contains spaces or control characters; write it like {_FORMS}",
    "address_marks": f"{{address}}: an address has neither '#' nor '@'; write it like {_FORMS}",
    "address_no_line": f"{{address}} names no known kind of line; write it like {_FORMS}",
    "address_malformed": f"{{address}}: its port, brackets or options cannot be read; write it like {_FORMS}",
    "address_serial_path": "{address}: a serial line is named by its whole path, with three slashes: "
    "serial:///dev/ttyUSB0",
    "address_baud": "{address}: baud={baud} is not one of {known}; write one of these",
    "address_option_twice": "{address}: an option is given twice; keep one of them",
    "address_option": "{address}: unknown option {option}; a serial line knows {known}",
    "address_level": "{address}: {option} is neither 0 nor 1; write one of the two",
    "address_tcp_end": "{address}: a TCP address ends with its port: tcp://192.0.2.10:4001",
    "address_tcp_port": "{address}: host and port (1..65535) are both needed: tcp://192.0.2.10:4001",
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


Address = SerialAddress | TcpAddress | MemoryAddress


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


def open_address(text: str) -> Link:
    """The link that an address names, not opened yet: its `open()` is the caller's. Raises AddressError."""
    address = parse_address(text)
    if isinstance(address, SerialAddress):
        return SerialLink(address)
    if isinstance(address, TcpAddress):
        return TcpLink(address)
    return named_line(address.name)[0]


def _serial(text: str, parts: SplitResult) -> SerialAddress:
    if parts.netloc or not parts.path.startswith("/") or parts.path.endswith("/"):
        raise AddressError("address_serial_path", address=repr(text))
    options = _options(text, parts.query)
    baud = options.get("baud", "9600")
    if baud not in map(str, BAUDS):
        raise AddressError("address_baud", address=repr(text), baud=baud, known=", ".join(map(str, BAUDS)))
    return SerialAddress(parts.path, int(baud), _level(text, options, "dtr"), _level(text, options, "rts"))


def _options(text: str, query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    options = dict(pairs)
    if len(options) != len(pairs):
        raise AddressError("address_option_twice", address=repr(text))
    unknown = sorted(set(options) - set(_SERIAL_OPTIONS))
    if unknown:
        raise AddressError(
            "address_option", address=repr(text), option=repr(unknown[0]), known=", ".join(_SERIAL_OPTIONS)
        )
    return options


def _level(text: str, options: dict[str, str], name: str) -> bool | None:
    if name not in options:
        return None
    if options[name] not in ("0", "1"):
        raise AddressError("address_level", address=repr(text), option=f"{name}={options[name]}")
    return options[name] == "1"


def _tcp(text: str, parts: SplitResult) -> TcpAddress:
    if parts.path or parts.query:
        raise AddressError("address_tcp_end", address=repr(text))
    if not parts.hostname or not parts.port:
        raise AddressError("address_tcp_port", address=repr(text))
    return TcpAddress(parts.hostname, parts.port)


def _memory(text: str, parts: SplitResult) -> MemoryAddress:
    if not parts.netloc or parts.path or parts.query or ":" in parts.netloc:
        raise AddressError("address_memory", address=repr(text))
    return MemoryAddress(parts.netloc)


_PARSERS: dict[str, Callable[[str, SplitResult], Address]] = {"serial": _serial, "tcp": _tcp, "memory": _memory}
