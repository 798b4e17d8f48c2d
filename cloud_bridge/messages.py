"""The contract's messages: one pydantic model for the `data` of each type, and the catalogue of types.

Knows what travels between a branch and any scheduler; must not know how it travels, nor what the branch does with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

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


class Document(Message):
    """A document that the order prints (ORD-1): fetched over HTTPS, checked, deleted once its print is settled."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")] = Field(
        description="what the scene's step calls it"
    )
    media_type: Literal["application/pdf", "image/pwg-raster", "image/urf", "image/jpeg"]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="of the document's bytes, 64 small hexadecimal digits"
    )
    address: Annotated[str, StringConstraints(pattern=r"^https://[A-Za-z0-9._:\[\]-]+(/[!-~]*)?$")] | None = Field(
        default=None, max_length=2000, description="where it is fetched, https:// only"
    )
    jwe: str | None = Field(default=None, description="not served yet: a branch has no keys, so give an address")


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
    code_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None,
        description="of the pick-up code that its customer will scan: SHA-256 of its UTF-8 bytes, small hexadecimal; "
        "never the code itself",
    )
    documents: list[Document] = Field(
        default_factory=list, max_length=8, description="what its scene prints on paper that it does not lay out itself"
    )


class CodeResolve(Message):
    """The answer to a `code.scanned` that is `unknown`: the order whose customer scanned it, or that it is nobody's."""

    scan: str = Field(max_length=200, description="as the event named it")
    order: OrderId | None = Field(default=None, description="the order here that goes on by it")
    unknown: bool = Field(default=False, description="true: nobody's code; nothing goes on")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.order is None) is not self.unknown:
            raise PydanticCustomError("order_or_unknown", "say either the order or that it is unknown")
        return self


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
    AGAIN = "again"  # do it once more, on another device of the same role if `device` names one: two people
    BY_HAND = "by_hand"  # people do by hand what the step should have done; the order goes on without it: one person
    SKIP = "skip"  # the order goes on without the step: one person
    RELEASE = "release"  # a step that waits for two people may be done: two people


# The order goes on, or the machine acts.
TWO_PEOPLE = frozenset({Choice.DONE, Choice.NO_EFFECT, Choice.AGAIN, Choice.RELEASE})


class OrderResolve(Message):
    """A person's decision on a step in doubt or a device that needs hands (ORD-6)."""

    step: Name = Field(description="the step that asks for a decision")
    attempt: str = Field(max_length=200, description="the attempt that was looked at, as told in the event that asked")
    choice: Choice
    device: Name | None = Field(
        default=None, description="with `again`: the device that shall do it, of the same role; absent: the same device"
    )
    people: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        min_length=1,
        max_length=4,
        description="who looked at the machine, /people/{id}; two distinct for done, no_effect, again and release",
    )
    note: Sentence = Field(default="", description="what was seen")


class CellLoad(Message):
    """What lies in one cell now: an article with its serial number, or nothing."""

    cell: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
    article: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="what scenes ask for by this word; absent: the cell was emptied"
    )
    serial: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None, description="of this one article; needed with `article`"
    )


class StockReplenish(Message):
    """Two people loaded or emptied cells of the cabinet in `subject`; each cell's sensor confirms it, or not."""

    cells: list[CellLoad] = Field(min_length=1, max_length=200)
    people: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        min_length=1, max_length=4, description="who loaded, /people/{id}; two distinct"
    )
    note: Sentence = ""


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


class Counted(Message):
    """What people found in one machine when they looked into it (ORD-12)."""

    device: Name
    found: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)] = Field(
        description="what is in it, and in its mouth"
    )
    articles: int | None = Field(default=None, ge=0, le=1_000_000, description="how many of them, where they count")


class JournalAdopt(Message):
    """Adopt a journal without predecessor: the centre by its `orders`, on site two `people` by a count (ORD-12)."""

    journal: str = Field(description="the journal to adopt, as its birth tells")
    orders: list[OrderId] = Field(
        default_factory=list, max_length=10_000, description="orders that the centre holds for this branch"
    )
    people: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=4, description="on site only: who counted, /people/{id}; two distinct"
    )
    counted: list[Counted] = Field(
        default_factory=list, max_length=200, description="on site only: what they found in each machine of the branch"
    )
    note: Sentence = ""


class ClockAttest(Message):
    """Two people confirm that the branch's clock is right; it lapses with the boot and at a jump (INS-5)."""

    journal: str = Field(description="the branch's journal, as its birth tells")
    epoch: int = Field(ge=1, description="its start, as the birth tells: what was said before it does not count")
    time: Moment = Field(description="what their watch says when this is sent; a minute's difference is allowed")
    people: list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] = Field(
        min_length=1, max_length=4, description="who looked, /people/{id}; two distinct"
    )
    note: Sentence = Field(default="", description="what they compared it with")


# -- up: replies, events, session, twins -------------------------------------------------------------------------------


class Reply(Message):
    """The one answer to an instruction (INS-3)."""

    instruction: str = Field(description="the id of the instruction that this answers")
    status: Literal["accepted", "rejected"]
    code: Code | None = Field(default=None, description="why it was rejected")
    reason: str | None = Field(default=None, description="which case of its code it is: a stable word")
    facts: dict[str, Any] = Field(default_factory=dict, description="what belongs into the sentence of its `reason`")
    message: str = Field(default="", description="what is wrong and what to do, one English sentence, for logs")
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
    proven: list[str] = Field(default_factory=list, description="where only some of `by` were proven: those")
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
    proven: list[str] = Field(default_factory=list, description="where only some of `by` were proven: those")


class OrderCorrected(EventData):
    """The truth became known after the order's end, or after people had decided; the state stays (ORD-8)."""

    order: str
    step: str | None = None
    attempt: str | None = None
    state: str = Field(description="the order's state, which stays")
    truth: str = Field(description="what really happened")
    reason: str = ""
    item: str = "unknown"
    facts: dict[str, Any] = Field(default_factory=dict)
    by: list[str] = Field(default_factory=list)
    authenticated: bool = False
    proven: list[str] = Field(default_factory=list, description="where only some of `by` were proven: those")


class DeviceChanged(EventData):
    """A device was lost, came back, or noted something that it tells only once (DEV-2, PHY-5)."""

    device: str
    state: str = Field(description="XFS4IoT device word, or the note's kind")
    reason: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)


class CodeScanned(EventData):
    """A customer showed a code at a scanner, and what it came to."""

    device: str
    sha256: str = Field(description="of the code's UTF-8 bytes")
    shown: str = Field(
        default="", description="what may be seen of it, by the scanner's settings: its last four letters"
    )
    result: str = Field(description="released, already, ended, stopped, held, too_early, elsewhere, unknown")
    scan: str | None = Field(default=None, description="with `unknown`: what `code.resolve` answers")
    order: str | None = Field(default=None, description="the order that has this code")
    state: str | None = Field(default=None, description="that order's state")


class Summed(Message):
    """What one name of a device came to in an hour."""

    sum: float | int = Field(description="what was counted: the sum of the deltas")
    unit: str
    readings: int = Field(ge=0, description="how many readings made it up")
    flags: dict[str, int] = Field(default_factory=dict, description="flag -> how many readings bore it")


class DeviceCounted(EventData):
    """What a device counted in an hour that is over (DEV-3). Several of one hour add up."""

    device: str
    hour: Moment = Field(description="the hour's beginning, by the branch's clock")
    clock: str = Field(default="unknown", description="the clock's grade when it was told (INS-5)")
    sums: dict[str, Summed] = Field(default_factory=dict, description="by the reading's name")


class StockChanged(EventData):
    """One cell stands otherwise: loaded, kept for an order, opened, empty, shut for people, or not as declared."""

    device: str
    cell: str
    article: str | None = Field(default=None, description="what lies in it, or lay in it until now")
    serial: str | None = None
    from_: str | None = Field(default=None, alias="from", description="how it stood before")
    to: str = Field(
        description="empty, declared, sealed, reserved, opened, shut, manipulated (something is gone), inoperative"
    )
    reason: str = ""
    order: str | None = Field(default=None, description="the order that has, or had, the cell")
    attempt: str | None = Field(default=None, description="shut: what people are asked about")
    by: list[str] = Field(default_factory=list)
    authenticated: bool = False
    proven: list[str] = Field(default_factory=list, description="where only some of `by` were proven: those")


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


class AuditHead(Message):
    """How far the branch's audit chain reaches: what stands before it cannot be changed later without being told."""

    seq: int = Field(ge=0, description="number of the newest row; 0: none yet")
    hash: str = Field(description="its hash, which stands for every row before it too")


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
    store: str = Field(
        default="good",
        description="good; journal_full: no new order is taken; disk_full: nothing new is begun; "
        "read_only: nothing is written (OUT-4)",
    )
    wear: dict[str, int] = Field(
        default_factory=dict,
        description="since the journal was made: bytes written, commits, transactions, orders, bytes_per_order",
    )
    devices: dict[str, str] = Field(default_factory=dict, description="device -> state, in XFS4IoT words")
    counts: dict[str, int] = Field(default_factory=dict, description="open orders by state")
    oldest: list[OpenOrder] = Field(default_factory=list, description="the oldest open orders")
    config: str = Field(default="", description="digest of the applied configuration")
    audit: AuditHead | None = Field(default=None, description="in the birth: the head of the branch's audit chain")


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
    auxiliaries: dict[str, str] = Field(
        default_factory=dict, description="XFS4IoT Auxiliaries: doors, sensors, power -> closed, open, ..."
    )
    order: str | None = Field(default=None, description="the order whose item is in the device")
    journal: str
    after: int


class ReadingShown(Message):
    """One value that a device showed (DEV-3)."""

    name: str
    raw: int | float | str = Field(description="as the device shows it")
    unit: str = Field(default="", description="people, notes, celsius, ...; absent for a plain word")
    delta: int | float | None = Field(
        default=None, description="counted since the reading before; absent: not known, or nothing is counted"
    )
    flag: str = Field(default="", description="wrapped, went_back, or what else is doubtful in it; absent: nothing")
    at: str = Field(default="", description="the device's own time of it, where it has a clock")


class DeviceObserved(Message):
    """What a device observed at one moment (DEV-3): QoS 0, expiring, the first to be shed (DEV-4)."""

    device: str
    kind: str
    role: str
    time: Moment = Field(description="when it was read, by the branch's clock")
    readings: list[ReadingShown] = Field(min_length=1)
    shed: int = Field(default=0, ge=0, description="how many of this device's were left out since the one before")
    journal: str
    after: int


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
