"""When things happened, as pages tell it: the hour for what is of today, the day with it for what is not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_agent.panel.pages import words
from tests.edge_agent.panel.pages_asking import Browser, site
from tests.edge_agent.parts import Book
from tests.edge_agent.people.desk import quick

NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
DAY_S = 86400.0


@pytest.fixture(autouse=True)
def _in_the_branch() -> Iterator[None]:
    """Far from Greenwich: what is today there was yesterday evening on the wire."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("2026-03-02T04:02:33.120Z", "12:02:33"),
        ("2026-03-01T16:30:00.000Z", "00:30:00"),
        ("2026-03-01T15:30:00.000Z", "03-01 23:30:00"),
        ("2025-12-31T12:00:00.000Z", "2025-12-31 20:00:00"),
        ("no time at all", "no time at all"),
    ],
)
def test_a_time_of_another_day_has_its_date(then: str, told: str) -> None:
    assert words.clock(then, NOW) == told


async def test_what_stands_since_yesterday_is_not_taken_for_this_morning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        panel = await site(book)
        await book.submit("D-1", parameters={"receipt": False})
        browser = await Browser.of(panel, "teller")
        today = (await browser.get("/orders")).body.decode()
        assert "20:00:" in today
        assert "03-02 20:00:" not in today
        book.wall.seconds += DAY_S
        browser = await Browser.of(panel, "teller")
        for path in ("/", "/orders", "/orders/D-1"):
            assert "03-02 20:00:" in (await browser.get(path)).body.decode(), path
