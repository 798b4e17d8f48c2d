"""The marks that every sheet bears, so that a second sheet is never taken for the first.

Knows their words and where they stand; must not know when a sheet is printed again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from device_drivers.receipts.letters import unprintable_in, width_of
from device_drivers.receipts.paper import Paper
from device_drivers.receipts.sheet import TextLine
from device_drivers.receipts.unprintable import unprintable

REPRINT, VOID, NUMBER = "重印 REPRINT", "作废 VOID", "No. "
CONTINUED = "  "  # a long number goes on in lines that begin so
LEFTOVER = (  # whoever confirmed that the receipt was handed over must not find it declared void
    "以上残留内容作废，已交付的凭证不受影响",
    "What came out above is void. A receipt that was handed over stays valid.",
)
VOID_LINE = TextLine(VOID, align="centre", bold=True, width=2, height=2)
_IMITATION = re.compile(rf"\s*(?:{NUMBER.strip()}\s*\S+/\S+/\d+\s*$|重印\s*REPRINT|作废\s*VOID)", re.IGNORECASE)
_BEGINNING = re.compile(rf"{NUMBER}\S+$")


@dataclass(frozen=True, slots=True)
class Marks:
    """The attempt that prints the sheet, and how many sheets of the same may exist already (0: none)."""

    attempt: str
    reprint: int = 0


def head(marks: Marks) -> Iterator[TextLine]:
    """What stands above everything."""
    if marks.reprint > 0:
        yield TextLine(f"{REPRINT} {marks.reprint}", align="centre", bold=True)


def foot(attempt: str, paper: Paper) -> Iterator[TextLine]:
    """What stands last: `No. <attempt>`, a long one in further lines that begin with two blanks. Raises Unprintable."""
    if bad := unprintable_in(attempt):
        raise unprintable("print_character", "attempt", line=1, **bad.places)
    begin = NUMBER
    for part in _parts(attempt, paper.columns - len(NUMBER)):
        yield TextLine(begin + part)
        begin = CONTINUED


def _parts(text: str, columns: int) -> Iterator[str]:
    if text.isascii():
        yield from (text[start : start + columns] for start in range(0, max(len(text), 1), columns))
        return
    part = ""
    for character in text:
        if width_of(part + character) > columns:
            yield part
            part = ""
        part += character
    yield part


def imitates(line: str, columns: int) -> bool:
    """Whether a line of a template or value could be read as one of the marks, or as the beginning of a long number."""
    plain = unicodedata.normalize("NFKC", line)  # letters of double width look the same
    return _IMITATION.match(plain) is not None or (len(line) == columns and _BEGINNING.match(line) is not None)
