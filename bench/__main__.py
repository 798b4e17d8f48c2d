"""`python -m bench`: every chapter in one run, as a table on the screen and in bench/results.md and .json.

Knows the order of the chapters and how much of each; all figures are ratios or parts seen in this very run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.drain import drain
from bench.figures import Chapter, machine, table
from bench.flash import flash
from bench.lines import Size, lines
from bench.orders import Extent, orders
from bench.rest import rest

FOLDER = Path(__file__).parent
CHAPTERS = ("orders", "flash", "drain", "rest", "lines")


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of everything."""

    orders: Extent
    events: int
    printers: int
    settle_s: float  # until every printer was probed
    idle_s: float
    lines: Size


WHOLE = Amount(
    Extent(repeats=1000, seconds=20.0, printers=20), 100_000, 20, settle_s=10.0, idle_s=60.0, lines=Size(60.0)
)
QUICK = Amount(Extent(repeats=200, seconds=5.0, printers=20), 10_000, 20, 5.0, 10.0, Size(10.0))


async def chapters(wanted: set[str], amount: Amount, profile: str = "") -> list[Chapter]:
    """Those that are wanted, one after the other: never two loads at a time."""
    works: dict[str, Callable[[], Awaitable[list[Chapter]]]] = {
        "orders": lambda: orders(amount.orders, profile),
        "flash": lambda: flash(amount.orders),
        "drain": lambda: drain(amount.events),
        "rest": lambda: rest(amount.printers, amount.settle_s, amount.idle_s),
        "lines": lambda: lines(amount.lines),
    }
    found: list[Chapter] = []
    for name in CHAPTERS:
        if name in wanted:
            sys.stderr.write(f"bench: {name} …\n")
            found += await works[name]()
    return found


async def _until_ended(work: Coroutine[Any, Any, list[Chapter]]) -> list[Chapter]:
    """SIGTERM ends what was started, as SIGINT does."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def main() -> int:
    """0 when every aim was met, 1 when one was missed."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Figures of one run, beside their parts.")
    parser.add_argument("chapter", nargs="*", help=f"{', '.join(CHAPTERS)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="less of everything, to see whether it runs")
    parser.add_argument("--keep", action="store_true", help="write bench/results.md and bench/results.json")
    parser.add_argument("--profile", default="", metavar="FILE", help="cProfile's figures of the agent under orders")
    args = parser.parse_args()
    wanted = set(args.chapter) or set(CHAPTERS)
    if unknown := wanted - set(CHAPTERS):
        parser.error(f"no chapter {', '.join(sorted(unknown))}; there are {', '.join(CHAPTERS)}")
    load_before = os.getloadavg()[0]
    file = str(Path(args.profile).absolute()) if args.profile else ""
    try:
        found = asyncio.run(_until_ended(chapters(wanted, QUICK if args.quick else WHOLE, file)))
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    on = machine() | {"load before": f"{load_before:.1f}"}
    text = "# Figures of one run\n\n" + ", ".join(f"{what}: {which}" for what, which in on.items()) + "\n\n"
    text += table(found)
    sys.stdout.write(text + "\n")
    if args.keep:
        _keep(text, on, found)
    missed = [row.name for chapter in found for row in chapter.rows if row.good is False]
    for name in missed:
        sys.stderr.write(f"bench: missed: {name}\n")
    return 1 if missed else 0


def _keep(text: str, on: dict[str, str], found: list[Chapter]) -> None:
    (FOLDER / "results.md").write_text(text, encoding="utf-8")
    seen = {chapter.title: chapter.numbers for chapter in found}
    (FOLDER / "results.json").write_text(json.dumps({"machine": on, "seen": seen}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
