"""The limits of one screen: how much it shows at once, which letters it has, whether it can go on to more.

Knows measures; must not know what is to be shown nor how it travels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Letters = Literal["gbk", "gb2312", "segments"]


@dataclass(frozen=True, slots=True)
class Panel:
    """`columns` ASCII letters fit a line, half as many Chinese ones."""

    columns: int
    rows: int = 1
    letters: Letters = "gbk"
    pages: int = 1  # so many screens full that it shows in turn by itself
    scroll_columns: int = 0  # the longest line that it lets run through its one row; 0: it cannot
    calls: int = 1  # calls that stand there at once: one above a window, several in a hall
    without: str = ""  # letters that would be taken for something else there

    @property
    def lines_a_call(self) -> int:
        """Rows that each call has for itself."""
        return self.rows // self.calls
