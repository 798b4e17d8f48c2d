"""A fault plan: which fault strikes at which motion, frame or second, read from a TOML or JSON file.

Knows occasions and faults; it counts nothing itself, the machine tells it what it has just come to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.faults import Fault, parse_fault
from simulators.machine import ControlError

_NTH = re.compile(r"(\d{1,9})(?:st|nd|rd|th)? (motion|frame)")


@dataclass(frozen=True)
class Entry:
    """`what` is motion, frame or time; `nth` counts from 1 since the simulator's start, for time it is seconds."""

    what: str
    nth: float
    fault: Fault
    device: str | None


class Plan:
    """Each entry strikes once."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = list(entries)
        self.started = False

    def start(self) -> list[tuple[float, str | None, Fault]]:
        """The clock begins: what strikes after how many seconds, on which device (None: on each)."""
        self.started = True
        return [(entry.nth, entry.device, entry.fault) for entry in self._entries if entry.what == "time"]

    def due(self, what: str, nth: int, device: str) -> list[Fault]:
        """The faults for the `nth` frame or motion of a device."""
        return [
            entry.fault
            for entry in self._entries
            if entry.what == what and entry.nth == nth and entry.device in {None, device}
        ]


def parse_plan(raw: Any) -> Plan:
    """Make a plan of a list of `{at, fault, args, device}`, or raise `ControlError` naming the entry."""
    if not isinstance(raw, list):
        raise ControlError('a fault plan is a list of entries such as {"at": "2nd motion", "fault": "jam"}')
    return Plan(_entry(number, item) for number, item in enumerate(raw, start=1))


def read_plan(path: Path) -> Plan:
    """Read a plan from JSON (a list) or TOML (`[[faults]]` tables), by the file's ending."""
    import tomllib  # only here: a simulator without a plan starts sooner

    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text).get("faults") if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise ControlError(f"fault plan {path} cannot be read: {error}") from error
    return parse_plan(raw)


def _entry(number: int, item: Any) -> Entry:
    if not isinstance(item, dict) or "at" not in item or "fault" not in item:
        raise ControlError(f"entry {number} of the fault plan needs 'at' and 'fault', not {item!r}")
    unknown = set(item) - {"at", "fault", "args", "device"}
    if unknown:
        raise ControlError(f"entry {number} of the fault plan has an unknown key {min(unknown)!r}")
    try:
        what, nth = _occasion(item["at"])
        return Entry(what, nth, parse_fault(item["fault"], item.get("args")), item.get("device"))
    except ControlError as error:
        raise ControlError(f"entry {number} of the fault plan: {error}") from error


def _occasion(at: Any) -> tuple[str, float]:
    if isinstance(at, (int, float)) and not isinstance(at, bool) and at >= 0:
        return "time", float(at)
    match = _NTH.fullmatch(at) if isinstance(at, str) else None
    if match is None or int(match[1]) == 0:
        raise ControlError(f"'at' is a number of seconds, '3rd motion' or '5th frame', not {at!r}")
    return match[2], int(match[1])
