"""A board put within a screen's limits: the lines of each page as they will be lit, or a refusal that says why not.

Calls are shortened by wordings, never cut; a text is shown whole or refused, since half of it may say the opposite.
Knows columns, rows and letters; must not know addresses nor frames.
"""

from __future__ import annotations

from dataclasses import dataclass

from device_drivers.device import Json
from device_drivers.receipts.letters import BadLetter, printable, width_of
from device_drivers.receipts.wrapping import wrapped
from device_drivers.screens.notices import Board, Call, Words
from device_drivers.screens.panels import Panel
from device_drivers.screens.wordings import wordings

_SEGMENTS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ")  # devices.md 3.3: what digit displays show well


class Unshowable(Exception):
    """The screen cannot show it; `reason` is a catalogue code, `facts` what is to be mended."""

    def __init__(self, reason: str, **facts: Json) -> None:
        super().__init__(f"{reason}: {facts}")
        self.reason = reason
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Line:
    """One lit row; `urgent` where the screen has a way to say so."""

    text: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Face:
    """What is lit: each page has every row of the panel. A line that `scrolls` is the only one there is."""

    pages: tuple[tuple[Line, ...], ...]
    scrolls: bool = False
    shortened: bool = False

    @property
    def texts(self) -> list[list[str]]:
        """The words alone, by page and row."""
        return [[line.text for line in page] for page in self.pages]

    @property
    def rows(self) -> list[str]:
        """Every row that is not dark, in the order in which it is read."""
        return [line.text for page in self.pages for line in page if line.text]


def face_of(board: Board, panel: Panel, idle_text: str = "") -> Face:
    """How the board looks there. Raises Unshowable."""
    if board.words is not None:
        return _text(board.words, panel)
    if board.calls:
        return _calls(board.calls[: panel.calls], panel)
    return _text(Words(idle_text), panel)


def _calls(calls: tuple[Call, ...], panel: Panel) -> Face:
    """Two languages stand below each other where there is room, else on pages in turn, else Chinese alone."""
    both = any(call.language == "zh+en" for call in calls) and panel.letters != "segments"
    if both and panel.lines_a_call < 2 and panel.pages > 1:
        pages = [[_said(call, _one_of(call, language), panel) for call in calls] for language in ("zh", "en")]
        blocks = [[[line] for line, _ in page] for page in pages]
        short = any(short for page in pages for _, short in page)
    else:
        said = [[_said(call, language, panel) for language in _languages(call, panel)] for call in calls]
        blocks = [[[line for line, _ in block] for block in said]]
        short = any(short for block in said for _, short in block) or (both and panel.lines_a_call < 2)
    return Face(tuple(_page(page, panel) for page in blocks), shortened=short)


def _languages(call: Call, panel: Panel) -> list[str]:
    if panel.letters == "segments":
        return [""]
    return call.language.split("+")[: panel.lines_a_call]


def _one_of(call: Call, language: str) -> str:
    return language if language in call.language else call.language


def _said(call: Call, language: str, panel: Panel) -> tuple[Line, bool]:
    """The fullest wording that fits a line, and whether a fuller one did not."""
    for place, wording in enumerate(wordings(call, language, one_window=panel.calls == 1)):
        text = _lettered(wording, panel)
        if width_of(text) <= panel.columns:
            return Line(text, call.urgent), place > 0
    raise Unshowable("call_too_wide", columns=panel.columns, number=call.number, window=call.window)


def _page(blocks: list[list[Line]], panel: Panel) -> tuple[Line, ...]:
    """Each call at the head of its rows, the newest on top."""
    rows: list[Line] = []
    for block in blocks:
        rows += [*block, *[Line("")] * (panel.lines_a_call - len(block))]
    return _filled(rows, panel)


def _filled(rows: list[Line], panel: Panel) -> tuple[Line, ...]:
    return (*rows, *[Line("")] * (panel.rows - len(rows)))


def _text(words: Words, panel: Panel) -> Face:
    text = _lettered(words.text.strip(), panel)
    lines = [Line(line, words.urgent) for line in wrapped(text, panel.columns)]
    if len(lines) <= panel.rows * panel.pages:
        starts = range(0, len(lines), panel.rows)
        return Face(tuple(_filled(lines[start : start + panel.rows], panel) for start in starts))
    running = " ".join(text.split("\n"))
    if panel.rows == 1 and width_of(running) <= panel.scroll_columns:
        return Face(((Line(running, words.urgent),),), scrolls=True)
    most = max(panel.columns * panel.rows * panel.pages, panel.scroll_columns)
    raise Unshowable("text_too_long_for_screen", columns=width_of(running), most=most)


def _lettered(text: str, panel: Panel) -> str:
    """The text in the letters that the screen has. Raises Unshowable."""
    text = text.upper() if panel.letters == "segments" else text
    for position, character in enumerate(text, 1):
        if character != "\n" and not _has(panel, character):
            strange = BadLetter(character, position)
            raise Unshowable("letter_not_on_screen", **{key: str(value) for key, value in strange.places.items()})
    return text


def _has(panel: Panel, character: str) -> bool:
    if panel.letters == "segments":
        return character in _SEGMENTS
    if not printable(character) or character in panel.without:
        return False
    try:
        return panel.letters == "gbk" or bool(character.encode("gb2312"))
    except UnicodeEncodeError:
        return False
