"""The paper that has left the head and was not cut yet: one continuous roll, with what stands on it.

Knows rows of dots and where each line of text stands; must not know commands. A sheet lies between two cuts.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_ROWS = 24_000  # three metres: then the paper's own weight tears it


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text, or in brackets a code's content; `row` is the middle of it."""

    row: int
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Paper that came off."""

    rows: tuple[bytes, ...]
    texts: tuple[str, ...]


class Roll:
    """Rows count from the cutter's last cut, or the last tear."""

    def __init__(self, dots: int) -> None:
        self._stride = dots // 8
        self._bands: list[tuple[int, str]] = []  # rows, and their dots deflated ("" is blank)
        self._texts: list[Text] = []
        self.rows = 0
        self.lines = 0  # printed lines and bands since the last cut

    @property
    def printed(self) -> bool:
        """Whether anything but blank paper is there."""
        return any(dots for _, dots in self._bands) or bool(self._texts)

    @property
    def texts(self) -> list[str]:
        """What people read on it so far."""
        return [text.text.lstrip("\0") for text in self._texts]

    def add(self, rows: Sequence[bytes], text: str | None) -> None:
        """What was printed, and the paper that it took."""
        blank = bytes(self._stride)
        black = any(row != blank for row in rows)
        self._bands.append((len(rows), pack_rows(rows) if black else ""))
        if text is not None:
            self._texts.append(Text(self.rows + min(len(rows), 24) // 2, text))
        self.rows += len(rows)
        self.lines += 1

    def feed(self, dots: int) -> None:
        """Blank paper."""
        if dots <= 0:
            return
        if self._bands and not self._bands[-1][1]:
            self._bands[-1] = (self._bands[-1][0] + dots, "")
        else:
            self._bands.append((dots, ""))
        self.rows += dots

    def last(self) -> tuple[list[bytes], str | None] | None:
        """The line that was printed last."""
        if not self._bands or not self._bands[-1][1]:
            return None
        count, dots = self._bands[-1]
        text = self._texts[-1] if self._texts and self._texts[-1].row >= self.rows - count else None
        return self._unpacked(count, dots), None if text is None else text.text

    def cut(self, left: int) -> Piece:
        """Everything but the last `left` rows, which are between head and cutter, comes off."""
        rows = [row for count, dots in self._bands for row in self._unpacked(count, dots)]
        at = max(0, len(rows) - left)
        piece = Piece(tuple(rows[:at]), tuple(text.text for text in self._texts if text.row < at))
        rest, texts = rows[at:], [Text(text.row - at, text.text) for text in self._texts if text.row >= at]
        self._bands, self._texts, self.rows, self.lines = [], [], 0, 0
        if any(any(row) for row in rest):
            self.add(rest, None)
        else:
            self.feed(len(rest))
        self._texts, self.lines = texts, 0
        return piece

    def _unpacked(self, count: int, dots: str) -> list[bytes]:
        return unpack_rows(dots, self._stride) if dots else [bytes(self._stride)] * count

    def snapshot(self) -> dict[str, Any]:
        return {
            "bands": [list(band) for band in self._bands],
            "texts": [[text.row, text.text] for text in self._texts],
            "lines": self.lines,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        self._bands = [(int(count), str(dots)) for count, dots in saved["bands"]]
        self._texts = [Text(int(row), str(text)) for row, text in saved["texts"]]
        self.rows, self.lines = sum(count for count, _ in self._bands), int(saved["lines"])


def pack_rows(rows: Sequence[bytes]) -> str:
    """Rows as text."""
    return base64.b64encode(zlib.compress(b"".join(rows), 6)).decode("ascii")


def unpack_rows(packed: str, stride: int) -> list[bytes]:
    """What `pack_rows` made."""
    raw = zlib.decompress(base64.b64decode(packed))
    return [raw[start : start + stride] for start in range(0, len(raw), stride)]
