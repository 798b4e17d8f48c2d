"""When an order may begin, and until when (INS-5).

The centre's by wall time that is trusted; one made on site by the seconds since the boot in which it was accepted, for
nobody can set those. Knows an order's times and the clock; must not know what becomes of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud_bridge.envelope import rfc3339
from edge_agent.clock import Clock, Grade
from edge_agent.orders.rows import OrderRow

# Of an order, given `Now.named()`. While nobody vouches for the time, those with times on the wall clock may not.
MAY_BEGIN = (
    "CASE WHEN boot = :boot THEN coalesce(begins_s <= :steady_s, 1) "
    "WHEN :wall IS NULL THEN not_before IS NULL AND deadline IS NULL "
    "ELSE coalesce(not_before <= :wall, 1) END"
)


@dataclass(frozen=True, slots=True)
class Now:
    """This moment on both clocks. `wall` is None where nobody vouches for it."""

    wall: str | None = None
    boot: str = ""
    steady_s: float = 0.0

    def named(self) -> dict[str, Any]:
        return {"wall": self.wall, "boot": self.boot, "steady_s": self.steady_s}


NEVER = Now()  # nothing that has a time of its own begins


def now(clock: Clock) -> Now:
    wall, grade = clock.look()
    return Now(None if grade is Grade.UNKNOWN else rfc3339(wall), clock.boot(), clock.steady())


def wall_now(clock: Clock) -> Now:
    """The same, where it does no harm to believe a wall clock for which nobody vouches."""
    return Now(rfc3339(clock.now()), clock.boot(), clock.steady())


@dataclass(frozen=True, slots=True)
class Limits:
    """An order's times as they are kept beside the moments that were given; in the order of their columns."""

    boot: str | None = None
    begins_s: float | None = None
    ends_s: float | None = None
    vouched: bool = True


def has_passed(clock: Clock, deadline: datetime | None, *, on_site: bool) -> bool:
    """At the door: on site it is told by this box's own clock, whatever that is worth."""
    if on_site:
        return deadline is not None and deadline <= clock.now()
    return clock.passed(deadline)


def limits_on_site(clock: Clock, not_before: datetime | None, deadline: datetime | None) -> Limits:
    """What moments by this box's own clock are in seconds of this boot; nothing where the kernel names no boot."""
    wall, grade = clock.look()
    steady_s, boot = clock.steady(), clock.boot()
    if not boot or (not_before is None and deadline is None):
        return Limits()

    def since_boot(moment: datetime | None) -> float | None:
        return None if moment is None else steady_s + (moment - wall).total_seconds()

    return Limits(boot, since_boot(not_before), since_boot(deadline), grade is not Grade.UNKNOWN)


def unknown(order: OrderRow, clock: Clock) -> bool:
    """Whether nobody can say if its time has come or gone: it waits for the clock."""
    timed = order.deadline is not None or order.not_before is not None
    return timed and not _steady(order, clock) and not _lost(order, clock) and clock.grade() is Grade.UNKNOWN


def too_late(order: OrderRow, clock: Clock) -> bool:
    """Whether its deadline has passed; one that nobody vouched for, on a clock that is gone with its boot, may have."""
    if _steady(order, clock):
        return order.ends_s is not None and clock.steady() >= order.ends_s
    return _lost(order, clock) or clock.passed(order.deadline)


def too_early(order: OrderRow, clock: Clock) -> bool:
    """Whether its time has not come; so it is for all that is known while the clock is unknown."""
    if _steady(order, clock):
        return order.begins_s is not None and clock.steady() < order.begins_s
    return order.not_before is not None and not clock.passed(order.not_before)


def _steady(order: OrderRow, clock: Clock) -> bool:
    return order.boot is not None and order.boot == clock.boot()


def _lost(order: OrderRow, clock: Clock) -> bool:
    return order.ends_s is not None and not order.vouched and not _steady(order, clock)
