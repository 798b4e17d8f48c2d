"""What a sender writes cannot become a log line of its own."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.edge_agent.parts import Book

LINE = "x\nINFO card-1: order o9: taken"


@pytest.mark.parametrize("member", ["type", "subject", "id"])
async def test_a_line_break_in_an_instruction_stays_in_its_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, member: str
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Book(tmp_path) as book:
        await book.ask("order.cancel", **{member: LINE})  # type: ignore[arg-type]
    assert [record for record in caplog.records if "taken" in record.getMessage()]
    assert not any("\n" in record.getMessage() for record in caplog.records)
