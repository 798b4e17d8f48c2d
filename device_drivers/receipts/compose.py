"""A template and values become a sheet: filled in, wrapped to the paper, checked, marked and cut.

Knows the order of things on a sheet; must not know a printer's commands nor why a sheet is printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from device_drivers.receipts import marks as marking
from device_drivers.receipts.blocks import End
from device_drivers.receipts.filling import Filler, cleaned
from device_drivers.receipts.marks import Marks
from device_drivers.receipts.paper import Paper
from device_drivers.receipts.sheet import Block, Code, Cut, Sheet, TextLine
from device_drivers.receipts.template import Template
from device_drivers.receipts.unprintable import Unprintable, unprintable
from device_drivers.receipts.wrapping import wrapped

__all__ = ["Marks", "Paper", "Unprintable", "compose", "void_slip"]

MAX_LINES = 400  # about a metre and a half of paper: more is a mistake, not a receipt


def compose(template: Template, values: Mapping[str, str], paper: Paper, marks: Marks) -> Sheet:
    """The whole sheet with its marks. Raises Unprintable; what it returns, every printer's font has."""
    asked = template.every_name & values.keys()  # what is printed nowhere may be as it is
    filler = Filler({name: cleaned(name, values[name]) for name in sorted(asked)}, paper)
    blocks: list[Block] = []
    for number, block in enumerate(template.block, 1):
        if not isinstance(block, End) and (
            block.when is None or filler.values.get(block.when, "") not in {"", "false"}
        ):
            made = filler.blocks(block, number)
            _refuse_imitations(made, filler)
            blocks += made
        if len(blocks) > MAX_LINES:
            raise unprintable("print_lines_many", filler.at, limit=MAX_LINES)
    # The mark of a repeat stands at both ends: a hand that takes a torn sheet out leaves a marked one behind.
    marked = tuple(marking.head(marks))
    return Sheet((*marked, *blocks, *marked, *marking.foot(marks.attempt, paper), _cut(template)), paper.columns)


def void_slip(attempts: Sequence[str], paper: Paper, *, leftover: bool = False) -> Sheet:
    """The slip that declares sheets void. Raises Unprintable.

    `leftover`: nobody says that the sheets are void, only that what still came out of the printer above the slip is.
    """
    said = [line for line in marking.LEFTOVER for line in wrapped(line, paper.columns)] if leftover else []
    numbers = [line for attempt in attempts for line in marking.foot(attempt, paper)]
    return Sheet((marking.VOID_LINE, *map(TextLine, said), *numbers, Cut()), paper.columns)


def _refuse_imitations(blocks: Sequence[Block], filler: Filler) -> None:
    for block in blocks:
        words = block.text if isinstance(block, TextLine) else ""
        if isinstance(block, Code) and block.caption:
            words = block.data
        if marking.imitates(words, filler.paper.columns):
            raise unprintable("print_mark", filler.at)


def _cut(template: Template) -> Cut:
    last = template.block[-1]
    return Cut(full=isinstance(last, End) and last.cut == "full")
