"""Sums of what one device counts, by the hour: kept in the journal, told as an event when the hour is over.

Knows deltas, hours and rows; must not know the device, nor who asks it when. An hour is told by the branch's clock as
it is; should that be set back, the same hour is told in parts, which add up.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cloud_bridge.envelope import rfc3339
from device_drivers.device import Reading
from edge_agent.journal.tx import Tx
from edge_agent.orders.record import remember

DEVICE_COUNTED = "branchgate.device.counted.v1"


def hour_of(moment: datetime) -> str:
    """Contract text of the beginning of its hour."""
    return rfc3339(moment.replace(minute=0, second=0, microsecond=0))


@dataclass(slots=True)
class Sum:
    """What one name came to in one hour."""

    unit: str
    sum: int | float = 0
    readings: int = 0
    flags: Counter[str] = field(default_factory=Counter)

    def add(self, reading: Reading) -> None:
        self.unit = reading.unit
        self.sum += reading.delta or 0
        self.readings += 1
        if reading.flag:
            self.flags[reading.flag] += 1


@dataclass(slots=True)
class Tally:
    """What is summed and not kept yet, with the driver's memory that belongs to it: both go to disk together."""

    device: str
    pending: dict[tuple[str, str], Sum] = field(default_factory=dict)  # (hour, name)
    memory: dict[str, Any] = field(default_factory=dict)
    hours: set[str] = field(default_factory=set)  # of which there is something to be told one day

    def add(self, readings: Iterable[Reading], memory: Mapping[str, Any], hour: str) -> None:
        """What one look counted."""
        self.memory |= memory
        for reading in readings:
            if reading.delta is not None or reading.flag:  # what was not believed is told with its hour, too
                self.pending.setdefault((hour, reading.name), Sum(reading.unit)).add(reading)
                self.hours.add(hour)

    def is_news(self, kept: Mapping[str, Any]) -> bool:
        """Whether a crash now would forget anything that `kept`, the memory as it was written last, does not hold."""
        counted = any(s.sum or s.flags for s in self.pending.values())
        return counted or any(kept.get(name) != value for name, value in self.memory.items())

    def is_over(self, hour: str) -> bool:
        """Whether another hour than the present one waits to be told."""
        return bool(self.hours - {hour})

    def take(self) -> Tally:
        """What waits, to be written; this one begins anew."""
        taken = Tally(self.device, self.pending, self.memory)
        self.pending, self.memory = {}, {}
        return taken

    def put_back(self, taken: Tally) -> None:
        """It could not be written: it waits again, beside what came meanwhile."""
        self.memory = {**taken.memory, **self.memory}
        for key, more in self.pending.items():
            was = taken.pending.setdefault(key, Sum(more.unit))
            was.sum, was.readings = was.sum + more.sum, was.readings + more.readings
            was.flags.update(more.flags)
        self.pending = taken.pending


def hours_of(tx: Tx, device: str) -> set[str]:
    """The hours of which the journal holds sums that are not told yet."""
    return {row[0] for row in tx.all("SELECT DISTINCT hour FROM tallies WHERE device = ?", device)}


def keep(tx: Tx, taken: Tally, hour: str, grade: str) -> None:
    """One transaction: sums and memory; every hour but the present one is told and gone."""
    for (of, name), more in taken.pending.items():
        _join(tx, taken.device, of, name, more)
    remember(tx, taken.device, taken.memory)
    for over in sorted(hours_of(tx, taken.device) - {hour}):
        _tell(tx, taken.device, over, grade)


def _join(tx: Tx, device: str, hour: str, name: str, more: Sum) -> None:
    which = (device, hour, name)
    row = tx.one("SELECT flags FROM tallies WHERE device = ? AND hour = ? AND name = ?", *which)
    flags = Counter(json.loads(row["flags"])) if row else Counter[str]()
    sql = (
        "INSERT INTO tallies VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, hour, name) DO UPDATE SET "
        "unit = excluded.unit, sum = sum + excluded.sum, readings = readings + excluded.readings, "
        "flags = excluded.flags"
    )
    tx.do(sql, *which, more.unit, more.sum, more.readings, json.dumps(flags + more.flags))


def _tell(tx: Tx, device: str, hour: str, grade: str) -> None:
    rows = tx.all("SELECT * FROM tallies WHERE device = ? AND hour = ? ORDER BY name", device, hour)
    sums: dict[str, Any] = {}
    for row in rows:
        sums[row["name"]] = {"sum": row["sum"], "unit": row["unit"], "readings": row["readings"]}
        sums[row["name"]]["flags"] = json.loads(row["flags"])
    tx.emit(DEVICE_COUNTED, device, {"device": device, "hour": hour, "clock": grade, "sums": sums})
    tx.do("DELETE FROM tallies WHERE device = ? AND hour = ?", device, hour)
