"""One thing that the mechanism does: a line, a band of an image, a code, a feed, a cut.

Knows its dots and how long it takes; must not know who asked for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.escpos.roll import pack_rows, unpack_rows

PRINTING = frozenset({"line", "band", "code"})


@dataclass(frozen=True, slots=True)
class Job:
    """`name`: line, band, code, feed or cut. `text` is what people read of it; a code's begins with a NUL."""

    name: str
    rows: tuple[bytes, ...] = ()
    text: str | None = None
    dots: int = 0
    full: bool = True

    def duration_s(self, line_s: float, cut_s: float) -> float:
        return cut_s if self.name == "cut" else line_s * (len(self.rows) or self.dots) / 24

    def snapshot(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "rows": pack_rows(self.rows) if self.rows else "",
            "text": self.text,
            "dots": self.dots,
            "full": self.full,
        }


def job_of(saved: Mapping[str, Any], stride: int) -> Job:
    """What `snapshot` made."""
    rows = tuple(unpack_rows(saved["rows"], stride)) if saved["rows"] else ()
    return Job(saved["name"], rows, saved["text"], int(saved["dots"]), bool(saved["full"]))
