"""Whether wall time runs as time does: a step back, a jump ahead or a crawl is seen at the next look.

Knows two clocks as numbers; must not know who sets them nor what depends on them.
"""

from __future__ import annotations

from dataclasses import dataclass

BACK_S = 2.0  # a leap second is one, and what a time service corrects by a step is below two
AHEAD_S = 300.0  # INS-5
SETTLE_S = 60.0  # so long a source must vouch, without another jump, before it is believed again


@dataclass(slots=True)
class Steadiness:
    """Fed with readings in any order of callers; `settling` while a jump is not over."""

    offset_s: float | None = None  # wall minus steady; what is not a jump adds up against it, so a crawl is one, too
    settling: bool = False
    why: str = ""
    _vouched_since_s: float | None = None

    def jumped(self, wall_s: float, steady_s: float) -> str:
        """The reason if wall time jumped since the anchor was set; empty: none."""
        offset_s = wall_s - steady_s
        if self.offset_s is None:
            self.offset_s = offset_s
        moved_s = offset_s - self.offset_s
        reason = "clock_stepped_back" if moved_s < -BACK_S else "clock_jumped_ahead" if moved_s > AHEAD_S else ""
        if reason:
            self.doubt(reason)
            self.offset_s = offset_s
        return reason

    def doubt(self, why: str) -> None:
        """From now on a source must vouch anew."""
        self.settling, self.why, self._vouched_since_s = True, why, None

    def believes(self, *, vouched: bool, steady_s: float) -> bool:
        """Whether a source that says so now is believed."""
        if not self.settling:
            return vouched
        if not vouched:
            self._vouched_since_s = None
        elif self._vouched_since_s is None:
            self._vouched_since_s = steady_s
        elif steady_s - self._vouched_since_s >= SETTLE_S:
            self.settling, self.why = False, ""
        return vouched and not self.settling
