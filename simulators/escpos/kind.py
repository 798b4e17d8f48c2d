"""How a receipt printer is built from the options of the command line or of a branch.

Knows plain values and the printer's constructor; what it does with its options is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.escpos.faults import FAULTS, OCCASIONS
from simulators.escpos.options import parse_options
from simulators.escpos.printer import EscPosPrinter
from simulators.kinds import Line, MachineKind, only_device
from simulators.plan import Plan


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """One printer, alone on its line."""
    own = dict(options)
    delay_s = own.pop("line_delay_s", 0.0)
    return Line(EscPosPrinter(only_device(devices), parse_options(own), plan), {"line_delay_s": delay_s})


KIND = MachineKind(build, FAULTS, OCCASIONS)
