"""Looking at screens without one: which kinds there are, and what one would show of calls or of a text.

Knows kinds, profiles and faces; it opens no line and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from device_drivers.catalog import UnknownKindError, kind_of, kinds
from device_drivers.screens.faces import Face, face_of
from device_drivers.screens.notices import Board, Call, Words
from device_drivers.screens.panels import Panel
from device_drivers.screens.preview import as_text, preview
from device_drivers.screens.settings import ScreenProfile
from edge_agent import settings
from edge_agent.findings import Problem, misfits


class BadScreen(ValueError):
    """Settings that no screen of that kind has; `problems` names each and its remedy."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Shown:
    """What a screen would show."""

    kind: str
    panel: Panel
    face: Face

    @property
    def png(self) -> bytes:
        return preview(self.face, self.panel)

    @property
    def text(self) -> str:
        return as_text(self.face, self.panel)

    def as_json(self, out: Path | None) -> dict[str, Any]:
        """What scripts want to know of it."""
        return {
            "kind": self.kind,
            "columns": self.panel.columns,
            "rows": self.panel.rows,
            "pages": self.face.texts,
            "scrolls": self.face.scrolls,
            "shortened": self.face.shortened,
            "out": None if out is None else str(out),
        }


def screen_kinds() -> list[str]:
    """The names of the kinds that are screens."""
    return [name for name in kinds() if _is_screen(name)]


def _is_screen(name: str) -> bool:
    try:
        return issubclass(kind_of(name).profile, ScreenProfile)
    except UnknownKindError:  # somebody else's driver that does not load is no screen of ours
        return False


def of_kind(name: str, given: Mapping[str, Any]) -> ScreenProfile | None:
    """A screen with these settings, the others at their defaults; None: no such kind. Raises BadScreen."""
    if name not in screen_kinds():
        return None
    try:
        profile = kind_of(name).profile.model_validate(dict(given))
    except ValidationError as error:
        raise BadScreen(misfits("", name, error, 10)) from None
    assert isinstance(profile, ScreenProfile)
    return profile


def of_branch(config: Path, device: str) -> tuple[str, ScreenProfile] | None:
    """Kind and settings of a branch's screen; None: no such screen. Raises BadConfig."""
    for part in settings.load(config).device:
        if part.id == device and (profile := of_kind(part.kind, part.profile)) is not None:
            return part.kind, profile
    return None


def show(kind: str, profile: ScreenProfile, calls: Sequence[Call], words: Words | None) -> Shown:
    """The calls in the order in which they were made, then the text; the idle text where there is neither.

    Raises Unshowable.
    """
    panel, board = profile.panel, Board()
    for call in calls:
        board = board.with_call(call, panel.calls)
    if words is not None:
        board = board.with_words(words)
    return Shown(kind, panel, face_of(board, panel, profile.idle_text))
