"""The paper that a sheet is made for.

Knows measures; must not know templates nor printers' names.
"""

from __future__ import annotations

from dataclasses import dataclass

from device_drivers.receipts.unprintable import Unprintable

__all__ = ["PAPERS", "Paper", "Unprintable"]


@dataclass(frozen=True, slots=True)
class Paper:
    """`columns` ASCII letters of size 1 fit a line; `dots` is the width that the head can print."""

    columns: int = 48
    dots: int = 576


PAPERS = {paper.columns: paper for paper in (Paper(48, 576), Paper(42, 512), Paper(32, 384))}  # 80 mm twice, 58 mm
