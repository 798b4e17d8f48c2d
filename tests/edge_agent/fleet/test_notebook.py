"""Evidence that a device tells only once: on disk before the next question, found again by its attempt."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from cloud_bridge.ports import StoreFailed
from edge_agent.fleet.notebook import MARK, DeviceNotebook, marked
from edge_agent.journal.tx import Tx
from edge_agent.orders.record import remember
from edge_agent.orders.rows import AttemptRow
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


async def test_what_is_remembered_is_followed_from_commit_to_commit(tmp_path: Path) -> None:
    """It is read once; whoever remembers something in a transaction of his own is heard all the same."""
    async with Book(tmp_path) as book:
        notebook = DeviceNotebook(book.journal, DEVICE)
        assert await notebook.memory() == {}
        await book.do(lambda tx: remember(tx, DEVICE, {"next_id": 7}))
        assert await notebook.memory() == {"next_id": 7}
        await book.do(lambda tx: remember(tx, "card-2", {"next_id": 9}))
        assert await notebook.memory() == {"next_id": 7}
        await notebook.remember({"sheets": 1})
        assert await notebook.memory() == {"next_id": 7, "sheets": 1}


async def test_what_was_not_committed_is_not_remembered(tmp_path: Path) -> None:
    async with Book(tmp_path) as book:
        notebook = DeviceNotebook(book.journal, DEVICE)
        await notebook.remember({"next_id": 7})
        assert await notebook.memory() == {"next_id": 7}

        def fails(tx: Tx) -> None:
            remember(tx, DEVICE, {"next_id": 8})
            raise LookupError

        def turns_back(tx: Tx) -> None:
            remember(tx, DEVICE, {"sheets": 1})
            with contextlib.suppress(LookupError), tx.part():
                remember(tx, DEVICE, {"next_id": 9})
                raise LookupError

        with pytest.raises(LookupError):
            await book.do(fails)
        assert await notebook.memory() == {"next_id": 7}
        await book.do(turns_back)
        assert await notebook.memory() == {"next_id": 7, "sheets": 1}
