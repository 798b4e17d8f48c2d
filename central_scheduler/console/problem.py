"""What can go wrong at the console: a sentence, a remedy, and an exit code that scripts may rely on.

Knows names of texts and numbers; must not know how they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from central_scheduler.words import Words
from cloud_bridge.troubles import told


class Exit(IntEnum):
    """Exit codes of the command line; docs/cli.md promises them."""

    OK = 0
    FAILED = 1  # rejected by the branch, or ended otherwise than completed
    USAGE = 2
    NOT_FOUND = 3
    NO_BROKER = 4
    NO_ANSWER = 5
    LOCKED = 75  # EX_TEMPFAIL of sysexits.h
    CONFIG = 78  # EX_CONFIG of sysexits.h
    INTERRUPTED = 130  # 128 + SIGINT, as shells tell it


@dataclass(frozen=True, slots=True)
class Said:
    """A part of a problem's sentence that is itself a text of the catalogue."""

    key: str
    places: Mapping[str, object]

    def words(self, words: Words) -> str:
        return words(self.key, **_worded(self.places, words))


def _worded(places: Mapping[str, object], words: Words) -> dict[str, object]:
    return {name: _shown(one, words) for name, one in places.items()}


def _shown(one: object, words: Words) -> object:
    if isinstance(one, Said):
        return one.words(words)
    return told(words, one) if isinstance(one, BaseException) else one


class Problem(Exception):
    """One thing that is wrong. `name` finds `error.{name}` and `remedy.{remedy}` in the catalogue."""

    def __init__(self, exit_code: Exit, name: str, /, *, remedy: str | None = None, **places: object) -> None:
        super().__init__(f"{name} {places}" if places else name)
        self.exit_code = exit_code
        self.name = name
        self.remedy = remedy or name
        self.places = places
        self.more: list[str] = []  # whole lines that came from the branch itself, or of findings
        self.findings: list[dict[str, object]] = []  # of a configuration, for who reads JSON

    def sentence(self, words: Words) -> str:
        return words(f"error.{self.name}", **_worded(self.places, words))

    def help(self, words: Words) -> str:
        """What to do about it, in one line."""
        return words(f"remedy.{self.remedy}", **_worded(self.places, words))

    def as_json(self, words: Words) -> dict[str, object]:
        members: dict[str, object] = {"error": self.name, "message": self.sentence(words), "remedy": self.help(words)}
        if self.findings:
            members["findings"] = self.findings
        elif self.more:
            members["branch"] = self.more
        return members | {"exit_code": int(self.exit_code)}
