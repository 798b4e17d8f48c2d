"""One call of the operating system that may hang, in a thread of its own that nobody has to wait for.

Knows threads, the loop and who still waits; must not know what is called.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import Generic, TypeVar

T = TypeVar("T")


class ErrandHangsError(Exception):
    """The call did not return within its limit; it goes on alone."""


class Errand(Generic[T]):
    """Begun when made. The thread is no worker of the loop's executor and holds up neither others nor the exit."""

    def __init__(self, name: str, call: Callable[[], T], discard: Callable[[T], None]) -> None:
        """`discard` is handed, in a thread, what the call returned after nobody waited for it any more."""
        self._call = call
        self._discard = discard
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._box: Future[T] = Future()  # decides between a result and giving up: whichever comes first
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def under_way(self) -> bool:
        """True until the call returned; one that was given up holds its thread until then."""
        return self._thread.is_alive()

    async def result(self, limit_s: float) -> T:
        """Raises what the call raises, or ErrandHangsError. Given up by the limit or by cancellation, at once."""
        try:
            async with asyncio.timeout(limit_s):
                await self._ended.wait()
        except TimeoutError as error:
            if self._box.cancel():
                raise ErrandHangsError from error
        except asyncio.CancelledError:
            self._abandon()
            raise
        return self._box.result()

    def _abandon(self) -> None:
        if not self._box.cancel() and self._box.exception() is None:  # it was just about to be told
            threading.Thread(target=self._discard, args=(self._box.result(),), daemon=True).start()

    def _run(self) -> None:
        try:
            result = self._call()
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            with contextlib.suppress(InvalidStateError):
                self._box.set_exception(error)
        else:
            try:
                self._box.set_result(result)
            except InvalidStateError:
                self._discard(result)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self._ended.set)
