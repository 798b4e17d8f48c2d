"""What a screen is to show: calls (which number to which window), a text of the staff's, or its idle text.

Knows values, and how they are kept over a restart; must not know screens, letters nor wire protocols.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from device_drivers.device import Json

LANGUAGES = ("zh", "en", "zh+en")
MAX_TEXT = 400  # characters; what is longer nobody reads on a wall
MAX_CALLS = 32
_LABEL = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]{0,11})", re.DOTALL)


class BadNotice(ValueError):
    """A value of an order that no screen could show; `what` is its name."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} cannot be shown by any screen")
        self.what = what


@dataclass(frozen=True, slots=True)
class Call:
    """One number called to one window."""

    number: str  # as it stands on the ticket: A001
    window: str
    language: str = "zh"  # one of LANGUAGES
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A text as it was given; line breaks part its lines."""

    text: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """All that one screen shows: a text, or the newest calls with the newest first, or nothing but its idle text."""

    calls: tuple[Call, ...] = ()
    words: Words | None = None

    def with_call(self, call: Call, keep: int) -> Board:
        """The call comes first; an older one of its number or its window goes. The same call twice is one."""
        older = [one for one in self.calls if call.number != one.number and call.window != one.window]
        return Board((call, *older)[:keep])

    def with_words(self, words: Words) -> Board:
        """The text instead of everything; the next call takes it away."""
        return replace(self, words=words)

    def as_json(self) -> dict[str, Json]:
        """For the driver's memory."""
        calls = [[call.number, call.window, call.language, call.urgent] for call in self.calls]
        return {"calls": calls, "words": [self.words.text, self.words.urgent] if self.words else None}


def board_of(memory: Json) -> Board:
    """The board as remembered; what cannot be read is as if it had never been shown."""
    if not isinstance(memory, Mapping):
        return Board()
    try:
        calls = tuple(
            call_of({"number": number, "window": window, "language": language, "urgent": urgent})
            for number, window, language, urgent in memory.get("calls") or ()
        )
        words = memory.get("words")
        text = words_of({"text": words[0], "urgent": words[1]}) if words else None
    except (BadNotice, TypeError, ValueError, LookupError):
        return Board()
    return Board(calls[:MAX_CALLS], text)


def call_of(params: Mapping[str, Json]) -> Call:
    """The call that an order asks for: `number`, `window`, `language`, `urgent`. Raises BadNotice."""
    language = params.get("language", "zh")
    if language not in LANGUAGES:
        raise BadNotice("language")
    return Call(_label(params, "number"), _label(params, "window"), language, _flag(params))


def words_of(params: Mapping[str, Json]) -> Words:
    """The text that an order asks for: `text`, `urgent`. Raises BadNotice."""
    text = params.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
        raise BadNotice("text")
    return Words(text, _flag(params))


def _label(params: Mapping[str, Json], name: str) -> str:
    value = params.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value:g}"
    if not isinstance(value, str) or not _LABEL.fullmatch(value := value.strip()):
        raise BadNotice(name)
    return value


def _flag(params: Mapping[str, Json]) -> bool:
    value = params.get("urgent", False)
    if not isinstance(value, bool):
        raise BadNotice("urgent")
    return value
