"""An event loop whose clock jumps: whoever sleeps is woken at once, in order, and `loop.time()` says it was that late.

Knows selectors and timers; must not be used where real sockets, threads or processes are waited for.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

STUCK_AFTER_S = 60.0  # real seconds without a timer or an event: a deadlock, not patience


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for a timer: moves the clock to it."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None:
            self.now += timeout
            return ready
        ready = super().select(STUCK_AFTER_S)
        if not ready:
            raise RuntimeError("everything waits and nothing will ever happen")
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop on jumping time, beginning at 1000 s so that a forgotten zero shows."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        self._jumping.now = 1000.0
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Waits for its threads without a limit: from Python 3.13 on the runner's 300 s would pass at once here."""
        await super().shutdown_default_executor()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on jumping time. Fails when it leaves a task behind."""

    async def watched() -> T:
        result = await work
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"left behind: {left}"
        return result

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(watched())


def virtual_time(test: Callable[P, Awaitable[None]]) -> Callable[P, None]:
    """Makes an async test run on jumping time."""

    @functools.wraps(test)
    def run_test(*args: P.args, **kwargs: P.kwargs) -> None:
        async def work() -> None:
            await test(*args, **kwargs)

        run(work())

    plain: Any = run_test
    del plain.__wrapped__  # else pytest-asyncio sees the coroutine function behind it
    plain.__signature__ = inspect.signature(test)
    return run_test
