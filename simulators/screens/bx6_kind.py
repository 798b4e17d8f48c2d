"""How a line of BX-6 controllers is built from the options of the command line or of a branch.

Knows plain values and constructors; what a screen does with its options is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.kinds import Line, MachineKind
from simulators.plan import Plan
from simulators.screens.bx6 import Bx6Wire
from simulators.screens.faults import FAULTS, OCCASIONS
from simulators.screens.options import build_line


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """Several controllers may share one line, each with its address."""
    return build_line(devices, options, plan, Bx6Wire(), range(1, 0xFFFE))


KIND = MachineKind(build, FAULTS, OCCASIONS)
