"""Processes that the demo starts and that end with it, one by one by their id.

Knows how to start, await, kill and stop a program; must not know what it is for.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from central_scheduler.console.problem import Exit, Problem

STOP_LIMIT_S = 5.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    # Should the demo itself be killed without a chance to clean up, the kernel ends its children.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """One running program; `log` is the file that its output goes to."""

    def __init__(self, what: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.what = what
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    @classmethod
    async def start(
        cls, what: str, command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None
    ) -> Child:
        """Starts `command` in a session of its own, so that a Ctrl-C at the terminal reaches the demo alone."""
        try:
            with log.open("ab") as out:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                    preexec_fn=_die_with_parent,  # one libc call: no lock of another thread can stop it
                    env={**os.environ, **(environ or {})},
                )
        except OSError as error:
            raise Problem(Exit.FAILED, "not_started", what=what, why=error, log=log) from error
        return cls(what, process, log)

    async def kill(self) -> None:
        """SIGKILL, as a power cut would; returns when it is gone."""
        if self.running:
            self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL for what does not obey."""
        if self.running:
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    def tail(self) -> str:
        """The last line that it wrote, for an error message."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return next((line for line in reversed(lines) if line.strip()), "")

    def failed(self) -> Problem:
        """Why it is not there."""
        why = self.tail() or f"exit code {self._process.returncode}"
        return Problem(Exit.FAILED, "not_started", what=self.what, why=why, log=self.log)


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules with this very interpreter."""
    return [sys.executable, "-m", module, *arguments]


def our_path() -> dict[str, str]:
    """An environment in which our modules are found wherever we are called from."""
    root = str(Path(__file__).parents[2])
    known = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{root}{os.pathsep}{known}" if known else root, "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """A loopback port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
