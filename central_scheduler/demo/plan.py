"""The orders of the demo's day: what each is for, and which ends are right for it.

Knows names and expectations only; how each is brought about is told in day.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Errand:
    """One order. `what` is the key of its title; `expected` are the ends that are right."""

    order: str
    what: str
    expected: tuple[str, ...]
    take_s: float = 20.0
    priority: int = 0
    language: str = "zh"


PLAIN = Errand("demo-01", "plan_plain", ("completed",), take_s=120.0)
REPEAT = Errand("demo-02", "plan_repeat", ("completed",))
LATE = Errand("demo-03", "plan_late", ("expired",))
FIRST = Errand("demo-04", "plan_priority", ("completed",), priority=10, language="en")
LEFT = Errand("demo-05", "plan_left", ("failed",), take_s=2.0)
SILENCE = Errand("demo-06", "plan_silence", ("completed",))
KILL = Errand("demo-07", "plan_kill", ("completed",))
CANCEL = Errand("demo-08", "plan_cancel", ("cancelled",))
HOLD = Errand("demo-09", "plan_hold", ("completed",))
BESIDE = Errand("demo-10", "plan_plain", ("completed",))
POWER = Errand("demo-11", "plan_power", ("completed",))
PAPER = Errand("demo-12", "plan_paper", ("completed",), language="en")
BY_HAND = Errand("demo-13", "plan_by_hand", ("partly_completed",))
LAST = Errand("demo-14", "plan_plain", ("completed",))

TWO_PEOPLE = ("/people/li.na", "/people/wang.wei")
ONE_PERSON = TWO_PEOPLE[:1]
