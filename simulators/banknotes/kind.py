"""How a banknote counter is built from the options of the command line or of a branch.

Knows plain values and the counter's constructor; what it does is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.banknotes.counter import BanknoteCounter
from simulators.banknotes.faults import FAULTS, OCCASIONS
from simulators.banknotes.options import parse_options
from simulators.kinds import Line, MachineKind, only_device
from simulators.plan import Plan


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """One counter on a line of its own."""
    own = dict(options)
    delay_s = own.pop("line_delay_s", 0.0)
    return Line(BanknoteCounter(only_device(devices), parse_options(own), plan), {"line_delay_s": delay_s})


KIND = MachineKind(build, FAULTS, OCCASIONS)
