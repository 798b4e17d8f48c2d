"""What a printer says of itself and of its jobs, as plain values.

Knows the attributes of RFC 8011 sections 5.3 and 5.4; must not ask anything, nor judge an attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from device_drivers.ipp.protocol import Group

NAME_CHARACTERS_MAX = 200


class JobState(IntEnum):
    """RFC 8011 section 5.3.7."""

    PENDING = 3
    HELD = 4
    PROCESSING = 5
    STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9


ENDS = (JobState.CANCELED, JobState.ABORTED, JobState.COMPLETED)
_WAITS_FOR_DOCUMENT = frozenset({"job-incoming", "job-data-insufficient"})

STOPPED = 5  # printer-state
# Keywords of printer-state-reasons, the gravest first, each with what people are told and what would mend it.
_TROUBLES = (
    ("paper_jam", "device", ("media-jam",)),
    ("cover_open", "device", ("cover-open", "door-open", "interlock-open")),
    ("paper_out", "stock", ("media-empty", "media-needed", "input-tray-missing")),
    ("toner_out", "stock", ("marker-supply-empty", "toner-empty", "developer-empty")),
    ("output_full", "device", ("output-area-full", "output-tray-missing", "marker-waste-full")),
    ("printer_unready", "device", ("paused", "moving-to-paused", "shutdown", "spool-area-full", "hibernate")),
)
_LOW = ("marker-supply-low", "toner-low", "media-low")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a printer cannot print: a catalogue code, and what it waits for (`device`, `stock`)."""

    reason: str
    waits_for: str


@dataclass(frozen=True, slots=True)
class PrinterState:
    """One look at a printer. What it did not tell is None or empty."""

    state: int
    reasons: tuple[str, ...]
    accepting: bool
    up_time_s: int | None
    uuid: str
    model: str
    firmware: str
    serial_number: str
    queued: int
    operations: frozenset[int]
    formats: frozenset[str]
    many_documents: bool
    marker_levels: tuple[int, ...]

    @classmethod
    def of(cls, group: Group) -> PrinterState:
        """Reads the printer group of an answer."""
        reasons = tuple(reason for reason in group.texts("printer-state-reasons") if reason != "none")
        return cls(
            group.integer("printer-state") or STOPPED,
            reasons,
            group.flag("printer-is-accepting-jobs") is not False,
            group.integer("printer-up-time"),
            _short(group.text("printer-uuid")),
            _short(group.text("printer-make-and-model")),
            _short(group.text("printer-firmware-string-version")),
            _short(group.text("printer-serial-number")),
            group.integer("queued-job-count") or 0,
            frozenset(group.integers("operations-supported")),
            frozenset(text.lower() for text in group.texts("document-format-supported")),
            group.flag("multiple-document-jobs-supported") is True,
            group.integers("marker-levels"),
        )

    @property
    def trouble(self) -> Trouble | None:
        """What keeps it from printing. A mere report or warning (a tray of two is empty) keeps a running one not."""
        grave = {_bare(reason) for reason in self.reasons if self.state == STOPPED or not _mild(reason)}
        for reason, waits_for, keywords in _TROUBLES:
            if grave.intersection(keywords):
                return Trouble(reason, waits_for)
        if self.state == STOPPED:
            return Trouble("printer_stopped", "device")
        return None

    def tells(self, *keywords: str) -> bool:
        """Whether one of the keywords is among its reasons, however grave."""
        return any(_bare(reason) in keywords for reason in self.reasons)

    @property
    def supply_low(self) -> bool:
        """Toner or ink is low by a reason or by its level in percent (negative levels mean unknown)."""
        return self.tells(*_LOW[:2]) or any(0 <= level <= 10 for level in self.marker_levels)


@dataclass(frozen=True, slots=True)
class Job:
    """One look at a job. `impressions` and `documents` are None when the printer does not count them."""

    id: int
    name: str
    state: int
    reasons: tuple[str, ...]
    impressions: int | None
    documents: int | None
    never_processed: bool

    @classmethod
    def of(cls, group: Group) -> Job | None:
        """Reads a job group; None when it has no id or no state."""
        job_id, state = group.integer("job-id"), group.integer("job-state")
        if job_id is None or state is None:
            return None
        impressions = group.integer("job-impressions-completed")
        sheets = group.integer("job-media-sheets-completed")
        counted = [count for count in (impressions, sheets) if count is not None]
        return cls(
            job_id,
            group.text("job-name"),
            state,
            group.texts("job-state-reasons"),
            max(counted) if counted else None,
            group.integer("number-of-documents"),
            group.has_no_value("time-at-processing"),
        )

    @property
    def ended(self) -> bool:
        """In one of the three states that a job never leaves."""
        return self.state in ENDS

    @property
    def waits_for_document(self) -> bool:
        """Begun by Create-Job, and its last document is not whole yet."""
        return not self.ended and bool(_WAITS_FOR_DOCUMENT.intersection(self.reasons))

    @property
    def stands(self) -> bool:
        """Goes on only when somebody does something at the printer."""
        return self.state in (JobState.HELD, JobState.STOPPED) or "printer-stopped" in self.reasons


def jobs_of(groups: Sequence[Group]) -> list[Job]:
    """The jobs of an answer."""
    return [job for job in map(Job.of, groups) if job is not None]


def _bare(reason: str) -> str:
    for severity in ("-error", "-warning", "-report"):
        reason = reason.removesuffix(severity)
    return reason


def _mild(reason: str) -> bool:
    return reason.endswith(("-warning", "-report"))


def _short(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:NAME_CHARACTERS_MAX]
