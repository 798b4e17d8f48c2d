"""How a code scanner is built from the options of the command line or of a branch.

Knows plain values and constructors; what it does with them is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.kinds import Line, MachineKind, only_device
from simulators.machine import ControlError
from simulators.plan import Plan
from simulators.scanner.faults import FAULTS, OCCASIONS
from simulators.scanner.scanner import Scanner

_DEFAULTS = {"prefix_hex": "", "suffix_hex": "0D"}


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """`prefix_hex` and `suffix_hex` stand around each code."""
    own = dict(options)
    tcp = {"line_delay_s": own.pop("line_delay_s", 0.0)}
    if unknown := sorted(set(own) - set(_DEFAULTS)):
        raise ControlError(f"option {unknown[0]!r} is not known; known are {', '.join(_DEFAULTS)}, line_delay_s")
    prefix, end = (_hex(key, own.get(key, default)) for key, default in _DEFAULTS.items())
    return Line(Scanner(only_device(devices), prefix, end, plan), tcp)


def _hex(key: str, value: Any) -> bytes:
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError) as error:
        raise ControlError(f"option {key!r} must be hexadecimal bytes such as '0D 0A', not {value!r}") from error


KIND = MachineKind(build, FAULTS, OCCASIONS)
