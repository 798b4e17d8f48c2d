"""How a line of strip screens is built from the options of the command line or of a branch.

Knows plain values and constructors; what a screen does with its options is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.kinds import Line, MachineKind
from simulators.machine import ControlError
from simulators.plan import Plan
from simulators.screens.faults import FAULTS, OCCASIONS
from simulators.screens.options import build_line, number
from simulators.screens.strip import StripWire

_RULES = ("", "sum_excludes_tail", "sum_includes_tail")


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """`check` names the only rule of the check byte that these screens take; frames closer than `gap_s` are lost."""
    own = dict(options)
    rule = own.pop("check", "")
    if rule not in _RULES:
        raise ControlError(f"option 'check' must be one of {', '.join(map(repr, _RULES))}, not {rule!r}")
    gap_s = number("gap_s", own.pop("gap_s", 0.0), 0, 10)
    return build_line(devices, own, plan, StripWire(rule, gap_s), range(1, 255))


KIND = MachineKind(build, FAULTS, OCCASIONS)
