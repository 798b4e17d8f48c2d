"""What a scheduler knows of a branch's orders: each event applied once, and whatever is missing among them.

Knows the contract's events only; it asks nobody for anything and shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from cloud_bridge.envelope import Envelope
from cloud_bridge.messages.catalogue import EVENTS
from cloud_bridge.messages.reports import (
    DeviceChanged,
    EventData,
    JournalChanged,
    OrderChanged,
    OrderCorrected,
    StepChanged,
    StockChanged,
)

ENDS = frozenset({"completed", "partly_completed", "failed", "cancelled", "expired"})  # ORD-2


@dataclass(frozen=True, slots=True)
class Question:
    """What an order asks of people (ORD-6): which attempt to look at, and what may be decided."""

    step: str
    attempt: str
    choices: tuple[str, ...]


@dataclass(slots=True)
class StepView:
    """A step as last told."""

    name: str
    act: str = ""
    device: str | None = None
    state: str = "pending"
    attempt: str | None = None
    reason: str = ""
    item: str = "unknown"
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class OrderView:
    """An order as last told. `told` are its events in the order of the journal."""

    id: str
    scene: str = ""
    state: str = "accepted"
    waiting_for: str | None = None
    reason: str = ""
    device: str | None = None
    truth: str = ""  # set by a correction after the end (ORD-8)
    question: Question | None = None  # while it needs a person
    steps: dict[str, StepView] = field(default_factory=dict)
    told: list[EventData] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return self.state in ENDS


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that exist and never came: `first` to `last`, both included (SES-6)."""

    journal: str
    first: int
    last: int


def read_event(envelope: Envelope) -> EventData | None:
    """The event's data as its model; None for a type or form that this version does not know (ENV-1)."""
    row = EVENTS.get(envelope.type)
    if row is None:
        return None
    try:
        event = row.model.model_validate(envelope.data)
    except ValidationError:
        return None
    return event if isinstance(event, EventData) else None


class OrderBook:
    """Orders and devices of one branch, from events in the order of their journal (the client puts them in order)."""

    def __init__(self) -> None:
        self.orders: dict[str, OrderView] = {}
        self.devices: dict[str, str] = {}
        self.gaps: list[Gap] = []
        self.applied = 0
        self._highest: dict[str, int] = {}

    def take(self, event: EventData) -> bool:
        """Applies an event; False when it, or a newer one, came before (ENV-2). A jump in seq is kept as a gap."""
        highest = self._highest.get(event.journal)
        if highest is not None and event.seq <= highest:
            return False
        if highest is not None and event.seq > highest + 1:
            self.gaps.append(Gap(event.journal, highest + 1, event.seq - 1))
        self._highest[event.journal] = event.seq
        self.applied += 1
        if apply := _APPLY.get(type(event)):
            apply(self, event)
        return True

    def order(self, order_id: str) -> OrderView:
        """The order as known; a new one when nothing was told of it yet."""
        return self.orders.setdefault(order_id, OrderView(order_id))


def _order_changed(book: OrderBook, event: OrderChanged) -> None:
    order = book.order(event.order)
    order.told.append(event)
    order.scene, order.state, order.waiting_for = event.scene, event.to, event.waiting_for
    order.reason = event.reason
    order.question = question_in(event)


def question_in(event: OrderChanged) -> Question | None:
    """What this change asks of people; None when it asks nothing."""
    step, attempt, choices = (event.facts.get(name) for name in ("step", "attempt", "choices"))
    if (
        event.to not in {"needs_attention", "waiting"}
        or not choices
        or not isinstance(step, str)
        or not isinstance(attempt, str)
    ):
        return None
    return Question(step, attempt, tuple(str(choice) for choice in choices) if isinstance(choices, list) else ())


def _step_changed(book: OrderBook, event: StepChanged) -> None:
    order = book.order(event.order)
    order.told.append(event)
    step = order.steps.setdefault(event.step, StepView(event.step))
    step.act, step.device, step.state, step.reason = event.act, event.device, event.to, event.reason
    step.item = event.item
    step.attempt = event.attempt or step.attempt
    step.facts.update(event.facts)
    if event.to != "skipped":  # nothing was done there
        order.device = event.device or order.device


def _order_corrected(book: OrderBook, event: OrderCorrected) -> None:
    order = book.order(event.order)
    order.told.append(event)
    order.truth = event.truth


def _device_changed(book: OrderBook, event: DeviceChanged) -> None:
    book.devices[event.device] = event.state


def _stock_changed(book: OrderBook, event: StockChanged) -> None:
    """Tells of a cell; an order that has it tells its own course."""


def _journal_changed(book: OrderBook, event: JournalChanged) -> None:
    """Tells of the journal, not of an order."""


_APPLY: dict[type[EventData], Callable[[OrderBook, Any], None]] = {
    OrderChanged: _order_changed,
    StepChanged: _step_changed,
    OrderCorrected: _order_corrected,
    DeviceChanged: _device_changed,
    StockChanged: _stock_changed,
    JournalChanged: _journal_changed,
}
