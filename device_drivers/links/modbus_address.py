"""Where a unit that speaks Modbus TCP is found; a serial server with RTU behind it is an address tcp:// instead.

Knows how the address is written; must not know frames nor units.
"""

from __future__ import annotations

from dataclasses import dataclass

MODBUS_PORT = 502


@dataclass(frozen=True, slots=True)
class ModbusTcpAddress:
    """`modbus://192.0.2.20`, and with a port unless it is 502."""

    host: str
    port: int = MODBUS_PORT

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"modbus://{host}:{self.port}"
