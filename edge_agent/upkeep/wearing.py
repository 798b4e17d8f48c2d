"""What the branch has cost its flash since its journal was made: bytes, commits, orders; kept across restarts.

Knows the journal's counts of this process. They go with commits that happen anyway: a kill takes what RIDE_S holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress

from cloud_bridge.ports import StoreFailed
from edge_agent.journal.journal import Journal
from edge_agent.journal.tx import Tx

KEY = "wear"
COUNTED = ("bytes", "commits", "transactions")
RIDE_S = 60.0  # one page more in a commit a minute, and none where the watchdog's own row lies beside it
Counts = Mapping[str, int]


def kept(tx: Tx) -> dict[str, int]:
    """What earlier processes and this one have put down; `bytes` is missing where nobody counts them."""
    counted: dict[str, int] = json.loads(tx.meta(KEY) or "{}")
    return counted


def told(tx: Tx, counted: Counts | None = None) -> dict[str, int]:
    """What was put down, or what is `counted` now, and what one order has cost."""
    counts = kept(tx) if counted is None else dict(counted)
    row = tx.one("SELECT coalesce(max(n), 0) FROM orders")
    orders = int(row[0]) if row else 0
    counts["orders"] = orders
    if orders and "bytes" in counts:
        counts["bytes_per_order"] = counts["bytes"] // orders
    return counts


class WearBook:
    """One for a process and its journal. What is put down is a sum, not an addition: doing it twice changes nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._before: Counts | None = None  # of earlier processes
        with suppress(StoreFailed):  # then it is known when something can be written
            self._before = journal.glance(kept)

    def told(self, tx: Tx) -> dict[str, int]:
        """For birth and heartbeat."""
        return told(tx, self._all(tx))

    async def keep(self) -> None:
        """Puts down what was counted until now. Raises StoreFailed."""
        await self._journal.write(self.put_down)

    def put_down(self, tx: Tx) -> None:
        """On the writer's thread."""
        self._before = counts = kept(tx) if self._before is None else self._before
        tx.set_meta(KEY, json.dumps(_sum(counts, self._now())))

    def _all(self, tx: Tx) -> dict[str, int]:
        return _sum(kept(tx) if self._before is None else self._before, self._now())

    def _now(self) -> Counts:
        wear = self._journal.wear
        counts = {"commits": wear.commits, "transactions": wear.transactions}
        written = wear.bytes
        return counts if written is None else {"bytes": written, **counts}


def _sum(one: Counts, other: Counts) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in COUNTED if name in one or name in other}
