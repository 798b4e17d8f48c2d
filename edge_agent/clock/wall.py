"""The wall clock and how far it can be trusted (INS-5).

Knows the grade of the time at each look; must not be used to order anything: order comes from the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from edge_agent.clock.kernel import boot_id, kernel_synchronised, steady_s, utc_now
from edge_agent.clock.steadiness import BACK_S, Steadiness


class Grade(StrEnum):
    """How the time is known."""

    SYNCED = "synced"  # the kernel, or the configured server, vouches for it
    ATTESTED = "attested"  # people confirmed it after this boot
    HOST = "host"  # configured: the host's clock is taken as it is (the demo)
    UNKNOWN = "unknown"  # nobody vouches for it


@dataclass(frozen=True, slots=True)
class Attested:
    """What people confirmed: this boot's wall time stands `offset_s` ahead of its steady time."""

    people: tuple[str, ...]
    said: str  # the instruction in which they did
    boot: str
    offset_s: float


@dataclass(slots=True)
class _Trust:
    """What the clock remembers from look to look, under its lock: lanes, door and readers look from three threads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    steadiness: Steadiness = field(default_factory=Steadiness)
    attested: Attested | None = None
    lapsed: Attested | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """Wall time with its grade; one for the whole agent, handed to whoever needs it."""

    source: Literal["kernel", "lan", "host"] = "kernel"
    now: Callable[[], datetime] = utc_now
    synchronised: Callable[[], bool] = kernel_synchronised
    steady: Callable[[], float] = steady_s
    boot: Callable[[], str] = boot_id
    _trust: _Trust = field(default_factory=_Trust, repr=False, compare=False)

    def grade(self) -> Grade:
        return self.look()[1]

    def look(self) -> tuple[datetime, Grade]:
        """One reading with its grade: whoever compares it with a deadline must not read twice."""
        if self.source == "host":
            return self.now(), Grade.HOST
        with self._trust.lock:
            now, steady = self.now(), self.steady()
            if self._trust.steadiness.jumped(now.timestamp(), steady) and self._trust.attested:
                self._trust.lapsed, self._trust.attested = self._trust.attested, None  # they confirmed another time
            if self._trust.steadiness.believes(vouched=self.synchronised(), steady_s=steady):
                return now, Grade.SYNCED
            return now, Grade.ATTESTED if self._trust.attested else Grade.UNKNOWN

    def passed(self, deadline: str | datetime | None) -> bool:
        """Whether a deadline has passed; never while the time is unknown."""
        if deadline is None:
            return False
        now, grade = self.look()
        if grade is Grade.UNKNOWN:
            return False
        return now >= (datetime.fromisoformat(deadline) if isinstance(deadline, str) else deadline)

    def older_than(self, moment: str | datetime, age: timedelta) -> bool:
        """Whether so much time has gone by since a moment, as far as the time is trusted."""
        since = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        now, grade = self.look()
        return grade is not Grade.UNKNOWN and now - since >= age

    @property
    def doubt(self) -> str:
        """Why a source that vouches is not believed yet; empty: no reason but that none does."""
        return self._trust.steadiness.why

    # -- people --------------------------------------------------------------------------------------------------------

    def attestation(self, people: tuple[str, ...], said: str) -> Attested:
        """What people confirm by confirming the time just now. Counts once the journal has it: see `believe`."""
        return Attested(people, said, self.boot(), self.now().timestamp() - self.steady())

    def believe(self, attested: Attested | None) -> None:
        """What stands in the journal: holds within one boot, and lapses for good at a jump."""
        if attested is None or not attested.boot or attested.boot != self.boot():
            return
        with self._trust.lock:
            if attested not in (self._trust.lapsed, self._trust.attested):
                self._trust.attested = attested
                self._trust.steadiness.offset_s = attested.offset_s  # the next look sees a jump since they spoke

    def begin_after(self, newest_trusted: datetime | None) -> None:
        """A start: a time before what was known already is as good as a step back."""
        if newest_trusted is not None and newest_trusted - self.now() > timedelta(seconds=BACK_S):
            with self._trust.lock:
                self._trust.steadiness.doubt("clock_behind_journal")
