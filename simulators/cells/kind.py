"""How a cabinet on lock boards is built from the options of the command line or of a branch.

Knows plain values and the line's constructor; what it does is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.cells.faults import FAULTS, OCCASIONS
from simulators.cells.line import LockBoards
from simulators.cells.options import parse_options
from simulators.kinds import Line, MachineKind, only_device
from simulators.machine import ControlError
from simulators.plan import Plan


def build(devices: Mapping[str, int], options: Mapping[str, Any], plan: Plan | None) -> Line:
    """One cabinet; its locks are on the board of the unit that is given, on board 1 where none is."""
    own = dict(options)
    tcp = {"line_delay_s": own.pop("line_delay_s", 0.0), "holds_answers": own.pop("holds_answers", False)}
    device = only_device(devices)
    settings = parse_options(own)
    board = devices[device] or 1
    if board in settings.item_boards:
        raise ControlError(f"locks and items cannot both be on board {board}: give 'item_board' another one")
    return Line(LockBoards(device, board, settings, plan), tcp)


KIND = MachineKind(build, FAULTS, OCCASIONS)
