"""How a document printer is built from the options of the command line or of a branch.

Knows plain values, the printer's constructor and its port; what it does with its options is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulators.ipp.faults import FAULTS, OCCASIONS
from simulators.ipp.options import parse_options
from simulators.ipp.port import IppPort
from simulators.ipp.printer import IppPrinter
from simulators.kinds import Line, MachineKind, only_device
from simulators.plan import Plan

if TYPE_CHECKING:
    from simulators.runtime import Port, Runtime


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """One printer with a network plug of its own."""
    printer = IppPrinter(only_device(devices), parse_options(options), plan)

    async def open_port(listen: str, runtime: Runtime) -> Port:
        port = IppPort(printer, runtime.feed)
        await port.listen(listen)
        return port

    return Line(printer, open_port=open_port)


KIND = MachineKind(build, FAULTS, OCCASIONS)
