"""The person in front of a simulated machine: whether, and when, the article that stands in its mouth is taken.

Knows nothing of machines; the machine asks it once per article and holds the clock itself.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.machine import ControlError

POLICIES = ("take", "leave", "last_moment", "random")


@dataclass(frozen=True)
class Customer:
    """How one person behaves.

    `take` takes after `after_s`; `leave` never; `last_moment` only once the machine begins to pull it back;
    `random` decides by `seed` and serial number: takes with probability `chance`, somewhen up to `after_s`.
    """

    policy: str = "take"
    after_s: float = 1.0
    chance: float = 0.7
    seed: int = 0

    def takes_after_s(self, serial: str) -> float | None:
        """Seconds from presentation to taking; None when it is left standing."""
        if self.policy == "take":
            return self.after_s
        if self.policy == "random":
            dice = random.Random(f"{self.seed}:{serial}")
            return dice.uniform(0.0, self.after_s) if dice.random() < self.chance else None
        return None

    @property
    def grabs_at_last_moment(self) -> bool:
        return self.policy == "last_moment"


def parse_customer(raw: Any) -> Customer:
    """Make a customer of plain values, or raise `ControlError`."""
    if not isinstance(raw, Mapping):
        raise ControlError(f"a customer is an object such as {{'policy': 'take', 'after_s': 1}}, not {raw!r}")
    values = dict(raw)
    policy = values.pop("policy", "take")
    if policy not in POLICIES:
        raise ControlError(f"customer policy {policy!r} is not known; known are {', '.join(POLICIES)}")
    after_s = _number(values, "after_s", 1.0, 86_400.0)
    chance = _number(values, "chance", 0.7, 1.0)
    seed = int(_number(values, "seed", 0, 2**53))
    if values:
        raise ControlError(f"customer key {next(iter(values))!r} is not known; known are policy, after_s, chance, seed")
    return Customer(policy, after_s, chance, seed)


def _number(values: dict[str, Any], key: str, default: float, high: float) -> float:
    value = values.pop(key, default)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= high:
        return float(value)
    raise ControlError(f"customer {key!r} must be a number from 0 to {high:g}, not {value!r}")
