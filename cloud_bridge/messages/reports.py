"""What comes up from a branch: one pydantic model for the `data` of each reply, event, session message and twin.

Knows what a report looks like; must not know where its facts come from.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cloud_bridge.envelope import Moment
from cloud_bridge.messages.words import Code, Message


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
