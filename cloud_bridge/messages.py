"""The contract's messages: one pydantic model for the `data` of each type, and the catalogue of types.

Knows what travels between a branch and any scheduler; must not know how it travels, nor what the branch does with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud_bridge.envelope import Moment

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
OrderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$")]
Sentence = Annotated[str, StringConstraints(max_length=500)]


class Message(BaseModel):
    """Base of all `data` models: unknown members are kept and ignored (ENV-1)."""

    model_config = ConfigDict(extra="allow")


class Code(StrEnum):
    """Why an instruction was rejected (INS-4)."""

    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    UNAUTHORIZED = "unauthorized"
    EXPIRED = "expired"
    CONFLICT = "conflict"
    UNKNOWN_ORDER = "unknown_order"
    UNKNOWN_TICKET = "unknown_ticket"
    UNKNOWN_DEVICE = "unknown_device"
    UNKNOWN_SCENE = "unknown_scene"
    NO_DEVICE_FOR_ROLE = "no_device_for_role"
    DEVICE_DOWN = "device_down"
    TERMINAL = "terminal"
    TOO_LATE = "too_late"
    NO_STOCK = "no_stock"
    JOURNAL_NEW = "journal_new"
    OVERLOADED = "overloaded"
    MAINTENANCE = "maintenance"


# -- down: instructions ------------------------------------------------------------------------------------------------


class OrderSubmit(Message):
    """One thing a customer asked for (ORD-1). The order's id is the envelope's `subject`, or the instruction's id."""

    scene: Name = Field(description="the recipe of the branch to follow")
    parameters: dict[str, Any] = Field(default_factory=dict, description="what the scene asks for, by name")
    customer: str = Field(default="", max_length=100, description="a reference, never a name, number or card in clear")
    priority: int = Field(default=0, ge=-100, le=100, description="higher goes first")
    not_before: Moment | None = Field(default=None, description="nothing of it is done earlier")
    deadline: Moment | None = Field(default=None, description="last moment at which a step may be armed")
    retry_of: str | None = Field(
        default=None, max_length=200, description="the rejected instruction that this one retries"
    )


class OrderCancel(Message):
    """Cancel the order in `subject`: decided where the next step would be armed (ORD-7)."""

    reason: Sentence = ""


class OrderHold(Message):
    """Arm no further step of the order in `subject` until `order.release`."""

    reason: Sentence = ""


class OrderRelease(Message):
    """Let the held order in `subject` go on."""

    reason: Sentence = ""


class Choice(StrEnum):
    """How a person settles a step that needs attention (ORD-6)."""

    DONE = "done"  # it happened: two people, because the order goes on from there
    NO_EFFECT = "no_effect"  # it did not happen: two people, because the machine may act again
    FAILED = "failed"  # do not repeat; the item was secured by hand: one person
    CAPTURE = "capture"  # the machine takes the item into its bin, the order fails: one person


class OrderResolve(Message):
    """A person's decision on a step in doubt or a device that needs hands (ORD-6)."""

    step: Name = Field(description="the step that asks for a decision")
    attempt: str = Field(max_length=200, description="the attempt that was looked at, as told in the event that asked")
    choice: Choice
    people: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        min_length=1,
        max_length=4,
        description="who looked at the machine, /people/{id}; two distinct for done and no_effect",
    )
    note: Sentence = Field(default="", description="what was seen")


class OrdersRequest(Message):
    """Ask for the list of orders; the page stands in the reply's `result` (SES-2)."""

    states: list[str] = Field(default_factory=list, max_length=16, description="empty = all open ones")
    order: OrderId | None = Field(default=None, description="one order with steps, attempts and history")
    after: str | None = Field(default=None, max_length=200, description="`next` of the page before")
    limit: int = Field(default=50, ge=1, le=100)


class EventsRequest(Message):
    """Ask for events to be sent again: seq `from` to `to`, both included, of this journal (SES-6)."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    journal: str = Field(description="the journal that the events are of")
    from_: int = Field(alias="from", ge=1, description="first seq")
    to: int = Field(ge=1, description="last seq; at most 10,000 events at once")


class JournalAdopt(Message):
    """Adopt a journal without predecessor: `orders` are those that the centre holds for this branch (ORD-12)."""

    journal: str = Field(description="the journal to adopt, as its birth tells")
    orders: list[OrderId] = Field(
        default_factory=list, max_length=10_000, description="orders that the centre holds for this branch"
    )


# -- up: replies, events, session, twins -------------------------------------------------------------------------------


class Reply(Message):
    """The one answer to an instruction (INS-3)."""

    instruction: str = Field(description="the id of the instruction that this answers")
    status: Literal["accepted", "rejected"]
    code: Code | None = Field(default=None, description="why it was rejected")
    message: str = Field(default="", description="what is wrong and what to do, one English sentence")
    order: str | None = Field(default=None, description="the order that it made or changed")
    result: dict[str, Any] | None = Field(default=None, description="what was asked for")
    repeat: bool = Field(default=False, description="the instruction was answered before; this is that answer")
    journal: str
    after: int = Field(description="the last seq committed when this was made (ENV-2)")


class EventData(Message):
    """Base of events: gap-free by `seq` in one `journal` (ENV-2)."""

    journal: str = Field(description="UUID of the journal that counts `seq`")
    seq: int = Field(ge=1, description="1, 2, 3 ... without a gap in one journal")


class OrderChanged(EventData):
    """An order went from one state to another (ORD-2)."""

    order: str
    scene: str
    from_: str | None = Field(default=None, alias="from", description="the state before; absent when it was accepted")
    to: str = Field(description="the state now")
    waiting_for: str | None = Field(default=None, description="customer, staff, remote, stock, device or clock")
    step: str | None = Field(default=None, description="the step that it stands at")
    reason: str = ""
    by: list[str] = Field(default_factory=list, description="the people who decided, /people/{id}")
    authenticated: bool = Field(default=False, description="whether `by` was proven, or only declared")
    facts: dict[str, Any] = Field(default_factory=dict)


class StepChanged(EventData):
    """A step went from one state to another (ORD-3)."""

    order: str
    step: str
    attempt: str | None = Field(default=None, description="each arming is an attempt with its own id (ORD-3)")
    act: str = Field(description="what the device is asked to do")
    device: str | None = None
    from_: str | None = Field(default=None, alias="from", description="the state before")
    to: str = Field(description="the state now")
    reason: str = ""
    item: str = Field(default="unknown", description="where the item is, as far as it is known (ORD-11)")
    facts: dict[str, Any] = Field(default_factory=dict, description="readings: preconditions when armed, else evidence")
    by: list[str] = Field(default_factory=list)
    authenticated: bool = False


class OrderCorrected(EventData):
    """The truth became known after the order's end; the state stays (ORD-8)."""

    order: str
    step: str | None = None
    attempt: str | None = None
    state: str = Field(description="the end state, which stays")
    truth: str = Field(description="what really happened")
    reason: str = ""
    item: str = "unknown"
    facts: dict[str, Any] = Field(default_factory=dict)
    by: list[str] = Field(default_factory=list)
    authenticated: bool = False


class DeviceChanged(EventData):
    """A device was lost, came back, or noted something that it tells only once (DEV-2, PHY-5)."""

    device: str
    state: str = Field(description="XFS4IoT device word, or the note's kind")
    reason: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)


class JournalChanged(EventData):
    """The journal itself: created, started, adopted, quarantined; or something told once of the link (ENV-5)."""

    what: str = Field(description="created, started, adopted, unreadable_instruction, publish_refused, ...")
    reason: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)


class OpenOrder(Message):
    """One open order in short."""

    order: str
    scene: str
    state: str
    waiting_for: str | None = None
    step: str | None = None


class Session(Message):
    """Birth and heartbeat (SES-2, SES-6)."""

    journal: str = Field(description="UUID, made when the journal was created")
    epoch: int = Field(description="counts starts of the agent")
    session: int = Field(description="counts CONNECTs")
    after: int = Field(description="the highest seq committed")
    acknowledged: int = Field(description="every event up to this seq was acknowledged by the broker")
    versions: dict[str, str] = Field(default_factory=dict)
    clock: str = Field(default="unknown", description="synced, attested, unknown; host is a configured grade (INS-5)")
    adopted: bool = Field(default=True, description="false: physical instructions get journal_new (ORD-12)")
    devices: dict[str, str] = Field(default_factory=dict, description="device -> state, in XFS4IoT words")
    counts: dict[str, int] = Field(default_factory=dict, description="open orders by state")
    oldest: list[OpenOrder] = Field(default_factory=list, description="the oldest open orders")
    config: str = Field(default="", description="digest of the applied configuration")


class Death(Message):
    """The end of one session: the will, or a planned stop with its reason (SES-3)."""

    journal: str
    session: int
    reason: str = "lost"


class DeviceReported(Message):
    """A device's twin (DEV-1)."""

    device: str
    kind: str
    role: str
    state: str = Field(description="XFS4IoT Common.Status device")
    reason: str = Field(default="", description="why it is not simply online, or why its lane is shut")
    lane: Literal["open", "shut"] = Field(default="open", description="shut: a person must look first (PHY-7)")
    media: str = Field(default="unknown", description="XFS4IoT CardReader media")
    storage: dict[str, dict[str, Any]] = Field(default_factory=dict, description="XFS4IoT storage units by name")
    identity: dict[str, str] = Field(default_factory=dict, description="serial number, firmware and the like")
    counters: dict[str, int] = Field(default_factory=dict, description="what the driver counted since it was made")
    order: str | None = Field(default=None, description="the order whose item is in the device")
    journal: str
    after: int


Model = type[Message]
Authority = Literal["read", "service", "physical", "admin"]


@dataclass(frozen=True, slots=True)
class MessageType:
    """One row of the catalogue: what a type carries, on which topic, and the class an instruction needs (INS-6)."""

    type: str
    topic: Literal["session", "instructions", "replies", "events", "devices"]
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
        _instruction("orders.request", OrdersRequest, "read"),
        _instruction("events.request", EventsRequest, "read"),
        _instruction("journal.adopt", JournalAdopt, "admin"),
    )
}
# Named by INS-8, built with the features that they belong to; until then the answer is `unsupported`, not `invalid`.
PLANNED = frozenset(
    f"branchgate.{name}.v1"
    for name in (
        *("ticket.issue", "ticket.call", "ticket.transfer", "ticket.cancel", "appointment.put", "appointment.cancel"),
        *("task.claim", "task.release", "task.complete", "code.resolve", "device.command", "stock.replenish"),
        *("stock.reserve", "stock.release", "evidence.request", "report.request", "key.rotate", "software.update"),
        *("software.rollback", "drill.start", "drill.stop"),
    )
)
REPLY = MessageType("branchgate.instruction.answered.v1", "replies", Reply)
BORN = MessageType("branchgate.session.born.v1", "session", Session)
BEAT = MessageType("branchgate.session.beat.v1", "session", Session)
DIED = MessageType("branchgate.session.died.v1", "session", Death)
TWIN = MessageType("branchgate.device.reported.v1", "devices", DeviceReported)
EVENTS = {
    row.type: row
    for row in (
        MessageType("branchgate.order.changed.v1", "events", OrderChanged),
        MessageType("branchgate.step.changed.v1", "events", StepChanged),
        MessageType("branchgate.order.corrected.v1", "events", OrderCorrected),
        MessageType("branchgate.device.changed.v1", "events", DeviceChanged),
        MessageType("branchgate.journal.changed.v1", "events", JournalChanged),
    )
}
CATALOGUE: dict[str, MessageType] = {
    **INSTRUCTIONS,
    **EVENTS,
    **{row.type: row for row in (REPLY, BORN, BEAT, DIED, TWIN)},
}
