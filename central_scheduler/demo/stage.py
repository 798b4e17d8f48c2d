"""What the audience sees while the demo runs: a live table and a log, or plain lines where there is no terminal.

Knows rich and rows; must not know brokers, processes or what an order does next.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from central_scheduler.console.screen import Screen, harmless

LOG_LINES = 200
MIN_LOG = 4
FRAME = 6  # lines that are neither orders, notice nor log: title, heads, borders, cursor
NARROW = 90
# An order's id, how it stands and where are what people look for: what it is for and its last event share the rest.
MOST = {"order": 16, "state": 24, "device": 16}
SHARES = {"plan": 3, "last_event": 4}


@dataclass(frozen=True, slots=True)
class Row:
    """One order in the live table."""

    order: str
    what: str
    state: Text
    device: str
    last: Text


class Stage:
    """`with Stage(...) as stage`: `say` adds to the log; the table is drawn from `rows()` at each `refresh`."""

    def __init__(self, screen: Screen, notice: str, rows: Callable[[], Sequence[Row]]) -> None:
        self._screen = screen
        self._words = screen.words
        self._notice = notice
        self._rows = rows
        self._log: deque[Text] = deque(maxlen=LOG_LINES)
        self._began_s = time.monotonic()
        self._pinned: list[str] = []
        self._live: Live | None = None

    @property
    def began_s(self) -> float:
        """When it was opened, on the monotonic clock."""
        return self._began_s

    def __enter__(self) -> Self:
        if self._screen.out.is_terminal and not self._screen.as_json:
            # Refreshed by a task on our loop: rich's own thread would run while processes are started.
            self._live = Live(self._frame(), console=self._screen.out, auto_refresh=False, vertical_overflow="crop")
            self._live.start()
        else:
            self._screen.say(self._words("demo.title"))
            self._screen.say(self._notice)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self.refresh()
            self._live.stop()
            self._live = None

    def say(self, line: str | Text, style: str = "") -> None:
        """One line of the log, with the seconds since the beginning."""
        text = Text(f"{time.monotonic() - self._began_s:6.1f} ", style="dim")
        text.append_text(line if isinstance(line, Text) else Text(harmless(line), style=style))
        self._log.append(text)
        if self._live is None:
            self._screen.say(text)
        self.refresh()

    def pin(self, lines: Sequence[str]) -> None:
        """Lines that stay in sight below the log."""
        self._pinned = list(lines)
        if self._live is None:
            for line in lines:
                self._screen.say(line)
        self.refresh()

    def refresh(self) -> None:
        if self._live is not None:
            self._live.update(self._frame(), refresh=True)

    def _frame(self) -> Group:
        console = self._screen.out
        rows = list(self._rows())
        frame = (
            FRAME + len(self._pinned) + -(-cell_len(self._notice) // console.size.width)
        )  # the notice must be read whole
        room = max(1, console.size.height - frame - MIN_LOG)
        shown = rows[-room:]
        log_lines = max(MIN_LOG, console.size.height - frame - len(shown))
        head = Text(self._words("demo.title"), style="bold reverse")
        notice = Text(self._notice, style="yellow")
        pinned = [Text(line, style="green", no_wrap=True, overflow="ellipsis") for line in self._pinned]
        return Group(head, notice, self._table(console, shown), self._panel(log_lines), *pinned)

    def _table(self, console: Console, rows: Sequence[Row]) -> Table:
        wide = console.size.width >= NARROW
        grid = Table(box=None, expand=True, pad_edge=False, header_style="bold")
        heads = ("order", "plan", "state", "device", "last_event") if wide else ("order", "plan", "state")
        for head in heads:
            label, most, share = self._words(f"label.{head}"), MOST.get(head), SHARES.get(head)
            grid.add_column(label, no_wrap=True, overflow="ellipsis", max_width=most, ratio=share)
        for row in rows:
            cells: list[str | Text] = [row.order, row.what, row.state, row.device, row.last]
            grid.add_row(*cells[: len(heads)])
        return grid

    def _panel(self, lines: int) -> Panel:
        newest = list(self._log)[-lines:]
        body = Text("\n", no_wrap=True, overflow="ellipsis").join(newest)
        body.no_wrap, body.overflow = True, "ellipsis"
        return Panel(body, title=self._words("demo.log"), height=lines + 2, title_align="left")
