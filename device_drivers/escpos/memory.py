"""What must be known of a printer after a restart: the next process ID, whose bytes may lie in it, what it can, sheets.

Knows the members of the driver's memory; must not know what an answer proves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from device_drivers.device import Json
from device_drivers.escpos.commands import PROCESS_IDS

OPEN_MAX = 20  # a slip names no more; bytes of older ones cannot lie in a printer's buffer any longer


@dataclass(frozen=True, slots=True)
class Open:
    """An attempt whose bytes may lie in the printer, and the process ID behind them (empty: it had none)."""

    attempt: str
    process_id: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """The memory, read leniently: what is missing or was written by no one is as in a new journal."""

    next_id: int = 1
    open: tuple[Open, ...] = ()  # oldest first
    probed: Mapping[str, Json] | None = None
    sheets: int = 0  # printed since paper was last seen to be out

    @classmethod
    def of(cls, memory: Mapping[str, Json]) -> Remembered:
        next_id, probed, sheets = memory.get("next_id"), memory.get("probed"), memory.get("sheets")
        return cls(
            next_id if isinstance(next_id, int) and 1 <= next_id <= PROCESS_IDS else 1,
            tuple(Open(str(attempt), str(id_)) for attempt, id_ in memory.get("open_jobs") or ()),
            probed if isinstance(probed, Mapping) else None,
            sheets if isinstance(sheets, int) else 0,
        )

    @property
    def process_id(self) -> str:
        """The next one, four digits."""
        return f"{self.next_id:04d}"

    def armed(self, attempt: str, *, with_id: bool) -> dict[str, Json]:
        """What an arming adds: its id is used up, and from now on its bytes may lie in the printer."""
        id_, after = (self.process_id, self.next_id % PROCESS_IDS + 1) if with_id else ("", self.next_id)
        return {"next_id": after, **opened([*self.without(attempt), Open(attempt, id_)])}

    def without(self, *attempts: str) -> list[Open]:
        """The open jobs but these."""
        return [job for job in self.open if job.attempt not in attempts]

    def proved(self, attempt: str, *, sheets: int, voided: bool) -> dict[str, Json]:
        """What a proof adds. `voided`: what lay there before was named on a slip, and came out before it."""
        return {"sheets": self.sheets + sheets, **opened([] if voided else self.without(attempt))}


def opened(jobs: Iterable[Open]) -> dict[str, Json]:
    """The members that say whose bytes may lie in the printer; `open_job` is the newest attempt."""
    jobs = list(jobs)[-OPEN_MAX:]
    pairs = [[job.attempt, job.process_id] for job in jobs]
    return {"open_job": jobs[-1].attempt if jobs else None, "open_jobs": pairs or None}
