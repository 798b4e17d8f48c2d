"""One batch of banknotes: what passed between two silences, and what is wrong with the counting of it.

Pure. Knows notes and their numbers; must not know lines, times, nor what an order expects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from device_drivers.banknotes.note import Fitness, Note

FLAWS_MAX = 10  # told of one batch; more say nothing new
# Why a batch is void: its counting cannot be believed, whatever the notes are.
BAD_FRAME, NOISE, NOTE_MISSED, NOT_FROM_THE_START, TOO_MANY, MIXED, CUT = (
    "bad_frame",  # something passed that could not be read
    "noise",  # bytes that are no frame: one may have been destroyed whole
    "note_missed",  # the counter's numbers have a gap
    "not_from_the_start",  # the first note that came has another number than 1
    "too_many_notes",
    "currencies_mixed",  # no one sum
    "restarted",  # the agent began anew while it was being counted
)


@dataclass(frozen=True, slots=True)
class Counted:
    """A batch that has ended. `flaws` empty: the counter's word for all of it came through."""

    notes: tuple[Note, ...]
    flaws: tuple[Mapping[str, Any], ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it counts at all."""
        return not self.flaws

    @property
    def total(self) -> int:
        """The sum of what is genuine, in whole units."""
        return sum(note.value for note in self.notes if note.fitness in (Fitness.FIT, Fitness.UNFIT))

    @property
    def currency(self) -> str:
        """Of the notes that were recognized."""
        return next((note.currency for note in self.notes if note.fitness is not Fitness.UNRECOGNIZED), "")

    def of(self, fitness: Fitness) -> int:
        """How many notes are held to be so."""
        return sum(note.fitness is fitness for note in self.notes)

    @property
    def serials(self) -> tuple[str, ...]:
        """Of the notes whose serial number was read whole."""
        return tuple(note.serial for note in self.notes if note.readable)

    def facts(self) -> dict[str, Any]:
        """What is told of it: counts and denominations, no serial number."""
        by_value = Counter((note.value, note.fitness) for note in self.notes)
        found: dict[str, dict[str, int]] = {}
        for (value, fitness), count in sorted(by_value.items()):
            found.setdefault(str(value), {})[fitness.value] = count
        kinds = {kind.value: self.of(kind) for kind in Fitness}
        unread = sum(not note.readable for note in self.notes)
        facts: dict[str, Any] = {"count": len(self.notes), "sum": self.total, "currency": self.currency}
        facts |= {"denominations": found, "cash": kinds, "serials_unread": unread, "whole": self.whole}
        return {**facts, "flaws": [dict(flaw) for flaw in self.flaws]} if self.flaws else facts

    def numbers(self) -> list[dict[str, Any]]:
        """Note by note, with serial numbers 冠字号: for the record, never for a log."""
        return [{"serial": note.serial, "value": note.value, "cash": note.fitness.value} for note in self.notes]


@dataclass(slots=True)
class Batch:
    """A batch under way. `numbered`: the counter gives the notes of a batch the numbers 1, 2, 3 and so on."""

    most: int
    numbered: bool
    _notes: list[Note] = field(default_factory=list)
    _flaws: list[dict[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._notes)

    @property
    def spoilt(self) -> bool:
        return bool(self._flaws)

    def add(self, note: Note) -> None:
        """A note that passed."""
        if len(self._notes) >= self.most:
            self.spoil(TOO_MANY, most=self.most)
            return
        if self.numbered:
            self._check_number(note.number or 0)
        if note.fitness is not Fitness.UNRECOGNIZED and self._currency() not in {"", note.currency}:
            self.spoil(MIXED, currencies=sorted({self._currency(), note.currency}))
        self._notes.append(note)

    def begins_anew(self, note: Note) -> bool:
        """Whether this note's number says that the counter began another batch without a pause."""
        return self.numbered and note.number == 1 and bool(self._notes) and self._notes[-1].number != 0

    def spoil(self, flaw: str, **facts: Any) -> None:
        """Something that makes the counting of it void."""
        if len(self._flaws) < FLAWS_MAX:
            self._flaws.append({"flaw": flaw, **facts})

    def end(self) -> Counted:
        """Nothing more of it comes."""
        return Counted(tuple(self._notes), tuple(self._flaws))

    def _currency(self) -> str:
        return next((note.currency for note in self._notes if note.fitness is not Fitness.UNRECOGNIZED), "")

    def _check_number(self, number: int) -> None:
        expected = (self._notes[-1].number or 0) + 1 if self._notes else 1
        if number == expected:
            return
        if not self._notes:
            self.spoil(NOT_FROM_THE_START, number=number)
        else:
            self.spoil(NOTE_MISSED, expected=expected, number=number)
