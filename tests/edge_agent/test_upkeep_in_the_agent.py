"""That what keeps the journal within its bounds is joined in the agent: the ceiling, and the wear that it tells."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from edge_agent import app
from edge_agent.journal import opening
from edge_agent.settings import parse
from tests.edge_agent.test_app import config, started, told
from tests.ports import free_port

__all__ = ["told"]  # a fixture of these tests


def whats(folder: Path) -> list[str]:
    """What its journal told of itself so far."""
    with contextlib.closing(sqlite3.connect(f"file:{folder / opening.NAME}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT data FROM outbox WHERE type LIKE '%journal.changed%' ORDER BY seq").fetchall()
    return [json.loads(row[0])["what"] for row in rows]


@pytest.mark.rule("OUT-4")
async def test_a_journal_over_its_ceiling_is_told_and_its_wear_is_put_down_at_the_end(
    told: asyncio.Queue[str], tmp_path: Path
) -> None:
    text = config(tmp_path, free_port()) + "[retention]\nmax_rows = 1\n"
    async with started(told, parse(text), app.Hooks()):
        async with asyncio.timeout(60):
            while "journal_full" not in whats(tmp_path / "data"):  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0)
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / opening.NAME)) as db:
        (wear,) = db.execute("SELECT value FROM meta WHERE key = 'wear'").fetchone()
    assert json.loads(wear)["commits"] > 1
