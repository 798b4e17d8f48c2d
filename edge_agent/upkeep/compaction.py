"""Giving back what was left free in the journal's file, a few pages at a time, so that a lane waits for one step.

Knows pages; must not know what stood on them. SQLite's own VACUUM writes the whole file anew while everybody waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from edge_agent.journal.journal import Journal
from edge_agent.journal.tx import Tx
from edge_agent.upkeep.size import size_of

STEP_PAGES = 32  # moved in one transaction: with what points at them about as much as a few orders write
PAUSE_S = 0.1  # between two steps: whoever waits for a commit goes first
LEAST_BYTES = 4 * 1024 * 1024  # less is not worth a write: the next orders fill it
FROM_SHARE, TO_SHARE = 4, 16  # begun when a quarter of the file is free, ended at a sixteenth


async def compact(journal: Journal, sleep: Callable[[float], Awaitable[None]]) -> int:
    """How many bytes the file got shorter by, once its log is written back. Raises StoreFailed."""
    size = await journal.read(size_of)
    before = size.free
    if not await journal.read(can_shrink) or size.free <= max(LEAST_BYTES, (size.free + size.bytes) // FROM_SHARE):
        return 0
    while size.free > max(LEAST_BYTES // 4, (size.free + size.bytes) // TO_SHARE):
        await journal.write(step)
        left = await journal.read(size_of)
        if left.free >= size.free:  # somebody else frees faster: another time
            break
        size = left
        await sleep(PAUSE_S)
    return before - size.free


def can_shrink(tx: Tx) -> bool:
    """Whether the file knows who points at each page; one that was begun by an older agent keeps its free pages."""
    row = tx.one("PRAGMA auto_vacuum")
    return row is not None and row[0] == 2


def step(tx: Tx) -> None:
    """Moves the last pages in use into free ones further ahead."""
    for _ in range(STEP_PAGES):  # one by one: of a statement without columns Python takes the first step only
        tx.all("PRAGMA incremental_vacuum(1)")
