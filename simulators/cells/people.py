"""The person in front of a cell whose door has sprung open: takes, leaves, closes, or does not.

Knows minds and times; the chest holds the clock and does what they do.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.machine import ControlError

# What they do in turn; each deed follows the one before it.
DEEDS: dict[str, tuple[str, ...]] = {
    "take": ("take", "close"),
    "leave": ("close",),
    "leave_open": ("take",),
    "forget": (),
    "put_back": ("take", "put_back", "close"),
}
POLICIES = (*DEEDS, "random")


@dataclass(frozen=True)
class Person:
    """`after_s` until the first deed, `each_s` between deeds. `random` picks a policy by `seed` and serial number."""

    policy: str = "take"
    after_s: float = 1.0
    each_s: float = 0.3
    seed: int = 0

    def deeds(self, serial: str) -> list[tuple[float, str]]:
        """Seconds after the door sprang open, and what is done then."""
        dice = random.Random(f"{self.seed}:{serial}")
        policy = dice.choice(sorted(DEEDS)) if self.policy == "random" else self.policy
        return [(self.after_s + number * self.each_s, deed) for number, deed in enumerate(DEEDS[policy])]


def parse_person(raw: Any) -> Person:
    """Make a person of plain values, or raise `ControlError`."""
    if not isinstance(raw, Mapping):
        raise ControlError(f"a customer is an object such as {{'policy': 'take', 'after_s': 1}}, not {raw!r}")
    values = dict(raw)
    policy = values.pop("policy", "take")
    if policy not in POLICIES:
        raise ControlError(f"customer policy {policy!r} is not known; known are {', '.join(POLICIES)}")
    after_s, each_s = _number(values, "after_s", 1.0, 86_400.0), _number(values, "each_s", 0.3, 86_400.0)
    seed = int(_number(values, "seed", 0, 2**53))
    if values:
        raise ControlError(f"customer key {next(iter(values))!r} is not known; known are policy, after_s, each_s, seed")
    return Person(policy, after_s, each_s, seed)


def _number(values: dict[str, Any], key: str, default: float, high: float) -> float:
    value = values.pop(key, default)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= high:
        return float(value)
    raise ControlError(f"customer {key!r} must be a number from 0 to {high:g}, not {value!r}")
