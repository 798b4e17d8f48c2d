"""One banknote as a counter saw it.

Knows values and what may stand in a log; must not know bytes, files, nor batches.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

SHOWN_BEFORE, SHOWN_BEHIND = 4, 2  # letters of a serial number that a log may show
UNREAD = frozenset("*?_ ")  # what counters write for a letter that they could not read


class Fitness(StrEnum):
    """What the counter holds of a note, in XFS4IoT words for cash counts (devices.md §6.6)."""

    FIT = "fit"
    UNFIT = "unfit"  # damaged, or of an edition that is not paid out any more
    SUSPECT = "suspect"  # it looks like a forgery
    UNRECOGNIZED = "unrecognized"  # no value: two notes at once, a scrap, another country's


@dataclass(frozen=True, slots=True)
class Note:
    """`value` in whole units of `currency`; 0 where the counter could not tell. `serial` never stands in a log."""

    value: int
    currency: str
    fitness: Fitness
    serial: str = field(repr=False)
    machine: str = ""  # the counter's own number
    edition: int = 0
    taken: str = ""  # by the counter's own clock, in no zone: 2024-05-17T13:45:30; empty where it is no time
    number: int | None = None  # in its batch, where the counter numbers its notes
    errors: tuple[int, ...] = ()  # the counter's own codes, only in files

    @property
    def readable(self) -> bool:
        """Whether each letter of the serial number was read."""
        return bool(self.serial) and not UNREAD & set(self.serial)

    @property
    def masked(self) -> str:
        """The serial number as it may stand in a log."""
        return masked(self.serial)


def masked(serial: str) -> str:
    """`AB12****78`: enough to compare with a note in the hand, too little to look for one."""
    hidden = len(serial) - SHOWN_BEFORE - SHOWN_BEHIND
    if hidden <= 0:
        return "*" * len(serial)
    return serial[:SHOWN_BEFORE] + "*" * hidden + serial[-SHOWN_BEHIND:]
