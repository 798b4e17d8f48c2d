"""The test's side of the zygote: starts it once, asks it for children, hears of their ends.

Knows the zygote's lines; must not know what the children are.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

LIMIT_S = 180.0  # for a start or an end; on a box with twenty times its load, too
ROOT = Path(__file__).parents[2]


class ZygoteProcess:
    """The zygote itself; one for a whole run of pytest."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "zygote"
        self.log = folder / "zygote.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.harness.zygote", str(self.socket)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
            )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            self.close()
            raise RuntimeError(f"the zygote did not start: {self.log.read_text()}")

    def close(self) -> None:
        """Its children die with it."""
        self._process.kill()
        self._process.wait(LIMIT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()


class Child:
    """One forked process."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def running(self) -> bool:
        return not self.ended.done()

    async def wait(self, timeout_s: float = LIMIT_S) -> int:
        """Its exit code; -9 when it was SIGKILLed."""
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(self.ended)

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        """Sends the signal and returns the exit code."""
        if self.running:
            os.kill(self.pid, how)
        return await self.wait()

    def strike(self) -> None:
        """SIGKILL, without waiting."""
        if self.running:
            os.kill(self.pid, signal.SIGKILL)

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Nursery:
    """A connection to the zygote; leaving it kills every child that it asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tickets = itertools.count(1)
        self._asked: dict[int, tuple[asyncio.Future[Child], Path]] = {}
        self._children: dict[int, Child] = {}

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_unix_connection(self._path)
        self._hearing = asyncio.create_task(self._hear(), name="nursery")
        return self

    async def __aexit__(self, *_: object) -> None:
        for child in self.children:
            if child.running:
                os.kill(child.pid, signal.SIGKILL)
        async with asyncio.timeout(LIMIT_S):
            for child in self.children:
                await asyncio.shield(child.ended)
        self._hearing.cancel()
        await asyncio.wait([self._hearing])
        self._writer.close()
        await self._writer.wait_closed()

    @property
    def children(self) -> list[Child]:
        """All that were born, in order."""
        return list(self._children.values())

    async def spawn(self, role: str, log: Path, **words: Any) -> Child:
        """Forks a child in a role of `roles`; its stdout and stderr go to `log`."""
        ticket = next(self._tickets)
        born: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self._asked[ticket] = born, log
        self._writer.write(json.dumps({"ticket": ticket, "role": role, "log": str(log), **words}).encode() + b"\n")
        async with asyncio.timeout(LIMIT_S):
            return await born

    async def _hear(self) -> None:
        while line := await self._reader.readline():
            words = json.loads(line)
            if "ended" in words:
                self._children[words["pid"]].ended.set_result(words["ended"])
            else:
                born, log = self._asked.pop(words["ticket"])
                child = self._children[words["pid"]] = Child(words["pid"], log)
                if born.done():  # who asked was cancelled meanwhile: nobody else would end it
                    child.strike()
                else:
                    born.set_result(child)
