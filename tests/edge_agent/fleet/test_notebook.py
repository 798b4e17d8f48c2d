"""Evidence that a device tells only once: on disk before the next question, found again by its attempt."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.fleet.notebook import MARK, DeviceNotebook, marked
from edge_agent.orders.record import AttemptRow
from tests.edge_agent.orders import points as at_point
from tests.edge_agent.parts import DEVICE, Book


async def attempt(book: Book) -> AttemptRow:
    armed = await book.arm()
    assert isinstance(armed, AttemptRow)
    return armed


@pytest.mark.rule("PHY-5")
async def test_a_note_is_on_disk_when_it_returns_and_told(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await DeviceNotebook(book.journal, DEVICE).note("power_lost", {"code": "B0"})
        other = sqlite3.connect(f"file:{book.journal.path}?mode=ro", uri=True)
        assert other.execute("SELECT device, kind, facts FROM notes").fetchall() == [
            (DEVICE, "power_lost", '{"code": "B0"}')
        ]
        other.close()
        told = book.events("device.changed")[-1]["data"]
        assert (told["device"], told["state"], told["facts"]) == (DEVICE, "power_lost", {"code": "B0"})


@pytest.mark.rule("PHY-5")
async def test_an_attempt_sees_the_notes_of_its_device_since_it_was_armed_also_after_a_restart(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        notebook = DeviceNotebook(book.journal, DEVICE)
        await notebook.note("power_lost", {})
        await book.submit()
        armed = marked(await attempt(book))
        assert await notebook.notes_since(armed) == []
        await notebook.note("cabinet_opened", {})
        await DeviceNotebook(book.journal, "card-2").note("power_lost", {})
        await notebook.note("moved_by_hand", {})
        await book.restart()
        assert await DeviceNotebook(book.journal, DEVICE).notes_since(armed) == ["cabinet_opened", "moved_by_hand"]


@pytest.mark.rule("PHY-6")
async def test_the_mark_of_an_attempt_is_kept_beside_its_readings(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        await DeviceNotebook(book.journal, DEVICE).note("power_lost", {})
        await at_point.drawn(book)
        row = await attempt(book)
        assert marked(row).readings == {"st0": 0, "st1": 2, "st2": 0, "bin": 0, MARK: 1}
        assert MARK not in row.arming.readings


async def test_a_note_that_cannot_be_written_is_an_error_of_the_asker(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        book.disk.full = True
        with pytest.raises(StoreFailed):
            await DeviceNotebook(book.journal, DEVICE).note("power_lost", {})
