"""One screen's glass: what is lit on it, what a loss of power leaves, and how it is told and kept.

Knows text in rows and pages; must not know frames. Nothing here is counted: a screen shows (`show`), it never acts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from device_drivers.pictures.font import UnknownLetterError, glyph
from device_drivers.pictures.glass import lit
from simulators.machine import Action, Effect, Paper

Pages = Sequence[Sequence[str]]
FOLDER = "screens"


@dataclass
class Glass:
    """`columns` by `rows` ASCII letters; `boot` is what it shows by itself when its power comes back."""

    device: str
    columns: int
    rows: int
    boot: str
    emit: Callable[[Action], None]
    pages: list[list[str]] = field(default_factory=list)
    powered: bool = True
    shown: int = 0  # texts taken, also those that it showed already

    def __post_init__(self) -> None:
        self.pages = self._boot_pages()

    def show(self, pages: Pages, now: float, **detail: Any) -> None:
        """Lights a text; told when it is another one than before."""
        self.shown += 1
        new = [[line.rstrip() for line in page] for page in pages]
        if new != self.pages:
            self.pages = new
            self._tell("shown", now, {"lines": self.text, **detail})

    def power_off(self, now: float, *, told: bool = True) -> None:
        """Dark, and it forgets what it showed. Not `told` where its line tells of power itself."""
        if self.powered:
            self.powered, self.pages = False, []
            self._tell("power_lost" if told else "", now, {})

    def power_on(self, now: float, *, told: bool = True) -> None:
        """It shows its boot text, whatever it showed before."""
        if not self.powered:
            self.powered, self.pages = True, self._boot_pages()
            self._tell("power_restored" if told else "", now, {"lines": self.text})

    @property
    def text(self) -> list[str]:
        """The rows of all pages; none while it is dark."""
        return [line for page in self.pages for line in page]

    def _boot_pages(self) -> list[list[str]]:
        return [[self.boot, *[""] * (self.rows - 1)]]

    def _tell(self, act: str, now: float, detail: dict[str, Any]) -> None:
        dark = [[""] * self.rows]
        pages = [[_drawable(line) for line in page] for page in self.pages or dark]
        self.emit(Paper(self.device, lit(pages, self.columns), "\n".join(self.text) + "\n", FOLDER))
        if act:
            self.emit(Effect(now, self.device, "show", act, detail))

    def snapshot(self) -> dict[str, Any]:
        """The glass outlives the simulator's process: it is not the screen's own power that was lost."""
        return {"pages": self.pages, "powered": self.powered, "shown": self.shown}

    def restore(self, saved: Any) -> None:
        """Go on from a snapshot."""
        self.pages = [list(map(str, page)) for page in saved["pages"]]
        self.powered, self.shown = bool(saved["powered"]), int(saved["shown"])


def _drawable(line: str) -> str:
    return "".join(character if _has_glyph(character) else "?" for character in line)


def _has_glyph(character: str) -> bool:
    try:
        return bool(glyph(character))
    except UnknownLetterError:
        return False
