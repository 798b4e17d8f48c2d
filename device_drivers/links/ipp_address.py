"""The address of a printer that speaks IPP, `ipp://host[:port][/path]`; its line is a TCP connection.

Knows the default port and path and how long a printer may take nothing; must not know HTTP nor IPP.
"""

from __future__ import annotations

from dataclasses import dataclass

IPP_PORT = 631
IPP_PATH = "/ipp/print"  # of IPP Everywhere printers
WRITE_TIMEOUT_S = 15.0  # a printer that prints while it receives stops the sender for a page or two


@dataclass(frozen=True, slots=True)
class IppAddress:
    """`ipp://192.0.2.10:631/ipp/print`."""

    host: str
    port: int
    path: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ipp://{host}:{self.port}{self.path}"
