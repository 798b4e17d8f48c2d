"""The demo's live table: in a window of usual width it says in whole words how each order stands."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from central_scheduler.console.screen import Screen
from central_scheduler.demo.stage import NARROW, Row, Stage
from edge_agent.texts import Texts

LAST = "print a receipt: in doubt – out of paper, and a long story besides that nobody reads to its end"


@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_states_are_told_in_whole_words(lang: str, width: int) -> None:
    words = Texts(lang)
    states = [words.word("order_state", state) for state in ("completed", "partly_completed", "needs_attention")]
    plan = words("demo.plan_silence")
    rows = [Row(f"demo-{n:02}", plan, Text(state), "receipt-1", Text(LAST)) for n, state in enumerate(states)]
    page = io.StringIO()
    console = Console(file=page, width=width, force_terminal=False)
    console.print(Stage(Screen(words), "notice", lambda: rows)._table(console, rows))
    lines = page.getvalue().splitlines()
    assert all(cell_len(line) <= width for line in lines)
    for row, line in zip(rows, lines[1:], strict=True):
        assert row.order in line
        assert row.state.plain in line
        assert width < NARROW or (row.device in line and LAST[:20] in line)
