"""The plug of a unit that speaks Modbus TCP itself: a TCP port that is told to the agent as `modbus://`.

Knows addresses only.
"""

from __future__ import annotations

from simulators.control import split_address
from simulators.machine import ControlError
from simulators.runtime import Port, Runtime
from simulators.tcp_port import TcpPort


class ModbusTcpPort(TcpPort):
    """One client at a time, as small modules have it."""

    @property
    def address(self) -> str:
        """As the agent's device address."""
        return "modbus" + super().address.removeprefix("tcp")


async def open_modbus_port(listen: str, runtime: Runtime) -> Port:
    """Listens where it is told."""
    if not listen.startswith("tcp:"):
        raise ControlError(f"a line with framing tcp listens on tcp:127.0.0.1:PORT, not {listen!r}")
    _, host, number = split_address(listen)
    port = ModbusTcpPort(runtime.feed, on_host=runtime.host)
    await port.listen(host, number)
    return port
