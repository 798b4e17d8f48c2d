"""The settings of one simulated CRT-591: cards, thresholds, timings, texts and the customer in front of it.

Knows only plain JSON values; a mistake names the key and what may stand there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from simulators.customer import Customer, parse_customer
from simulators.machine import ControlError


@dataclass(frozen=True)
class Options:
    """All times in seconds; `draw_s` … `reset_s` are `act_s` unless given."""

    cards: int | tuple[str, ...] = 20
    few_at: int = 5  # stacker says "few" at this many cards and below
    bin_capacity: int = 50
    act_s: float = 0.5
    draw_s: float | None = None
    present_s: float | None = None
    capture_s: float | None = None
    move_s: float | None = None
    reset_s: float | None = None
    ack_s: float = 0.005
    query_s: float = 0.01
    grip_at: float = 0.3  # share of a motion after which the card has left its place
    effect_at: float = 0.9  # share of a motion after which the card is at its new place
    gap_s: float = 0.25  # below the host's 300 ms resend, so that a resend is never glued to a torn frame
    sensors: int = 8  # manual: 8 or 10; F3: 12
    firmware: str = "CRT-591-M001"
    serial_number: str = "SIM00000001"
    configuration: str = "CRT-591-M001-SIM"
    customer: Customer = field(default_factory=Customer)

    def duration_s(self, act: str) -> float:
        own: float | None = getattr(self, f"{act}_s")
        return self.act_s if own is None else own

    def serials(self, device: str) -> list[str]:
        """The serial numbers in the stacker of a new machine, the first to be drawn first."""
        if isinstance(self.cards, tuple):
            return list(self.cards)
        return [f"{device}-{number:04d}" for number in range(1, self.cards + 1)]


_TIMES = ("act_s", "draw_s", "present_s", "capture_s", "move_s", "reset_s", "ack_s", "query_s", "gap_s")
_COUNTS = ("few_at", "bin_capacity", "sensors")
_TEXTS = {"firmware": 64, "serial_number": 18, "configuration": 64}  # with their longest; the manual has 18 for A2


def parse_options(raw: Mapping[str, Any]) -> Options:
    """Check plain values and make `Options` of them, or raise `ControlError`."""
    known = [item.name for item in fields(Options)]
    for key in raw:
        if key not in known:
            raise ControlError(f"option {key!r} is not known; known are {', '.join(known)}")
    return Options(**{key: _value(key, value) for key, value in raw.items()})


def _value(key: str, value: Any) -> Any:
    if key == "customer":
        return parse_customer(value)
    if key == "cards":
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else serials(value)
    if key in _TIMES:
        return number(key, value, 0.0, 3600.0)
    if key in ("grip_at", "effect_at"):
        return number(key, value, 0.0, 1.0)
    if key in _COUNTS:
        return int(number(key, value, 0, 10_000))
    if key in _TEXTS and isinstance(value, str) and value.isascii() and len(value) <= _TEXTS[key]:
        return value
    raise ControlError(f"option {key!r} must be an ASCII text of at most {_TEXTS[key]} characters, not {value!r}")


def number(key: str, value: Any, low: float, high: float) -> float:
    """A number between two bounds, or a `ControlError` that names the key."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high:
        return float(value)
    raise ControlError(f"{key!r} must be a number from {low:g} to {high:g}, not {value!r}")


def serials(value: Any) -> tuple[str, ...]:
    """A list of distinct card serial numbers, or a `ControlError`."""
    texts = isinstance(value, (list, tuple)) and all(isinstance(item, str) and item for item in value)
    if texts and len(set(value)) == len(value):
        return tuple(value)
    raise ControlError(f"'cards' must be a count or a list of distinct serial numbers, not {value!r}")
