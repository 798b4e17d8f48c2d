"""Plain figures: percentiles of seconds, a table, and the machine on which they were seen.

Knows numbers and text; must not know what was measured.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds of many repetitions."""

    p50_s: float
    p99_s: float
    count: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """Of at least one duration; p99 of few is their greatest."""
        ordered = sorted(seconds)
        return cls(ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], len(ordered))

    def words(self) -> str:
        return f"p50 {self.p50_s * 1000:.2f} ms, p99 {self.p99_s * 1000:.2f} ms (n={self.count})"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report. `aim` is what the figure should be; `good` None: it is only told."""

    name: str
    seen: str
    aim: str = ""
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """A title, its rows, and the bare numbers behind them."""

    title: str
    rows: tuple[Row, ...]
    numbers: dict[str, Any]


def machine() -> dict[str, str]:
    """What the figures were seen on."""
    return {
        "cpu": _cpu(),
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "broker": _first_line(["mosquitto", "-h"], ["/usr/sbin/mosquitto", "-h"]),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _first_line(*commands: list[str]) -> str:
    for command in commands:
        try:
            said = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout
        except OSError:
            continue
        if said:
            return said.splitlines()[0]
    return "unknown"


def table(chapters: Sequence[Chapter]) -> str:
    """All of it as Markdown."""
    lines = []
    for chapter in chapters:
        lines += [f"## {chapter.title}", "", "| | seen | aim | |", "|---|---|---|---|"]
        marks = {True: "met", False: "**missed**", None: ""}
        lines += [f"| {row.name} | {row.seen} | {row.aim} | {marks[row.good]} |" for row in chapter.rows]
        lines.append("")
    return "\n".join(lines)
