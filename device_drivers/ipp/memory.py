"""What the driver remembers of its newest job and of those whose end it still waits for.

Knows two members of the notebook's memory; must not know printers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from device_drivers.device import Json

JOB, LATE = "job", "late"
LATE_MAX = 16  # jobs without an end that are still asked after; an older one is given up


class Stage(StrEnum):
    """How far an attempt had come when this was written, which is always before the next thing is sent."""

    ARMED = "armed"  # no byte of any document was sent
    COVER = "cover"  # the sheet before a reprint may have been sent
    DOCUMENT = "document"  # the document may have been sent


@dataclass(frozen=True, slots=True)
class Begun:
    """The newest attempt: how far it came, and its job's id once the printer told it."""

    attempt: str
    stage: Stage
    job_id: int | None = None

    def written(self) -> dict[str, Json]:
        """As a member of the memory."""
        return {JOB: {"attempt": self.attempt, "stage": self.stage.value, "id": self.job_id}}

    @classmethod
    def of(cls, memory: Mapping[str, Json], attempt: str) -> Begun:
        """What is remembered of an attempt; when it is not the newest one, the document may have been sent."""
        kept = memory.get(JOB)
        if isinstance(kept, Mapping) and kept.get("attempt") == attempt and kept.get("stage") in set(Stage):
            job_id = kept.get("id")
            return cls(attempt, Stage(kept["stage"]), job_id if isinstance(job_id, int) else None)
        return cls(attempt, Stage.DOCUMENT)


@dataclass(frozen=True, slots=True)
class Late:
    """A job that people were asked about before it ended."""

    attempt: str
    job_id: int
    facts: Mapping[str, Json]


def late_jobs(memory: Mapping[str, Json]) -> list[Late]:
    """Those that are still waited for, oldest first."""
    kept = memory.get(LATE)
    if not isinstance(kept, list):
        return []
    return [Late(row["attempt"], row["id"], row["facts"]) for row in kept]


def with_late(memory: Mapping[str, Json], late: Late) -> dict[str, Json]:
    """The member with one more."""
    others = [one for one in late_jobs(memory) if one.attempt != late.attempt]
    return _written([*others, late][-LATE_MAX:])


def without_late(memory: Mapping[str, Json], attempt: str) -> dict[str, Json]:
    """The member with one less."""
    return _written([one for one in late_jobs(memory) if one.attempt != attempt])


def _written(jobs: list[Late]) -> dict[str, Json]:
    return {LATE: [{"attempt": one.attempt, "id": one.job_id, "facts": dict(one.facts)} for one in jobs] or None}
