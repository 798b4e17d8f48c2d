"""How a line of digit displays in their ASCII form is built from the options of the command line or of a branch.

Knows plain values and constructors; as Modbus units they are made by `modbus`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.kinds import Line, MachineKind
from simulators.plan import Plan
from simulators.screens.faults import FAULTS, OCCASIONS
from simulators.screens.led485 import Led485Wire
from simulators.screens.options import build_line


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """Several displays may share one line, each with its address."""
    return build_line(devices, {"columns": 6, **options}, plan, Led485Wire(), range(1, 248))


KIND = MachineKind(build, FAULTS, OCCASIONS)
