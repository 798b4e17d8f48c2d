"""The driver contract: probe, arm, act, reconcile, and the plain values that pass.

Knows what any device must be able to say of itself and of one act; must not know orders, journal or wire protocols.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

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
    """The preconditions and counters read just before an act; stored with the attempt before anything moves."""

    readings: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attempt came to. `reason` is a catalogue code; `facts` are evidence (serial, taken, bin, readings)."""

    outcome: Outcome
    reason: str
    item: Whereabouts = Whereabouts.UNKNOWN
    facts: Mapping[str, Json] = field(default_factory=dict)
    lane_shut: bool = False  # it may hold an item of unknown whereabouts: nothing more until a person settled it


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


class Notebook(Protocol):
    """What a driver is handed to keep evidence that a device tells only once (PHY-5): durable when `note` returns."""

    async def note(self, kind: str, facts: Mapping[str, Json]) -> None: ...

    async def notes_since(self, arming: Arming) -> list[str]:
        """The kinds noted since this arming was committed, oldest first (such as `power_lost`, `cabinet_opened`)."""
        ...


class Driver(Protocol):
    """One device. A driver has-a link and owns nothing else; calls never overlap (its lane awaits each).

    `connect` raises DeviceUnavailable. After connect the caller waits `settle_s` before the first question (PHY-1).
    Any call may raise DeviceUnavailable when the line is lost *before* a frame that may act was written; once such a
    frame is written every loss, silence, NAK or nonsense raises OutcomeUnknown.
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
