"""What passed between two looks at a counter that may wrap, be cleared, or be read wrongly.

Pure. Knows widths and what is possible at a door; must not know registers, lines nor days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SLACK = 10  # passages more than time allows: two people at once, a look that came late
WRAPPED, WENT_BACK, JUMPED = "wrapped", "went_back", "jumped"


@dataclass(frozen=True, slots=True)
class Passed:
    """Between two looks. `delta` None: not known. `flag` as in `device.Reading`, or `jumped`: more than is possible."""

    delta: int | None
    flag: str = ""


def passed(before: int | None, now: int, *, bits: int, most: int, preset: int = 0) -> Passed:
    """`before` None: never looked at. `most`: what can have passed at most; `preset`: what a clearing leaves in it.

    A counter that shows less has wrapped if that explains it with no more than `most`, and no more than half its
    width; else it lost its power or was cleared, and what it shows since is the least that passed.
    """
    if before is None:
        return Passed(None)
    forward = now - before
    if forward >= 0:
        return Passed(forward) if forward <= most else Passed(None, JUMPED)
    over = forward + (1 << bits)
    if over <= min(most, 1 << (bits - 1)):
        return Passed(over, WRAPPED)
    since = now - preset
    return Passed(since if 0 <= since <= most else None, WENT_BACK)


@dataclass(slots=True)
class Counter:
    """One counter over time: the raw value last seen, and all that was ever counted with it."""

    channel: int
    bits: int
    raw: int | None = None
    total: int = 0
    jumped: bool = False  # its last change was more than can have passed

    def doubts(self, now: int, *, most: int, preset: int = 0) -> bool:
        """Whether this value says more than that people passed: it had better be read again."""
        return bool(passed(self.raw, now, bits=self.bits, most=most, preset=preset).flag)

    def look(self, now: int, *, most: int, preset: int = 0) -> Passed:
        """Takes one look."""
        found = passed(self.raw, now, bits=self.bits, most=most, preset=preset)
        if now != self.raw:
            self.jumped = found.flag == JUMPED
        self.raw, self.total = now, self.total + (found.delta or 0)
        return found

    def memory(self) -> dict[str, Any]:
        """What must be known after a restart."""
        return {"channel": self.channel, "bits": self.bits, "raw": self.raw, "total": self.total}

    @classmethod
    def of(cls, channel: int, bits: int, memory: object) -> Counter:
        """As it was remembered; another channel or width than that is another counter, which begins anew."""
        if isinstance(memory, Mapping) and (memory.get("channel"), memory.get("bits")) == (channel, bits):
            raw, total = memory.get("raw"), memory.get("total")
            if isinstance(raw, int) and isinstance(total, int) and 0 <= raw < 1 << bits:
                return cls(channel, bits, raw, total)
        return cls(channel, bits)


def can_pass(seconds: float, per_s: float) -> int:
    """What can pass a door at most in so many seconds."""
    return int(seconds * per_s) + SLACK
