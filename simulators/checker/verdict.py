"""What a judgement is made of: orders and attempts as they were told, and the report on them.

Knows how a verdict is kept and shown; the rules stand in the other files.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from simulators.checker.words import ENDS, Json, serial_of


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: `kind` is a stable word for tests, `text` names what and where."""

    kind: str
    text: str


@dataclass(slots=True)
class Attempt:
    """One arming as it was told, and the ledger acts that fell to it."""

    id: str
    order: str
    step: str
    act: str
    device: str
    state: str = "armed"
    item: str = "unknown"
    by_people: bool = False  # a person's word settled it
    doubted: bool = False  # it was in doubt at some time
    facts: Json = field(default_factory=dict)
    acts: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """One order as it was told."""

    id: str
    state: str
    reason: str = ""
    facts: list[Json] = field(default_factory=list)  # whatever was told that may say where the card went
    end_facts: Json = field(default_factory=dict)  # what was told with the state it stands in
    left_inside: bool = False  # it was told that the card stands in the machine or that nobody knows
    by_people: bool = False  # a person's word is in it, which is not held against the machine
    steps: dict[str, str] = field(default_factory=dict)
    decisions: int = 0  # people's, each of which may allow one more attempt

    @property
    def settled(self) -> bool:
        return self.state in ENDS or self.state == "needs_attention"


@dataclass(slots=True)
class Report:
    """The verdict. `ok` is true when nothing was violated."""

    violations: list[Violation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    books: dict[tuple[str, str], Json] = field(default_factory=dict)  # each cell as it was told last
    repeats: int = 0
    acts: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        return not self.violations

    @property
    def kinds(self) -> set[str]:
        return {violation.kind for violation in self.violations}

    def blame(self, kind: str, text: str) -> None:
        self.violations.append(Violation(kind, text))

    def count(self, state: str) -> int:
        """How many orders are in this state."""
        return sum(order.state == state for order in self.orders.values())

    def as_json(self) -> Json:
        """The verdict for programs: what is wrong, and each attempt with the acts that fell to it."""
        return {
            "ok": self.ok,
            "violations": [{"kind": violation.kind, "text": violation.text} for violation in self.violations],
            "notes": self.notes,
            "acts": dict(self.acts),
            "orders": {order.id: order.state for order in self.orders.values()},
            "attempts": [{"attempt": a.id, "order": a.order, "state": a.state, "acts": a.acts} for a in self.attempts],
        }

    def table(self) -> str:
        """The whole verdict as text: each attempt with its acts, then what is wrong."""
        rows = [("attempt", "device", "act", "told", "acts in the ledger")]
        for attempt in self.attempts:
            acts = ", ".join(f"#{act.get('n')} {act['act']} {_mark(act)}".rstrip() for act in attempt.acts)
            rows.append((attempt.id, attempt.device, attempt.act, attempt.state, acts or "-"))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows
        ]
        states = Counter(order.state for order in self.orders.values())
        lines += ["", "orders: " + (", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none")]
        lines += ["acts:   " + (", ".join(f"{count} {act}" for act, count in sorted(self.acts.items())) or "none")]
        lines += [f"events received twice: {self.repeats}"]
        lines += [f"note: {note}" for note in self.notes]
        lines += [f"VIOLATION {violation.kind}: {violation.text}" for violation in self.violations]
        lines += ["verdict: " + ("ok" if self.ok else f"{len(self.violations)} violation(s)")]
        return "\n".join(lines)


def _mark(act: Json) -> str:
    detail = act.get("detail") or {}
    return f"重印 {detail['reprint']}" if detail.get("reprint") else serial_of(act) or ""
