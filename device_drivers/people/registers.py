"""Where pulse modules keep their counters, and how a counter is made of registers.

Pure. Knows the published maps; must not know lines nor what is counted. Source: devices.md section 5.6. No map says
how to clear a counter: nothing here ever does (U17).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

WordOrder = Literal["low_first", "high_first"]


@dataclass(frozen=True, slots=True)
class Map:
    """Counters side by side: `words` registers each, from `first` on, in one table."""

    table: Literal["holding", "input"]
    first: int
    words: int
    channels: int

    @property
    def bits(self) -> int:
        return 16 * self.words

    def span(self, channels: Sequence[int]) -> tuple[int, int]:
        """Address and number of the registers that hold these channels and those between, for one question."""
        low, high = min(channels), max(channels)
        return self.first + low * self.words, (high - low + 1) * self.words

    def value(self, words: Sequence[int], channel: int, channels: Sequence[int], order: WordOrder) -> int:
        """One channel's counter among the words that `span(channels)` brought."""
        at = (channel - min(channels)) * self.words
        return join(words[at : at + self.words], order)


MAPS = {
    # ICP DAS M-7084: eight counters of 32 bits in 30001 to 30016; which word is the high one is unverified.
    "m7084": Map("input", 0, 2, 8),
    # Advantech ADAM-6050 and 6051: counter = 40002 x 65536 + 40001.
    "adam605x": Map("holding", 0, 2, 12),
}


def join(words: Sequence[int], order: WordOrder) -> int:
    """Registers of 16 bits as one number."""
    value = 0
    for word in words if order == "high_first" else reversed(words):
        value = value << 16 | word
    return value
