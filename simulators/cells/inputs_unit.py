"""The input module of a cabinet as a unit on a Modbus line.

Knows its name in the list of units, nothing else.
"""

from __future__ import annotations

from simulators.cells.modules import CellInputs

UNIT = CellInputs
