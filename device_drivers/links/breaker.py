"""A unit that does not answer is left in peace for a while, longer each time, so that it costs the others little.

Knows one unit's silences and a clock that is handed in; must not know lines, frames nor what was asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Breaker(Enum):
    """How a unit is dealt with."""

    CLOSED = "closed"  # it answered last: asked whenever somebody wants to
    OPEN = "open"  # it was silent: nothing is sent to it until its back-off has passed
    HALF_OPEN = "half_open"  # its back-off has passed: one request is let through, and decides


@dataclass(slots=True)
class UnitBreaker:
    """One silence opens it, one answer closes it. Times are seconds of one monotonic clock, the caller's."""

    first_s: float
    longest_s: float
    opened: int = 0  # back-off periods begun
    probes: int = 0  # requests let through after one
    turned_away: int = 0  # requests that were not sent because of it
    false_hopes: int = 0  # answers to probes since it last answered in time: an older question's, as it turned out
    _back_off_s: float = 0.0
    _open_until_s: float | None = None

    def state(self, now: float) -> Breaker:
        """What it is now."""
        if self._open_until_s is None:
            return Breaker.CLOSED
        return Breaker.OPEN if now < self._open_until_s else Breaker.HALF_OPEN

    def due_s(self, now: float) -> float:
        """Seconds until something may be sent: 0 when it may be now."""
        return 0.0 if self._open_until_s is None else max(0.0, self._open_until_s - now)

    def begin(self, now: float) -> Breaker:
        """Asked just before a request leaves, by whoever has the line. OPEN: it must not; HALF_OPEN: it decides."""
        state = self.state(now)
        self.turned_away += state is Breaker.OPEN
        self.probes += state is Breaker.HALF_OPEN
        return state

    def answered(self) -> None:
        """It lives."""
        self._open_until_s, self._back_off_s, self.false_hopes = None, 0.0, 0

    def silent(self, now: float) -> None:
        """It did not answer: it has peace from now on, twice as long as the time before."""
        self._back_off_s = min(2 * self._back_off_s or self.first_s, self.longest_s)
        self._open_until_s = now + self._back_off_s
        self.opened += 1
