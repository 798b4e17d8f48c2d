"""The inputs of one device: doors, buttons, power; each change told once, and quietly while an input bounces.

Pure: time is handed in. Knows words and when one is worth telling; must not know what any of them means.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

BOUNCE_WINDOW_S = 60.0
BOUNCE_CHANGES = 6  # so many changes within the window are a loose contact, not news
MAX_INPUTS = 64  # of one device; more are not followed


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be told of one input. `was` is empty where nothing was ever told of it: then it is only noted."""

    name: str
    was: str
    word: str
    bounces: int  # changes that were not told since the one before
    bouncing: bool


@dataclass(slots=True)
class _Input:
    told: str = ""
    now: str = ""
    untold: int = 0
    quiet: bool = False  # it was told that it bounces
    recent: deque[float] = field(default_factory=deque)

    def look(self, name: str, word: str, now_s: float) -> Change | None:
        if word != self.now:
            if self.now:
                self.recent.append(now_s)
                self.untold += 1
            self.now = word
        while self.recent and now_s - self.recent[0] > BOUNCE_WINDOW_S:
            self.recent.popleft()
        bouncing = len(self.recent) >= BOUNCE_CHANGES
        if word == self.told or (bouncing and self.quiet):
            return None
        change = Change(name, self.told, word, max(0, self.untold - 1), bouncing)
        self.told, self.quiet, self.untold = word, bouncing, 0
        return change


@dataclass(slots=True)
class Inputs:
    """Those of one device."""

    _known: dict[str, _Input] = field(default_factory=dict)

    def remember(self, told: Mapping[str, str]) -> None:
        """What the process before told of them."""
        self._known = {name: _Input(told=word) for name, word in told.items()}

    def look(self, words: Mapping[str, str], now_s: float) -> list[Change]:
        """Takes one look at monotonic `now_s`; what is to be told of it. An input that is not named is as it was."""
        changes: list[Change] = []
        for name, word in words.items():
            if name not in self._known and len(self._known) >= MAX_INPUTS:
                continue
            change = self._known.setdefault(name, _Input()).look(name, word, now_s)
            changes += [change] if change else []
        return changes

    def untold(self, changes: list[Change]) -> None:
        """They could not be told after all."""
        for change in changes:
            known = self._known[change.name]
            known.told, known.quiet, known.untold = change.was, False, change.bounces + 1
