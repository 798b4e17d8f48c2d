"""Puts a branch's events back in order: each seq of a journal once, gaps seen and named.

Knows journals and sequence numbers only (ENV-2, SES-6); must not know where events come from or who asks for more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
MAX_HELD = 10_000  # events kept back behind one gap; what exceeds it is asked for again later


@dataclass(slots=True)
class _Journal(Generic[T]):
    next: int
    known: int  # the highest seq that somebody told of
    held: dict[int, T] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that exist and were not seen: seq `first` to `last`, both included."""

    journal: str
    first: int
    last: int
    is_tail: bool = field(default=False, compare=False)  # nothing behind it was seen: it may still be on its way


class EventOrder(Generic[T]):
    """Feed it every event (`take`) and every `after` (`told`); it hands out events in order and names what is missing.

    A journal goes on behind the seq in `known`; one that is not there begins with 1 (`from_start`), else with the first
    event that is seen of it.
    """

    def __init__(self, known: dict[str, int] | None = None, *, from_start: bool = False) -> None:
        self._journals: dict[str, _Journal[T]] = {j: _Journal(seq + 1, seq) for j, seq in (known or {}).items()}
        self._from_start = from_start
        self.repeats = 0

    def take(self, journal: str, seq: int, item: T) -> list[T]:
        """Those that may be handed on now, in order: none when it repeats, or when one before it is missing."""
        state = self._journals.setdefault(journal, _Journal(1 if self._from_start else seq, seq))
        state.known = max(state.known, seq)
        if seq < state.next or seq in state.held:
            self.repeats += 1
            return []
        if len(state.held) < MAX_HELD or seq == state.next:
            state.held[seq] = item
        return self._ready(state)

    def told(self, journal: str, after: int) -> None:
        """A session message, a twin or a reply said that `after` is committed: a lost tail shows here."""
        if self._from_start:
            self._journals.setdefault(journal, _Journal(1, after))
        state = self._journals.get(journal)
        if state is not None:
            state.known = max(state.known, after)

    def is_behind(self, journal: str) -> bool:
        """Whether something of this journal is missing."""
        state = self._journals.get(journal)
        return state is not None and state.next <= state.known

    def gap(self, journal: str) -> Gap | None:
        """The first gap of a journal."""
        if not self.is_behind(journal):
            return None
        state = self._journals[journal]
        return Gap(journal, state.next, min(state.held, default=state.known + 1) - 1, is_tail=not state.held)

    def gaps(self) -> list[Gap]:
        """The first gap of each journal."""
        return [gap for journal in self._journals if (gap := self.gap(journal)) is not None]

    def give_up(self, gap: Gap) -> list[T]:
        """The branch cannot send these any more: go on behind them."""
        state = self._journals[gap.journal]
        state.next = max(state.next, gap.last + 1)
        return self._ready(state)

    def seen(self) -> dict[str, int]:
        """The highest seq handed on, by journal: what `known` wants after a restart."""
        return {journal: state.next - 1 for journal, state in self._journals.items()}

    @staticmethod
    def _ready(state: _Journal[T]) -> list[T]:
        ready: list[T] = []
        while state.next in state.held:
            ready.append(state.held.pop(state.next))
            state.next += 1
        return ready
