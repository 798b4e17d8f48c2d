"""Whether a device is there, told once when lost and once when back, and quietly while it flaps (DEV-2).

Pure: time is handed in. Knows when something is worth telling; tells nobody itself.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

FLAP_WINDOW_S = 60.0
FLAP_CHANGES = 6  # so many changes within the window are a loose plug, not news


@dataclass(slots=True)
class Presence:
    """One device's presence. `tell` returns what to say: a reason for the event, or None for silence."""

    there: bool | None = None  # None: not known yet
    told: bool | None = None  # what was told last, also by the process before; None: nothing yet
    changes: int = 0  # since start, flapping included
    _recent: deque[float] = field(default_factory=deque)

    def tell(self, there: bool, reason: str, now_s: float) -> str | None:  # noqa: FBT001  (a presence is a yes or a no)
        """Takes one observation at monotonic `now_s`."""
        if there != self.there:
            first = self.there is None
            self.there = there
            self.changes += 0 if first else 1
            self._recent.append(now_s)
        while self._recent and now_s - self._recent[0] > FLAP_WINDOW_S:
            self._recent.popleft()
        if there == self.told:
            return None
        flapping = len(self._recent) >= FLAP_CHANGES
        if flapping and self.told is False:
            return None  # it stays told as lost until it holds still
        self.told = there
        return "flapping" if flapping else reason
