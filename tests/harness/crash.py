"""A planned death: counts journal commits and every call on a link, and SIGKILLs its own process at the n-th.

Knows the agent's two hooks and nothing behind them; SIGKILL runs no handler, flushes nothing and tells nobody.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from device_drivers.links.link import Link


@dataclass(frozen=True)
class Plan:
    """Die just `when` ("before" or "after") the `at`-th operation, or a first writing with `frame` (hex); else never.

    Once the file `safe` exists nothing is counted any more.
    """

    at: int = 0
    when: str = "before"
    frame: str | None = None
    safe: Path | None = None
    count: Path | None = None  # where the number of operations so far is written, for the dry run

    def as_words(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "when": self.when,
            "frame": self.frame,
            "safe": str(self.safe) if self.safe else None,
            "count": str(self.count) if self.count else None,
        }


def plan_of(words: dict[str, Any]) -> Plan:
    safe, count = words.get("safe"), words.get("count")
    return Plan(
        words["at"], words["when"], words.get("frame"), Path(safe) if safe else None, Path(count) if count else None
    )


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    while True:  # the signal is on its way to this very thread
        signal.pause()


class Counter:
    """Counts operations of all threads; `before` and `after` stand around each."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._n = 0
        self._log: list[str] = []

    def before(self, what: str) -> int:
        """The number of this operation; 0 when it is not counted any more."""
        if self._plan.safe is not None and self._plan.safe.exists():
            return 0
        with self._lock:
            self._n += 1
            number = self._n
            if self._plan.count is not None:
                with self._plan.count.open("a", encoding="utf-8") as file:
                    file.write(f"{number} {what}\n")
        if self._plan.frame is not None and what.startswith("write ") and self._plan.frame in what:
            self._plan = replace(self._plan, at=number)
        if number == self._plan.at and self._plan.when == "before":
            die()
        return number

    def after(self, number: int) -> None:
        if number and number == self._plan.at and self._plan.when == "after":
            die()


class CommitHook:
    """The two calls around a commit, both on the journal's writer thread."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._number = 0

    def before(self) -> None:
        self._number = self._counter.before("commit")

    def after(self) -> None:
        self._counter.after(self._number)


class CountedLink:
    """A link whose every call is an operation."""

    def __init__(self, link: Link, counter: Counter) -> None:
        self._link = link
        self._counter = counter

    @property
    def wrapped(self) -> Link:
        return self._link

    async def open(self) -> None:
        number = self._counter.before("open")
        await self._link.open()
        self._counter.after(number)

    async def close(self) -> None:
        number = self._counter.before("close")
        await self._link.close()
        self._counter.after(number)

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        number = self._counter.before("read")
        data = await self._link.read(max_bytes, timeout_s)
        self._counter.after(number)
        return data

    async def write(self, data: bytes) -> None:
        number = self._counter.before(f"write {data.hex(' ')}")
        await self._link.write(data)
        self._counter.after(number)

    def describe(self) -> str:
        return self._link.describe()
