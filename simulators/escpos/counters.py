"""The maintenance counters that `1D 67 32` reads: cuts and lines, kept across power in steps only.

Knows numbers; nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CUTS, CUTS_IN_ALL = 50, 178
LINES, LINES_IN_ALL = 20, 148


class Counters:
    """`cuts` and `lines` count in working memory; a loss of power takes them back to what was written last."""

    def __init__(self, kept_every: int) -> None:
        self._every = kept_every
        self.cuts = self.lines = 0
        self.kept_cuts = self.kept_lines = 0

    def keep(self) -> None:
        """Write them when enough cuts have come together."""
        if self.cuts - self.kept_cuts >= self._every:
            self.kept_cuts, self.kept_lines = self.cuts, self.lines

    def lose(self) -> None:
        """No power."""
        self.cuts, self.lines = self.kept_cuts, self.kept_lines

    def read(self, number: int) -> int | None:
        """The counter of that number, None for one that is not there."""
        return {CUTS: self.cuts, CUTS_IN_ALL: self.cuts, LINES: self.lines, LINES_IN_ALL: self.lines}.get(number)

    def snapshot(self) -> dict[str, Any]:
        return {
            "cuts": self.cuts,
            "lines": self.lines,
            "kept_cuts": self.kept_cuts,
            "kept_lines": self.kept_lines,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.cuts, self.lines = int(saved["cuts"]), int(saved["lines"])
        self.kept_cuts, self.kept_lines = int(saved["kept_cuts"]), int(saved["kept_lines"])
