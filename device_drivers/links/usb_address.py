"""How a USB device is named: `usb://04b8:0e15?serial=…&interface=…&bus=…`.

Knows what the address holds and how it is written; must not know what is plugged in.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode


@dataclass(frozen=True, slots=True)
class UsbAddress:
    """`usb://04b8:0e15`. `interface` None: the first printer interface; `bus` "": this machine's own."""

    vendor: int
    product: int
    serial: str = ""
    interface: int | None = None
    bus: str = ""

    @property
    def ids(self) -> str:
        """`04b8:0e15`, as `lsusb` shows it."""
        return f"{self.vendor:04x}:{self.product:04x}"

    def __str__(self) -> str:
        options = {"serial": self.serial, "interface": self.interface, "bus": self.bus}
        given = {name: value for name, value in options.items() if value not in ("", None)}
        query = urlencode(given, quote_via=quote, safe=":[]./")
        return f"usb://{self.ids}" + (f"?{query}" if query else "")
