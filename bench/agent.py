"""The agent as it ships, in a process that tells its commits when asked (SIGUSR1) and may be profiled.

Knows the command line's entry and the journal's own counter; changes nothing of what runs.
"""

from __future__ import annotations

import cProfile
import gc
import os
import signal
import sys
from types import FrameType

import cli
from bench.stage import PROFILE
from edge_agent.journal.journal import Journal

_journals: list[Journal] = []


def _tell(_number: int, _frame: FrameType | None) -> None:
    if not _journals:  # looked for once: to go through all objects costs as much as a dozen orders
        _journals.extend(one for one in gc.get_objects() if isinstance(one, Journal))
    commits = sum(one.commits for one in _journals)
    sys.stdout.write(f"commits {commits}\n")
    sys.stdout.flush()


def main() -> int:
    """As `branchgate` with these arguments."""
    signal.signal(signal.SIGUSR1, _tell)
    file = os.environ.get(PROFILE)
    if not file:
        return cli.run(sys.argv[1:])
    profile = cProfile.Profile()
    try:
        return profile.runcall(cli.run, sys.argv[1:])
    finally:
        profile.dump_stats(file)


if __name__ == "__main__":
    sys.exit(main())
