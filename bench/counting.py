"""What a process used up so far: processor time and bytes from the kernel, commits from the agent itself.

Knows /proc and one signal; what was done meanwhile is the caller's affair.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from bench.stage import Program


@dataclass(frozen=True, slots=True)
class Counts:
    """Totals of one process; after `since` and `per` of one time or of one order."""

    busy_s: float
    written: float  # bytes that it handed to the disks
    commits: float = 0.0
    heard: float = 0.0  # messages that came out of it

    def since(self, before: Counts, heard: int) -> Counts:
        busy_s, written = self.busy_s - before.busy_s, self.written - before.written
        return Counts(busy_s, written, self.commits - before.commits, heard)

    def per(self, count: int) -> Counts:
        n = max(count, 1)
        return Counts(self.busy_s / n, self.written / n, self.commits / n, self.heard / n)


async def counts(program: Program) -> Counts:
    """Of the agent with its commits; of others without."""
    commits = 0
    if program.name == "agent":
        program.asked += 1
        program.process.send_signal(signal.SIGUSR1)
        await program.until_said("\ncommits ", program.asked)
        said = program.log.read_text(encoding="utf-8", errors="replace")
        commits = int(said.rsplit("\ncommits ", 1)[1].split("\n", 1)[0])
    return Counts(processor_s(program.pid), _written(program.pid), commits)


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _written(pid: int) -> int:
    text = Path(f"/proc/{pid}/io").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("write_bytes"))
