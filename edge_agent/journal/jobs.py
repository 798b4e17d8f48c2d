"""What the journal is asked to do, one at a time, and where its commits can be watched.

Knows who waits for an answer; must not know how it is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge_agent.journal.tx import Tx


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class CommitHooks:
    """Called on the writer thread around each commit; tests count and kill there.

    What `before` raises fails the commit; `after` must not raise.
    """

    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing


@dataclass(slots=True)
class Job:
    work: Callable[[Tx], Any]
    future: asyncio.Future[Any]
    patient: bool = False  # it begins no commit of its own for a moment, and goes with the next
    result: Any = None
    error: Exception | None = None
    tx: Tx | None = None  # what it told and armed; None unless its changes stand


def tell(job: Job) -> None:
    if job.future.done():  # whoever asked has given up
        return
    if job.error is None:
        job.future.set_result(job.result)
        return
    error = RuntimeError(repr(job.error)) if isinstance(job.error, StopIteration) else job.error  # a future takes none
    job.future.set_exception(error)
    job.future.exception()  # a posted job nobody awaits must not warn; awaiters still get it
