"""A process of its own that may ask the kernel of its clock, and writes down what it says for an agent that may not.

`python -m edge_agent.clock.report FILE`: the call that asks is also the call that sets (adjtimex), so the agent's unit
is not left it. Knows one file; must not know who reads it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from edge_agent.clock.kernel import REPORT_MAX_AGE_S, kernel_synchronised, steady_s

EVERY_S = REPORT_MAX_AGE_S / 3  # two may come late


def write(file: Path) -> None:
    """One line: seconds of the boot clock, and 1 if the kernel vouches for its time, else 0."""
    told = f"{steady_s():.3f} {int(kernel_synchronised())}\n"
    beside = file.with_suffix(".new")
    beside.write_text(told, encoding="ascii")
    beside.replace(file)


def main(arguments: Sequence[str]) -> int:
    """Until it is ended."""
    if len(arguments) != 1:
        sys.stderr.write("branchgate clock report: give the file to write\n")
        return 64
    while True:
        write(Path(arguments[0]))
        time.sleep(EVERY_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
