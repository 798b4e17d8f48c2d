"""A journal under a test's hand: its writer held just before a COMMIT, or made to fail there.

Knows the hooks of the journal; must not know what is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from edge_agent.journal.journal import CommitHooks, Journal, Tx

HELD_LIMIT_S = 30.0  # a test that forgot to open the gate ends instead of hanging


class Gate:
    """Counts commits; `shut` holds the next one until `open`, `fail` makes each raise until it is None again."""

    def __init__(self) -> None:
        self.commits = 0
        self.fail: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._open = threading.Event()
        self._open.set()
        self._arrived = asyncio.Event()

    def shut(self) -> None:
        self._arrived.clear()
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def arrived(self) -> None:
        """Returns when the writer stands before its COMMIT."""
        await self._arrived.wait()

    def before(self) -> None:
        self._loop.call_soon_threadsafe(self._arrived.set)
        assert self._open.wait(HELD_LIMIT_S), "the gate stayed shut"
        if self.fail is not None:
            raise self.fail
        self.commits += 1

    @property
    def hooks(self) -> CommitHooks:
        return CommitHooks(self.before)


@contextlib.asynccontextmanager
async def opened(folder: Path, gate: Gate | None = None) -> AsyncIterator[Journal]:
    """A journal that has told its birth, as the agent's does; closed with its threads at the end."""
    journal = await Journal.open(folder, gate.hooks if gate else CommitHooks())
    try:
        yield journal
    finally:
        if gate is not None:
            gate.open()
        await journal.close()
    assert not threads(), "threads of the journal outlive it"


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("journal")]


def handles() -> set[str]:
    """The open file descriptors of this process."""
    return {path.name for path in Path("/proc/self/fd").iterdir()}


async def held(journal: Journal, gate: Gate) -> asyncio.Future[int]:
    """Shuts the gate and has one job before it: what is posted from now on shares the next batch."""
    gate.shut()
    first = journal.post(lambda tx: tx.emit("first", None, {}))
    await gate.arrived()
    return first


def events(tx: Tx) -> list[tuple[int, str]]:
    return [(row["seq"], row["type"]) for row in tx.all("SELECT seq, type FROM outbox ORDER BY seq")]


def arming(attempt: str, device: str = "card-1", **more: Any) -> dict[str, Any]:
    return {"attempt": attempt, "device": device, "act": "draw_card", **more}


def contents_of(folder: Path) -> dict[str, bytes]:
    """The files that a reader must leave as they are; SQLite's own index of its log is none of them."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(("-shm", "-wal"))}
