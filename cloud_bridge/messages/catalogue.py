"""The catalogue of types: what each carries, on which topic, and the class of trust that an instruction needs (INS-6).

Knows names and models; a new type of message begins with its row here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cloud_bridge.messages.instructions import (
    ClockAttest,
    CodeResolve,
    EventsRequest,
    JournalAdopt,
    OrderCancel,
    OrderHold,
    OrderRelease,
    OrderResolve,
    OrdersRequest,
    OrderSubmit,
    StockReplenish,
)
from cloud_bridge.messages.reports import (
    CodeScanned,
    Death,
    DeviceChanged,
    DeviceCounted,
    DeviceObserved,
    DeviceReported,
    JournalChanged,
    OrderChanged,
    OrderCorrected,
    Reply,
    Session,
    StepChanged,
    StockChanged,
)
from cloud_bridge.messages.words import Message

Model = type[Message]
Authority = Literal["read", "service", "physical", "admin"]


@dataclass(frozen=True, slots=True)
class MessageType:
    """One row of the catalogue: what a type carries, on which topic, and the class an instruction needs (INS-6)."""

    type: str
    topic: Literal["session", "instructions", "replies", "events", "devices", "readings"]
    model: Model
    authority: Authority | None = None


def _instruction(name: str, model: Model, authority: Authority) -> MessageType:
    return MessageType(f"branchgate.{name}.v1", "instructions", model, authority)


INSTRUCTIONS = {
    row.type: row
    for row in (
        _instruction("order.submit", OrderSubmit, "physical"),
        _instruction("order.cancel", OrderCancel, "service"),
        _instruction("order.hold", OrderHold, "service"),
        _instruction("order.release", OrderRelease, "service"),
        _instruction("order.resolve", OrderResolve, "physical"),
        _instruction("stock.replenish", StockReplenish, "physical"),
        _instruction("code.resolve", CodeResolve, "physical"),
        _instruction("orders.request", OrdersRequest, "read"),
        _instruction("events.request", EventsRequest, "read"),
        _instruction("journal.adopt", JournalAdopt, "admin"),
        _instruction("clock.attest", ClockAttest, "admin"),
    )
}
# Named by INS-8, built with the features that they belong to; until then the answer is `unsupported`, not `invalid`.
PLANNED = frozenset(
    f"branchgate.{name}.v1"
    for name in (
        *("ticket.issue", "ticket.call", "ticket.transfer", "ticket.cancel", "appointment.put", "appointment.cancel"),
        *("task.claim", "task.release", "task.complete", "device.command"),
        *("stock.reserve", "stock.release", "evidence.request", "report.request", "key.rotate", "software.update"),
        *("software.rollback", "drill.start", "drill.stop"),
    )
)
REPLY = MessageType("branchgate.instruction.answered.v1", "replies", Reply)
BORN = MessageType("branchgate.session.born.v1", "session", Session)
BEAT = MessageType("branchgate.session.beat.v1", "session", Session)
DIED = MessageType("branchgate.session.died.v1", "session", Death)
TWIN = MessageType("branchgate.device.reported.v1", "devices", DeviceReported)
READING = MessageType("branchgate.device.observed.v1", "readings", DeviceObserved)
EVENTS = {
    row.type: row
    for row in (
        MessageType("branchgate.order.changed.v1", "events", OrderChanged),
        MessageType("branchgate.step.changed.v1", "events", StepChanged),
        MessageType("branchgate.order.corrected.v1", "events", OrderCorrected),
        MessageType("branchgate.device.changed.v1", "events", DeviceChanged),
        MessageType("branchgate.device.counted.v1", "events", DeviceCounted),
        MessageType("branchgate.stock.changed.v1", "events", StockChanged),
        MessageType("branchgate.code.scanned.v1", "events", CodeScanned),
        MessageType("branchgate.journal.changed.v1", "events", JournalChanged),
    )
}
CATALOGUE: dict[str, MessageType] = {
    **INSTRUCTIONS,
    **EVENTS,
    **{row.type: row for row in (REPLY, BORN, BEAT, DIED, TWIN, READING)},
}
