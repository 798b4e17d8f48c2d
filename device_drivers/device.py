"""The driver contract: probe, arm, act, reconcile; observe and listen; and the plain values that pass.

Knows what any device must be able to say of itself, of one act and of what it sees; must not know orders, journal or
wire protocols.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

Json = Any  # JSON value: None, bool, int, float, str, list, dict


class ActKind(StrEnum):
    """How an act can be asked about afterwards (evidence.md PHY-8)."""

    IDEMPOTENT = "idempotent"  # doing it again is harmless
    POSITIONAL = "positional"  # the state that it leaves can still be read
    COUNTABLE = "countable"  # a job id or counter survives it
    BLIND = "blind"  # only a person can tell
    WATCH = "watch"  # moves nothing: observes until something is seen


class Outcome(StrEnum):
    """What is known of one attempt."""

    DONE = "done"  # it happened, with evidence
    NO_EFFECT = "no_effect"  # it did not happen, with evidence
    FAILED = "failed"  # it went wrong; where the item is stands in the verdict
    UNKNOWN = "unknown"  # the device cannot say; a person decides


class Whereabouts(StrEnum):
    """Where the article of an act is."""

    STOCK = "stock"  # still in its stacker, cell or hopper
    TRANSPORT = "transport"  # inside the machine, on its way
    MOUTH = "mouth"  # handed over, not taken
    BIN = "bin"  # retained by the machine
    CUSTOMER = "customer"  # left the machine
    NONE = "none"  # the act concerns no article
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ActSpec:
    """One act that a driver offers, as a scene names it."""

    name: str
    kind: ActKind
    title: str  # one English sentence for logs and docs
    max_s: float  # the longest the machine moves for it, by its profile


@dataclass(frozen=True, slots=True)
class Arming:
    """The preconditions and counters read just before an act; stored with the attempt before anything moves.

    `memory` joins what the driver's notebook remembers in the transaction that arms the attempt, or not at all.
    """

    readings: Mapping[str, Json]
    memory: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attempt came to. `reason` is a catalogue code; `facts` are evidence (serial, taken, bin, readings).

    Where the reason is the cause of a doubt, the fact `verdict` says what is known of the outcome (`unproven`).

    `memory` joins what the driver's notebook remembers in the transaction that settles the attempt.
    """

    outcome: Outcome
    reason: str
    item: Whereabouts = Whereabouts.UNKNOWN
    facts: Mapping[str, Json] = field(default_factory=dict)
    lane_shut: bool = False  # it may hold an item of unknown whereabouts: nothing more until a person settled it
    memory: Mapping[str, Json] = field(default_factory=dict)
    cell: str = ""  # where the item lies in a cell of its own: that one is shut in doubt, the others go on (PHY-7)


class NothingToDo(Exception):
    """Arming found that the act is needless: `verdict` tells what the reading shows (the card left already)."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Twin:
    """What is known of a device, in XFS4IoT words (devices.md §6.3 to §6.6)."""

    # online, offline, powerOff, noDevice, hardwareError, userError, deviceBusy, fraudAttempt, potentialFraud, starting
    device: str
    reason: str = ""  # catalogue code of what is wrong, empty when nothing is
    media: str = "unknown"  # unknown, notPresent, present, jammed, entering
    # storage unit id -> type, count, replenishmentStatus, status
    storage: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    identity: Mapping[str, str] = field(default_factory=dict)  # model, firmware, serialNumber, configuration
    # garbageBytes, badFrames, naks, resends (of questions), lateReplies, floods
    counters: Mapping[str, int] = field(default_factory=dict)
    # name of an input -> XFS4IoT Auxiliaries word (devices.md §6.7): cabinetDoor -> closed, open, locked, bolted, ...
    auxiliaries: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """One value that a device shows (DEV-3). When it was read is stamped by the lane.

    `delta`: what was counted since the reading before, by the driver's own knowledge of its counter (width, wrap); None
    where that is not known, or nothing is counted. Deltas of one name are summed by the hour. `flag`: `wrapped` (the
    delta is right over the wrap), `went_back` (it lost power or was cleared: the delta is what it shows since), or what
    else is doubtful in it; empty: nothing is.
    """

    name: str  # snake_case, one of few per device: `in`, `out`, `temperature`
    raw: int | float | str
    unit: str  # what is counted or measured: `people`, `notes`, `celsius`, `percent`; empty for a plain word
    delta: int | float | None = None
    flag: str = ""
    at: str = ""  # the device's own time of it, where it has a clock; nothing is ordered by it


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look came to. Readings go up and may be shed on the way (DEV-4), their sums by the hour are not.

    `memory` joins what the driver's notebook remembers in the one transaction that keeps the sums of these deltas, so a
    raw value remembered here is never counted twice nor left out by a crash. Written within a minute, not at once.
    `twin`, if given, is shown as after a probe.
    """

    readings: tuple[Reading, ...] = ()
    twin: Twin | None = None
    memory: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scan:
    """A code that a customer showed. Nothing but its hash and `shown` ever leaves the branch or enters a log."""

    value: str = field(repr=False)
    shown: str  # what people and the centre may see of it
    serves: tuple[str, ...] = ()  # devices that it may start; empty: any


@dataclass(frozen=True, slots=True)
class Happening:
    """What a device said unasked. With a `kind` it is kept as a note and told once (as `Notebook.note` does).

    All of it is durable before the device is listened to again (PHY-5), `memory` in the same transaction. Without a
    kind only its readings and its twin go up. A `code` is told as an event of its own (`code.scanned`), with what it
    starts, in place of the note.
    """

    kind: str = ""
    facts: Mapping[str, Json] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()
    twin: Twin | None = None
    memory: Mapping[str, Json] = field(default_factory=dict)
    code: Scan | None = None


class Notebook(Protocol):
    """What a driver is handed to keep evidence and what it must know after a restart; durable when a call returns."""

    async def note(self, kind: str, facts: Mapping[str, Json], memory: Mapping[str, Json] | None = None) -> None:
        """Keeps evidence that a device tells only once (PHY-5), and tells the centre.

        `memory` joins what is remembered, in the same transaction: what was noted is then never noted again.
        """
        ...

    async def notes_since(self, arming: Arming) -> list[str]:
        """The kinds noted since this arming was committed, oldest first (such as `power_lost`, `cabinet_opened`)."""
        ...

    async def memory(self) -> Mapping[str, Json]:
        """What the driver remembers of this device: one small JSON object (the next process ID, what was probed)."""
        ...

    async def remember(self, memory: Mapping[str, Json]) -> None:
        """Joins members to the memory; a member that is None is forgotten."""
        ...

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        """Evidence that came late, unasked: settles the attempt if it is still in doubt, else corrects it (ORD-8)."""
        ...


@runtime_checkable
class HasCells(Protocol):
    """A driver whose items lie in cells of their own, each loaded and counted by itself."""

    @property
    def cells(self) -> Mapping[str, bool]:
        """Each cell, and whether it shows by itself that its item is there."""
        ...


class Driver(Protocol):
    """One device. A driver has-a link and owns nothing else; calls never overlap (its lane awaits each).

    `connect` raises DeviceUnavailable. After connect the caller waits `settle_s` before the first question (PHY-1).
    Any call may raise DeviceUnavailable when the line is lost *before* a frame that may act was written; once such a
    frame is written every loss, silence, NAK or nonsense raises OutcomeUnknown.

    `params` are the order's parameters and: `order`, `step`; `attempt`, the id of the attempt meant (while arming: the
    one that would be armed); `reprint`, how many earlier attempts may have had their effect (0: this is the original);
    `undoes`, for a compensation only: the ids of the attempts that it undoes, those that may have had their effect;
    `earlier`, the readings of the order's attempt before on this device; for a printing step `sheet`, {"template": the
    template as accepted with the order, "values": {name: text}}, or `document`, {"name", "media_type", "sha256",
    "path"}; for a step at a cell `cell`, `article` and `serial`. `arm` and `act` of one attempt get the same object;
    `watch` and `reconcile` get no sheet and no document.
    """

    @property
    def acts(self) -> Mapping[str, ActSpec]: ...

    @property
    def settle_s(self) -> float:
        """Seconds of silence owed after a (re)start, a lost line or a timeout: act_max_s (+ drain_s on TCP)."""
        ...

    async def connect(self) -> None: ...

    async def disconnect(self) -> None: ...

    async def probe(self) -> Twin:
        """Asks state and identity; moves nothing. Recovers an unset unit by the reset that leaves the item in place."""
        ...

    async def recover(self) -> None:
        """After a person looked at the machine: clears its errors by the reset that leaves the item where it is."""
        ...

    async def arm(self, act: str, params: Mapping[str, Json]) -> Arming:
        """Reads and checks the preconditions. Raises DeviceRefused, DeviceUnavailable, NothingToDo."""
        ...

    async def act(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Writes the acting frame once, reads what came of it. Raises OutcomeUnknown; DeviceUnavailable: not sent."""
        ...

    async def watch(
        self, act: str, params: Mapping[str, Json], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        """Looks until it is seen or `limit_s` passed; moves nothing. `fresh` is False when resumed after a restart."""
        ...

    async def reconcile(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Asks what an attempt in doubt came to (after settling). Raises DeviceUnavailable when it cannot ask."""
        ...


@runtime_checkable
class Observer(Protocol):
    """A driver that is also asked what it sees: a counter, the inputs of a site. Optional beside `Driver`.

    Its lane calls `observe` every `observe_s` seconds ([[device]], else `DeviceKind.observe_s`) while the device is at
    rest, and between two steps; never while anything else of the driver is called.
    """

    async def observe(self) -> Observation:
        """One short question, as bounded as a probe; moves nothing. Raises DeviceUnavailable: the lane reconnects."""
        ...


@runtime_checkable
class Listener(Protocol):
    """A driver whose device speaks unasked: a scanner, a banknote counter on its live frame. Optional beside `Driver`.

    Its lane awaits `listen` whenever the device is at rest, and asks nothing meanwhile.
    """

    async def listen(self) -> Happening:
        """Returns when the device said something whole. Raises DeviceUnavailable when the line is lost.

        It is cancelled when the lane has something else to do, at any await; nothing heard may be lost by that: bytes
        that were read stay with the driver, and what they come to is returned by the next call.
        """
        ...
