"""Whether counted banknotes are what an order expects, bundle by bundle, before they are handed over.

Pure. Knows batches, an amount and how many bundles make it; must not know lines, journals nor who hands over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from device_drivers.banknotes.batch import Counted
from device_drivers.banknotes.note import Fitness

# Why a batch, or the sum of them, is not taken: codes of the text catalogue.
VOID = "notes_void"
SUSPECT = "notes_suspect"
UNRECOGNIZED = "notes_unrecognized"
UNFIT = "notes_unfit"
CURRENCY = "notes_currency"
TWICE = "note_counted_twice"
DIFFERS = "notes_sum_differs"


@dataclass(slots=True)
class Tally:
    """The bundles counted so far for one order. After a sum that differs all of it begins anew."""

    expected: int
    currency: str
    bundles: int
    taken: list[tuple[str, Counted]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(counted.total for _, counted in self.taken)

    @property
    def complete(self) -> bool:
        """All bundles are counted and make the amount."""
        return len(self.taken) == self.bundles and self.total == self.expected

    def take(self, batch: str, counted: Counted) -> tuple[str, dict[str, Any]]:
        """Takes a batch in: ("", {}), or why not, with the facts. A batch that is not taken is as if never counted."""
        why = self._wrong(counted)
        if why[0]:
            return why
        if len(self.taken) + 1 < self.bundles:
            self.taken.append((batch, counted))
            return "", {}
        total = self.total + counted.total
        if total != self.expected:
            batches = [*(name for name, _ in self.taken), batch]
            self.taken.clear()
            return DIFFERS, {"expected": self.expected, "sum": total, "batches": batches}
        self.taken.append((batch, counted))
        return "", {}

    def _wrong(self, counted: Counted) -> tuple[str, dict[str, Any]]:
        if not counted.whole:
            return VOID, {"flaws": [dict(flaw) for flaw in counted.flaws]}
        for fitness, reason in _NOT_PAID_OUT.items():
            if count := counted.of(fitness):
                return reason, {"count": count}
        if counted.currency != self.currency:
            return CURRENCY, {"expected": self.currency, "currency": counted.currency}
        if twice := self._twice(counted):
            return TWICE, {"count": twice}
        return "", {}

    def _twice(self, counted: Counted) -> int:
        """Notes whose serial number was seen before, in this batch or another: the same bundle put in again."""
        before = [serial for _, earlier in self.taken for serial in earlier.serials]
        every = [*before, *counted.serials]
        return len(every) - len(set(every))

    def facts(self) -> dict[str, Any]:
        """What is told when it is complete, or when it was given up."""
        facts: dict[str, Any] = {"expected": self.expected, "sum": self.total, "currency": self.currency}
        facts["batches"] = [name for name, _ in self.taken]
        return {**facts, "count": sum(len(counted.notes) for _, counted in self.taken)}


_NOT_PAID_OUT: Mapping[Fitness, str] = {
    Fitness.SUSPECT: SUSPECT,
    Fitness.UNRECOGNIZED: UNRECOGNIZED,
    Fitness.UNFIT: UNFIT,
}
