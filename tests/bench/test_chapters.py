"""Every chapter of the bench with tiny numbers: that figures come out, never how large they are."""

from __future__ import annotations

import json
import pstats
import shutil
from pathlib import Path

import pytest

from bench import flash, rest
from bench.__main__ import Amount, chapters
from bench.figures import Chapter, Row, Spread, machine, table
from bench.lines import DEAD, Size
from bench.orders import Extent

SIZE = Size(1.0, lines=2, units=2)
TINY = Amount(Extent(repeats=3, seconds=0.5, printers=2), events=300, printers=1, settle_s=0.1, idle_s=0.2, lines=SIZE)


def test_percentiles() -> None:
    spread = Spread.of([number / 1000 for number in range(1000, 0, -1)])
    assert (spread.p50_s, spread.p99_s, spread.count) == (0.501, 0.991, 1000)
    assert Spread.of([0.5]).words() == "p50 500.00 ms, p99 500.00 ms (n=1)"


def test_the_table_says_what_was_missed() -> None:
    rows = (Row("memory", "60 MB", "≤ 50 MB", good=False), Row("idle", "1%", "≤ 2%", good=True), Row("told", "3"))
    assert table([Chapter("Rest", rows, {})]).splitlines()[4:] == [
        "| memory | 60 MB | ≤ 50 MB | **missed** |",
        "| idle | 1% | ≤ 2% | met |",
        "| told | 3 |  |  |",
    ]


@pytest.mark.process
def test_the_machine_is_told() -> None:
    assert set(machine()) == {"cpu", "cores", "kernel", "python", "sqlite", "broker"}
    assert all(machine().values())


@pytest.mark.process
async def test_orders_come_to_their_end_and_are_counted(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    lone, shown, many = await chapters({"orders"}, TINY, str(profile))
    assert min(shown.numbers.values()) > 0
    assert min(lone.numbers.values()) > 0
    assert min(many.numbers.values()) > 0
    assert many.numbers["messages"] >= 3  # an instruction, its reply, an event
    assert [row.name for chapter in (lone, shown, many) for row in chapter.rows if row.good is not None] == [
        "instruction → outcome event",
        "ratio",
    ]
    json.dumps([lone.numbers, many.numbers, shown.numbers])
    assert [row.name for row in shown.rows if row.good is not None] == ["ratio"], "where both have one exchange"
    assert any("agent" in place[0] for place in pstats.Stats(str(profile)).stats)  # type: ignore[attr-defined]


@pytest.mark.process
async def test_each_fsync_is_held(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("no strace")
    held_ms = 150.0  # far more than a disk and a busy box take by themselves
    (slow,) = await flash.flash(TINY.orders, held_ms)
    assert slow.numbers["minimal_p50_s"] * 1000 > held_ms, "an order waits for a commit at least"
    assert slow.numbers["alone_p50_s"] * 1000 > 2 * held_ms, "armed before it acts, settled behind it"


@pytest.mark.process
async def test_a_backlog_goes_up() -> None:
    (drained,) = await chapters({"drain"}, TINY)
    assert drained.numbers["events"] == TINY.events
    assert min(drained.numbers.values()) > 0


@pytest.mark.process
async def test_an_agent_at_rest_is_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "REPEATS", 1)
    monkeypatch.setattr(rest, "IMPORTS", {"nothing": "", "asyncio": "import asyncio"})
    (rested,) = await chapters({"rest"}, TINY)
    assert rested.numbers["mb"] > rested.numbers["imports"]["nothing"][1] > 1
    assert rested.numbers["birth_s"] > 0
    assert [row.name for row in rested.rows if row.good is not None] == [
        "resident memory",
        "processor time while idle",
        "from start to birth",
    ]


@pytest.mark.process
async def test_lines_are_polled_with_and_without_dead_units() -> None:
    (polled,) = await chapters({"lines"}, TINY)
    assert polled.numbers["timeouts"] >= len(DEAD) - 1  # of a unit that broke off or garbled, or of a silent one
    assert min(polled.numbers[name] for name in ("p99_s", "p99_beside_dead_s", "many_p99_s", "mb")) > 0
    assert [row.name for row in polled.rows if row.good is not None] == ["… polls that the living missed", "… missed"]
