"""The faults a simulated machine can be given: their names, their arguments and how long each stays armed.

Knows words and numbers only; what a fault does to metal or bytes is told where metal and bytes are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.machine import ControlError


@dataclass(frozen=True)
class Fault:
    """One fault asked for, with every argument filled in."""

    name: str
    args: Mapping[str, Any]


FaultTable = Mapping[str, Mapping[str, Any]]  # every fault of a kind, with its arguments and their defaults

_MOTION = {"count": 1, "at_fraction": 0.6}  # of the whole motion; at 0.6 the card is between two places

# The faults of a machine that moves cards.
FAULTS: FaultTable = {
    # the next `count` motions fail
    "jam": _MOTION,  # error 10
    "sensor_error": _MOTION,  # error 12
    "cannot_reach_ic": _MOTION,  # error 43
    "motor_error": _MOTION,  # error 51
    # sensors that say so, whatever is there; until `load`, `bin` or `clear`
    "empty": {},
    "bin_full": {},
    # power goes now, or with `at_fraction` within the next motion; it is back after `off_s` (None: by `power`)
    "power_loss": {"off_s": 2.0, "at_fraction": None},
    # the wire: the next `count` frames or answers, or everything for `for_s`
    "silence": {"count": 1, "for_s": None, "executes": True},
    "late_answer": {"count": 1, "delay_s": 2.0},
    "garbage": {"count": 1, "where": "before", "hex": "00FF0642F3A5"},  # before | inside | after | now
    "half_frame": {"count": 1},
    "wrong_bcc": {"count": 1},
    "nak_storm": {"count": 3},
    "no_ack": {"count": 1},
    "flood": {"for_s": 1.0, "bytes_per_s": 5000},
    "unplug": {"for_s": 1.0},
    # hands
    "card_moved_by_hand": {},
    "cabinet_opened": {"takes_card": False},
}

_RANGES = {
    "count": (1, 100_000),
    "at_fraction": (0.0, 1.0),
    "off_s": (0.0, 86_400.0),
    "for_s": (0.0, 86_400.0),
    "delay_s": (0.0, 86_400.0),
    "bytes_per_s": (100, 1_000_000),
    "at_line": (1, 100_000),
    "after": (0, 1_000_000),
    "every": (1, 100_000),
    "board": (1, 32),
}
_ANY = (0, 1_000_000)  # a kind's own argument: the place or number of something, whole where its default is
_WHOLE = {"count", "bytes_per_s", "at_line", "after", "every", "board"}
_MAY_BE_NONE = {("power_loss", "off_s"), ("unplug", "for_s")}  # besides what is None unless given
_WHERE = ("before", "inside", "after", "now")


def parse_fault(name: Any, args: Any = None, table: FaultTable = FAULTS) -> Fault:
    """Check a fault's name and arguments, or raise `ControlError`."""
    if not isinstance(name, str) or name not in table:
        raise ControlError(f"fault {name!r} is not known; known are {', '.join(table)}")
    if not isinstance(args, (Mapping, type(None))):
        raise ControlError(f"'args' must be an object, not {args!r}")
    defaults = table[name]
    given = dict(args or {})
    for key in given:
        if key not in defaults:
            known = ", ".join(defaults) or "none"
            raise ControlError(f"fault {name!r} has no argument {key!r}; it has {known}")
    return Fault(
        name, {key: _checked(name, key, given.get(key, default), default) for key, default in defaults.items()}
    )


def _checked(name: str, key: str, value: Any, default: Any) -> Any:
    if value is None and (default is None or (name, key) in _MAY_BE_NONE):
        return None
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        raise ControlError(f"{name}: {key!r} must be true or false, not {value!r}")
    if key == "where":
        if value in _WHERE:
            return value
        raise ControlError(f"{name}: 'where' must be one of {', '.join(_WHERE)}, not {value!r}")
    if key == "hex":
        return _hex(name, value)
    low, high = _RANGES.get(key, _ANY)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high:
        return int(value) if key in _WHOLE or (key not in _RANGES and isinstance(default, int)) else float(value)
    raise ControlError(f"{name}: {key!r} must be a number from {low:g} to {high:g}, not {value!r}")


def _hex(name: str, value: Any) -> bytes:
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError) as error:
        raise ControlError(f"{name}: 'hex' must be hexadecimal bytes such as '00 FF', not {value!r}") from error


class Armed:
    """The faults that wait for their occasion, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, float | None, list[int]]] = []  # fault, end time, occasions left

    def add(self, fault: Fault, now: float) -> None:
        """Arm it for its `count` occasions, or until `for_s` from `now` has passed."""
        for_s = fault.args.get("for_s")
        until_s = None if for_s is None else now + for_s
        self._waiting.append((fault, until_s, [int(fault.args.get("count", 1))]))

    def take(self, name: str, now: float) -> Fault | None:
        """The oldest armed fault of that name, one of its occasions used up."""
        self._waiting = [item for item in self._waiting if item[1] is None or now < item[1]]
        for item in self._waiting:
            fault, until_s, left = item
            if fault.name != name:
                continue
            if until_s is None:
                left[0] -= 1
                if left[0] == 0:
                    self._waiting.remove(item)
            return fault
        return None

    def lasting(self, name: str, now: float) -> bool:
        """Whether one of that name is armed for a time, not for a count."""
        return any(fault.name == name and until_s is not None and now < until_s for fault, until_s, _ in self._waiting)

    def clear(self) -> None:
        """Disarm all."""
        self._waiting.clear()

    def names(self) -> list[str]:
        """What is armed, for people."""
        return [fault.name for fault, _, _ in self._waiting]
