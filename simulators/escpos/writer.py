"""The print buffer: styles, Chinese mode and the line that is being filled; lines come out as jobs for the mechanism.

Knows characters, sizes and wrapping; must not know time, paper or the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from simulators.escpos.drawing import CELL, HIGH, Letter, across, letters_row
from simulators.escpos.jobs import Job

CODE_PAGES = {0: "cp437", 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 16: "cp1252", 17: "cp866", 18: "cp852"}
DEFAULT_SPACING = 30  # dots from one line to the next (1/6 inch)
TAB = 8  # columns
MAX_FEED = 8128  # dots, about a metre: Epson's limit of one feed


@dataclass
class Style:
    """What the formatting commands set, and `1B 40` takes back."""

    chinese: bool = True
    bold: bool = False
    underline: bool = False
    width: int = 1
    height: int = 1
    chinese_width: int = 1
    chinese_height: int = 1
    chinese_underline: bool = False
    align: int = 0
    spacing: int = DEFAULT_SPACING
    code_page: int = 0
    bar_height: int = 162
    bar_width: int = 3
    bar_text: int = 0
    qr_size: int = 3
    qr_level: int = 0x30


class Writer:
    """Gives jobs; keeps the half line, which a loss of power and `1B 40` forget and nothing else does."""

    def __init__(self, dots: int, *, chinese_default: bool, draws: bool = True) -> None:
        self._dots, self._chinese_default, self._draws = dots, chinese_default, draws
        self.style = Style(chinese=chinese_default)
        self._line: list[Letter] = []
        self._filled = 0  # dots of the line
        self.strip = False  # a column image stands in the line, which is as high as that
        self._lead = 0  # first byte of a double-byte character
        self.qr_data = self.stored = b""  # a code's data, an image: what waits for the command that prints it

    def reset(self) -> None:
        """`1B 40`: styles as after power-on, and the line that was not printed yet is gone."""
        self.style = Style(chinese=self._chinese_default)
        self.qr_data = self.stored = b""
        self.drop()

    def drop(self) -> None:
        """Forget the half line."""
        self._line.clear()
        self._filled, self._lead, self.strip = 0, 0, False

    def chinese(self, *, on: bool) -> None:
        """`1C 26` and `1C 2E`."""
        self.style.chinese = on
        self._lead = 0

    def size(self, n: int) -> None:
        """`1D 21 n`, which counts for both kinds of letters; `1C 21` changes the Chinese ones again."""
        self.style.width = self.style.chinese_width = (n >> 4 & 7) + 1
        self.style.height = self.style.chinese_height = (n & 7) + 1

    def text(self, byte: int) -> list[Job]:
        """One byte of text; a line when it is full."""
        if self._lead:
            lead, self._lead = self._lead, 0
            return self._put(_decoded(bytes((lead, byte)), "gbk"), wide=True)
        if self.style.chinese and 0x81 <= byte <= 0xFE:
            self._lead = byte
            return []
        return self._put(_decoded(bytes((byte,)), CODE_PAGES.get(self.style.code_page, "cp437")), wide=False)

    def tab(self) -> list[Job]:
        """To the next eighth column."""
        column = self._filled // CELL
        return [job for _ in range(TAB - column % TAB) for job in self._put(" ", wide=False)]

    def new_line(self) -> list[Job]:
        """Line feed: the line is printed, an empty one only feeds, one of an image's columns has been printed."""
        if self.strip and not self._line:
            self.strip = False
            return []
        return self._printed(self.style.spacing) or [Job("feed", dots=self.style.spacing)]

    def feed(self, dots: int) -> list[Job]:
        """Print what is there, and move the paper by so much in all."""
        line = self._printed(0)
        rest = min(dots, MAX_FEED) - (len(line[0].rows) if line else 0)
        return line + ([Job("feed", dots=rest)] if rest > 0 else [])

    def feed_lines(self, count: int) -> list[Job]:
        return self.feed(count * self.style.spacing)

    def picture(self, rows: list[int], width: int, text: str | None) -> list[Job]:
        """Rows of dots as wide as they are, aligned; what stands in the line is printed before."""
        drawn = tuple(across(rows, width, self.style.align, self._dots)) if self._draws else self._blank(len(rows))
        return [*self._printed(0), Job("band" if text is None else "code", rows=drawn, text=text)]

    def cut(self, *, full: bool, feed: int) -> list[Job]:
        """`feed` dots first."""
        return [*self.feed(feed), Job("cut", full=full)]

    def _put(self, char: str, *, wide: bool) -> list[Job]:
        style = self.style
        width, height = (style.chinese_width, style.chinese_height) if wide else (style.width, style.height)
        underline = style.chinese_underline if wide else style.underline
        letter = _letter(char, wide, width, height, style.bold, underline)
        full = self._filled + letter.dots > self._dots
        jobs = self._printed(style.spacing) if full and self._line else []
        self._line.append(letter)
        self._filled += letter.dots
        return jobs

    def _printed(self, spacing: int) -> list[Job]:
        if not self._line:
            return []
        high = max(letter.height for letter in self._line) * HIGH
        rows = tuple(letters_row(self._line, self.style.align, self._dots)) if self._draws else self._blank(high)
        text = "".join(letter.char for letter in self._line).rstrip()
        self._line.clear()
        self._filled = 0
        return [Job("line", rows=rows + self._blank(spacing - high), text=text)]

    def _blank(self, count: int) -> tuple[bytes, ...]:
        return (bytes(self._dots // 8),) * count

    def snapshot(self) -> dict[str, Any]:
        return {
            "style": asdict(self.style),
            "line": [[one.char, one.wide, one.width, one.height, one.bold, one.underline] for one in self._line],
            "lead": self._lead,
            "strip": self.strip,
            "qr": self.qr_data.hex(),
            "stored": self.stored.hex(),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.style = Style(**saved["style"])
        self._line = [Letter(*one) for one in saved["line"]]
        self._filled = sum(letter.dots for letter in self._line)
        self._lead, self.strip = int(saved["lead"]), bool(saved["strip"])
        self.qr_data, self.stored = bytes.fromhex(saved["qr"]), bytes.fromhex(saved["stored"])


_letter = lru_cache(4096)(Letter)  # a ticket has many of the same


@lru_cache(4096)
def _decoded(data: bytes, coding: str) -> str:
    """What a code page has no sign for, or a control character, is printed as a box."""
    try:
        text = data.decode(coding)
    except UnicodeDecodeError:
        return "□"
    return text if text.isprintable() else "□"
