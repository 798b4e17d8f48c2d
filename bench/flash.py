"""Many orders where each fsync takes as long as on a branch's flash, beside the minimal bridge on the same.

Knows how an fsync is made slow: strace holds the caller when the call returns, and touches no other call. A disk of a
data centre confirms in a fraction of a millisecond, which no SD card or eMMC does.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

from bench.figures import Chapter, Row
from bench.orders import Extent, under_agent, under_minimal
from bench.stage import Stage

HELD_MS = 5.0
CALLS = "fsync,fdatasync"
ALONE = 100  # lone orders: enough for a median, each waits for three commits


def _held(milliseconds: float) -> tuple[str, ...]:
    """-D: the program keeps its own process id; --seccomp-bpf: no other call is stopped."""
    inject = f"inject={CALLS}:delay_exit={milliseconds * 1000:.0f}"
    return ("strace", "-D", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={CALLS}", "-e", inject)


async def flash(extent: Extent, held_ms: float = HELD_MS) -> list[Chapter]:
    """Only told: the aim is that of the box's own disk."""
    title = f"Many orders, each fsync {held_ms:g} ms longer"
    if shutil.which("strace") is None:
        return [Chapter(title, (Row("not measured", "no strace here"),), {})]
    short = replace(extent, repeats=min(extent.repeats, ALONE))
    async with Stage(extent.printers, _held(held_ms)) as stage:
        minimal, mine = await under_minimal(stage, short), await under_agent(stage, short)
    rate, scale = mine.done / extent.seconds, minimal.done / extent.seconds
    rows = (
        Row("a lone order", mine.alone.words()),
        Row("… of the minimal journalled bridge", minimal.alone.words()),
        Row(f"orders with {extent.printers} in flight, {extent.printers} printers", f"{rate:,.0f}/s"),
        Row("the minimal journalled bridge", f"{scale:,.0f}/s"),
        Row("ratio", f"{rate / scale:.2f}"),
        Row("fsync'd commits per order, shared by those in flight", f"{mine.counted.per(mine.done).commits:.2f}"),
    )
    numbers = {"rate": rate, "minimal": scale, "ratio": rate / scale, "held_ms": held_ms}
    return [Chapter(title, rows, numbers | {"alone_p50_s": mine.alone.p50_s, "minimal_p50_s": minimal.alone.p50_s})]
