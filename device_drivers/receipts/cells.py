"""Cells side by side: their widths by their shares, and the lines that they make together.

Knows columns of letters; must not know templates nor sheets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from device_drivers.receipts.letters import width_of
from device_drivers.receipts.sheet import Align
from device_drivers.receipts.wrapping import wrapped

GAP = 1  # columns between two cells
NARROWEST = 2  # columns: one Chinese letter


@dataclass(frozen=True, slots=True)
class Filled:
    """A cell whose text is complete."""

    text: str
    share: int
    align: Align


def widths_of(shares: Sequence[int], columns: int) -> list[int]:
    """Columns of each cell; together with the gaps they fill the line, and none is narrower than a Chinese letter."""
    room = columns - GAP * (len(shares) - 1)
    assert room >= NARROWEST * len(shares), "who asks has looked whether so many cells fit"
    ends = [room * sum(shares[:upto]) // sum(shares) for upto in range(len(shares) + 1)]
    widths = [end - start for start, end in pairwise(ends)]
    while min(widths) < NARROWEST:
        widths[widths.index(max(widths))] -= 1
        widths[widths.index(min(widths))] += 1
    return widths


def rows_of(cells: Sequence[Filled], columns: int) -> list[str]:
    """The lines of one row of cells: as many as its longest cell has."""
    widths = widths_of([cell.share for cell in cells], columns)
    stacks = [wrapped(cell.text, width) for cell, width in zip(cells, widths, strict=True)]
    return [
        (" " * GAP)
        .join(_padded(text, cell.align, width) for text, cell, width in zip(line, cells, widths, strict=True))
        .rstrip()
        for line in zip_longest(*stacks, fillvalue="")
    ]


def _padded(text: str, align: Align, width: int) -> str:
    free = width - width_of(text)
    before = {"left": 0, "centre": free // 2, "right": free}[align]
    return " " * before + text + " " * (free - before)
