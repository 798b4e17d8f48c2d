"""Which events were asked for again (SES-6), so that a batch under way does not count them as sent.

Knows the outbox's rows and the journal's words about them; must not know who asked, nor how events go up.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from edge_agent.journal.tx import Tx

COUNT = "asked"  # in the journal: how often events were asked for again
RANGES = "asked_ranges"  # and the newest of these questions, each with its number: a batch lasts a few seconds at most
KEPT = 32


def count(tx: Tx) -> int:
    """How often events were asked for again."""
    return int(tx.meta(COUNT) or 0)


def send_again(tx: Tx, first: int, last: int) -> None:
    """These events go up once more, whatever became of them."""
    tx.do("UPDATE outbox SET sent = 0 WHERE seq BETWEEN ? AND ?", first, last)
    number = count(tx) + 1
    tx.set_meta(COUNT, str(number))
    kept = [*json.loads(tx.meta(RANGES) or "[]"), (number, first, last)][-KEPT:]
    tx.set_meta(RANGES, json.dumps(kept))


def not_asked_since(tx: Tx, number: int, seqs: Sequence[int]) -> list[int]:
    """Those that nobody asked for since `number` was counted; none of them when that is not remembered any more."""
    since = [entry for entry in json.loads(tx.meta(RANGES) or "[]") if entry[0] > number]
    if len(since) < count(tx) - number:
        return []
    return [seq for seq in seqs if not any(first <= seq <= last for _, first, last in since)]
