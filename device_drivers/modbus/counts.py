"""What went wrong with one unit, counted for its twin.

Knows names and numbers only.
"""

from __future__ import annotations

from collections import Counter

NAMES = frozenset({
    "requests",  # frames written
    "timeouts",  # that nobody answered
    "badFrames",  # answers with a wrong checksum, or that were none
    "garbageBytes",
    "lateReplies",  # heard when nobody waited for them any more
    "resends",  # of questions
    "exceptions",  # answers that said no
    "cancelled",  # finished although nobody waited any more
})  # fmt: skip


class Counts:
    """Only what is not nought is told."""

    def __init__(self) -> None:
        self._counter: Counter[str] = Counter()

    def add(self, **more: int) -> None:
        """Counts; the names are those of `NAMES`."""
        assert NAMES.issuperset(more)
        self._counter.update(more)

    def told(self) -> dict[str, int]:
        """For a twin."""
        return {name: count for name, count in sorted(self._counter.items()) if count}
