"""A fault plan: which fault strikes at which motion, frame, printed line or second, read from a TOML or JSON file.

Knows occasions and faults; it counts nothing itself, the machine tells it what it has just come to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulators.faults import FAULTS, Fault, FaultTable, parse_fault
from simulators.machine import ControlError

OCCASIONS = ("motion", "frame")  # of a machine that moves cards
_NTH = re.compile(r"(\d{1,9})(?:st|nd|rd|th)? ([a-z]+)")


@dataclass(frozen=True)
class Entry:
    """`what` is time (`nth`: seconds) or a word of its kind such as motion (counted from 1 since the start)."""

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
        """The faults for the `nth` time that a device comes to `what`."""
        return [
            entry.fault
            for entry in self._entries
            if entry.what == what and entry.nth == nth and entry.device in {None, device}
        ]


def parse_plan(raw: Any, table: FaultTable = FAULTS, occasions: Sequence[str] = OCCASIONS) -> Plan:
    """Make a plan of a list of `{at, fault, args, device}`, or raise `ControlError` naming the entry."""
    if not isinstance(raw, list):
        raise ControlError('a fault plan is a list of entries such as {"at": "2nd motion", "fault": "jam"}')
    return Plan(_entry(number, item, table, occasions) for number, item in enumerate(raw, start=1))


def read_plan(path: Path, table: FaultTable = FAULTS, occasions: Sequence[str] = OCCASIONS) -> Plan:
    """Read a plan from JSON (a list) or TOML (`[[faults]]` tables), by the file's ending."""
    import tomllib  # only here: a simulator without a plan starts sooner

    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text).get("faults") if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise ControlError(f"fault plan {path} cannot be read: {error}") from error
    return parse_plan(raw, table, occasions)


def _entry(number: int, item: Any, table: FaultTable, occasions: Sequence[str]) -> Entry:
    if not isinstance(item, dict) or "at" not in item or "fault" not in item:
        raise ControlError(f"entry {number} of the fault plan needs 'at' and 'fault', not {item!r}")
    unknown = set(item) - {"at", "fault", "args", "device"}
    if unknown:
        raise ControlError(f"entry {number} of the fault plan has an unknown key {min(unknown)!r}")
    try:
        what, nth = _occasion(item["at"], occasions)
        return Entry(what, nth, parse_fault(item["fault"], item.get("args"), table), item.get("device"))
    except ControlError as error:
        raise ControlError(f"entry {number} of the fault plan: {error}") from error


def _occasion(at: Any, occasions: Sequence[str]) -> tuple[str, float]:
    if isinstance(at, (int, float)) and not isinstance(at, bool) and at >= 0:
        return "time", float(at)
    match = _NTH.fullmatch(at) if isinstance(at, str) else None
    if match is None or int(match[1]) == 0 or match[2] not in occasions:
        known = " or ".join(f"'3rd {word}'" for word in occasions)
        raise ControlError(f"'at' is a number of seconds, or such as {known}, not {at!r}")
    return match[2], int(match[1])
