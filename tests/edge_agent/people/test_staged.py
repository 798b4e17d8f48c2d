"""The register's file killed at every write: it is never broken, and always the one that the journal knows."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_agent.audit.proof import Wanted, rows
from edge_agent.people.register import PeopleRefused
from edge_agent.people.staff import FILE
from tests.edge_agent.parts import Book
from tests.edge_agent.people.desk import People, quick
from tests.virtual_time import virtual_time

CALLS = ("open", "write", "fsync", "close")  # of os, as the storage and the folder's sync use them


CALLS_OF_A_CHANGE = 13  # of the disk, the commit among them
MOST = CALLS_OF_A_CHANGE + 1


class Killed(BaseException):
    """The process is no more."""


class Knife:
    """Counts what is asked of the disk and ends the process at one of it: before it, in its middle, or after."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, journal: Any) -> None:
        self.count, self.at, self.how = 0, -1, ""
        self.dead = False
        for name in CALLS:
            monkeypatch.setattr(os, name, self._cut(name, getattr(os, name)))
        for name in ("replace", "unlink"):
            monkeypatch.setattr(Path, name, self._cut(name, getattr(Path, name)))
        self._commit = journal.write
        monkeypatch.setattr(type(journal), "write", self._cut_commit(type(journal).write))

    def _cut(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            if self._is_now(name):
                if self.how == "middle" and name == "write":
                    real(args[0], args[1][: len(args[1]) // 2])
                if self.how == "after":
                    real(*args, **kwargs)
                raise Killed
            return real(*args, **kwargs)

        return called

    def _cut_commit(self, real: Callable[..., Any]) -> Callable[..., Any]:
        async def write(*args: Any, **kwargs: Any) -> Any:
            now = self._is_now("commit")
            if now and self.how != "after":
                raise Killed
            result = await real(*args, **kwargs)
            if now:
                raise Killed
            return result

        return write

    def _is_now(self, name: str) -> bool:
        if self.at < 0 or self.dead:
            return False
        self.count += 1
        self.dead = self.count - 1 == self.at and (self.how != "middle" or name == "write")
        return self.dead


async def _one_kill(folder: Path, monkeypatch: pytest.MonkeyPatch, at: int, how: str) -> bool:
    """A change that is killed there, then a start; whether the kill came at all."""
    quick(monkeypatch)
    async with Book(folder, fast=True) as book:
        people = People(book)
        await people.open()
        await people.set_up()
        before = (folder / FILE).read_bytes()
        with monkeypatch.context() as patched:
            knife = Knife(patched, book.journal)
            knife.at, knife.how = at, how
            with contextlib.suppress(Killed):
                await people.add("li")
            json.loads((folder / FILE).read_text())
        added = [row for row in rows(folder, Wanted(act="people.add")) if row["what"] == "/people/li"]
        await people.restart()
        staff = people.staff
        assert not staff.altered
        assert (staff.register.find("li") is not None) == bool(added), "the journal's row is what counts"
        assert added or (folder / FILE).read_bytes() == before
        assert not (folder / f"{FILE}.next").exists()
        assert await people.enters("chief") == "/people/chief"
        await people.add("wu")
        await people.restart()
        assert await people.enters("wu") == "/people/wu"
    return knife.dead


@pytest.mark.parametrize("how", ["before", "middle", "after"])
@virtual_time
async def test_a_kill_at_every_write_leaves_a_whole_file_that_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    kills, at = 0, 0
    while at < MOST:
        came = await _one_kill(tmp_path / f"{at}", monkeypatch, at, how)
        kills += came
        at += 1
    assert kills == (1 if how == "middle" else CALLS_OF_A_CHANGE)


@virtual_time
async def test_a_file_that_could_not_be_renamed_is_published_by_the_next_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        people = People(book)
        await people.open()
        await people.set_up()
        with monkeypatch.context() as patched:

            def full(*_: Any) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            patched.setattr(Path, "replace", full)
            await people.add("li")
            assert await people.enters("li") == "/people/li", "it is committed"
            with pytest.raises(OSError, match="No space"):
                await people.add("wu")
            assert await people.enters("li") == "/people/li"
        await people.add("wu")
        assert set(json.loads((tmp_path / FILE).read_text())["people"]) == {"1", "2", "3"}
        await people.restart()
        assert await people.enters("wu") == "/people/wu"


@virtual_time
async def test_a_full_disk_changes_nothing_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    async with Book(tmp_path) as book:
        people = People(book)
        await people.open()
        await people.set_up()
        before = (tmp_path / FILE).read_bytes()
        with monkeypatch.context() as patched:

            def full(*_: Any) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            patched.setattr(os, "write", full)
            with pytest.raises(OSError, match="No space"):
                await people.add("li")
        assert (tmp_path / FILE).read_bytes() == before
        assert people.staff.register.find("li") is None
        with pytest.raises(PeopleRefused):
            people.staff.register.get("li")
        await people.add("li")
