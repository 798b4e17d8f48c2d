"""What reaches the terminal: lines, tables, one JSON value, problems; made harmless, fit for pipes and narrow windows.

Knows rich and the two output streams; must not know what the lines are about.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from central_scheduler.console.problem import Problem
from central_scheduler.words import Words

PIPE_WIDTH = 200  # nobody's window: columns are then as wide as their content asks

STYLES = {
    **dict.fromkeys(("completed", "done", "online", "accepted"), "green"),
    **dict.fromkeys(("failed", "rejected", "offline", "powerOff", "noDevice", "hardwareError", "fraudAttempt"), "red"),
    **dict.fromkeys(("needs_attention", "in_doubt", "userError", "potentialFraud", "shut"), "bold magenta"),
    **dict.fromkeys(("waiting", "held", "acting", "armed", "running", "starting", "deviceBusy"), "yellow"),
    **dict.fromkeys(("cancelled", "expired", "skipped", "cancelling", "compensated", "no_effect"), "cyan"),
}


def harmless(text: str) -> str:
    """Text from elsewhere without anything that a terminal would obey."""
    return "".join(c if c.isprintable() else " " if c in "\n\t\r" else "�" for c in text)


def safe(line: str | Text) -> str | Text:
    """The same for lines that are coloured: rich hands on what a terminal obeys."""
    if isinstance(line, str):
        return harmless(line)
    shown = line.copy()
    shown.plain = harmless(line.plain)
    return shown


def painted(text: str, state: str) -> Text:
    """A word in the colour of the state that it tells."""
    return Text(harmless(text), style=STYLES.get(state, ""))


class Screen:
    """Standard output for what was asked, standard error for what went wrong."""

    def __init__(self, words: Words, *, as_json: bool = False) -> None:
        self.words = words
        self.as_json = as_json
        self.out = _console(sys.stdout)
        self.err = _console(sys.stderr)

    @property
    def is_terminal(self) -> bool:
        return self.out.is_terminal and sys.stdin.isatty()

    def say(self, line: str | Text) -> None:
        """One line for people; silent when JSON was asked for."""
        if not self.as_json:
            self.out.print(safe(line), soft_wrap=not self.out.is_terminal)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
        """Rows under translated heads; nothing in the window is cut off, long cells fold."""
        grid = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
        for column in columns:
            grid.add_column(column, overflow="fold")
        for row in rows:
            grid.add_row(*map(safe, row))
        self.out.print(grid)

    def json(self, value: Any) -> None:
        """The one JSON value of this command."""
        sys.stdout.write(json.dumps(value, ensure_ascii=_is_poor(sys.stdout), indent=2) + "\n")
        sys.stdout.flush()

    def json_line(self, value: Any) -> None:
        """One of many JSON values, a line each."""
        sys.stdout.write(json.dumps(value, ensure_ascii=_is_poor(sys.stdout)) + "\n")
        sys.stdout.flush()

    def section(self, title: str) -> None:
        """A heading between tables."""
        self.out.print()
        self.out.print(Text(harmless(title), style="bold underline"))

    def warn(self, line: str) -> None:
        """One line beside the output proper."""
        if not self.as_json:
            self.err.print(Text(harmless(line), style="yellow"), soft_wrap=True)

    def problem(self, problem: Problem) -> None:
        """What is wrong, what the branch said of it, what to do."""
        if self.as_json:
            told = json.dumps(problem.as_json(self.words), ensure_ascii=_is_poor(sys.stderr))
            sys.stderr.write(told + "\n")
            return
        self.err.print(Text(harmless(problem.sentence(self.words)), style="bold red"), soft_wrap=True)
        for line in problem.more:
            self.err.print(Text(harmless(line)), soft_wrap=True)
        self.err.print(Text(harmless(problem.help(self.words))), soft_wrap=True)

    def pairs(self, pairs: Mapping[str, str | Text]) -> None:
        """Labels and values, one pair a line; empty values are left out."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for label, value in pairs.items():
            if value:
                grid.add_row(label, safe(value))
        self.out.print(grid)


def _is_poor(stream: Any) -> bool:
    """Whether it has no letters for some of what may be said: in JSON they are escaped."""
    return (getattr(stream, "encoding", None) or "").lower() not in ("utf-8", "utf8")


def _console(stream: Any) -> Console:
    if hasattr(stream, "reconfigure"):  # of Latin-1, say: a letter that it lacks ends nothing
        stream.reconfigure(errors="replace")
    columns = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() else int(columns) if columns.isdecimal() and int(columns) > 0 else PIPE_WIDTH
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width)
