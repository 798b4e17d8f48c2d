"""One thread for the blocking calls of one link, in their order; a call that never returns is left to it.

Knows threads, the loop and limits; must not know what is called.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class WorkerHangsError(Exception):
    """The call did not return within its limit; it goes on alone, and what was handed in later follows it."""


class Worker:
    """Begun when made; `end()` it. The thread holds up neither others nor the exit of the process."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self._hangs = False

    @property
    def alive(self) -> bool:
        """True until the thread has done its last call."""
        return self._thread.is_alive()

    async def run(self, call: Callable[[], T], limit_s: float) -> T:
        """Raises what the call raises, or WorkerHangsError. Never cancelled from within: see `finish.finish_first`."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[T] = loop.create_future()

        def tell(settle: Callable[[Any], None], value: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(_settle, ended, settle, value)

        def job() -> None:
            try:
                result = call()
            except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
                tell(ended.set_exception, error)
            else:
                tell(ended.set_result, result)

        self._jobs.put(job)
        await asyncio.wait([ended], timeout=limit_s)
        if not ended.done():
            self._hangs = True
            ended.cancel()
            raise WorkerHangsError
        return ended.result()

    def end(self) -> None:
        """After the last call. A thread that hangs is not waited for."""
        self._jobs.put(None)
        if not self._hangs:
            self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _settle(ended: asyncio.Future[Any], settle: Callable[[Any], None], value: object) -> None:
    if not ended.done():
        settle(value)
