"""The audit chain page by page, so that whoever reads it can prove each page by themselves.

Knows rows and hashes, inside a caller's transaction; changes nothing, and does not say whether the chain is whole.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from edge_agent.audit.chain import COLUMNS, REMOVED, Head, content_of, head, removed
from edge_agent.audit.proof import told
from edge_agent.journal.tx import Tx


def page(tx: Tx, after: int, limit: int) -> dict[str, Any]:
    """Rows behind `after`, oldest first, with the hash that the first of them hangs on, and the chain's head.

    `chained` is the very text that was hashed: sha256(hash before + newline + chained) is the row's hash. Where
    retention removed what was asked for, `before` stands behind it.
    """
    first = removed(tx.meta(REMOVED), tx.meta("journal"))
    before = first if after <= first.seq else _at(tx, after) or head(tx)
    sql = f"SELECT {COLUMNS}, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608  # our own columns
    rows = tx.all(sql, before.seq, limit + 1)
    members: dict[str, Any] = {"journal": tx.meta("journal"), "before": asdict(before), "head": asdict(head(tx))}
    members["rows"] = [{**told(row), "chained": content_of(row)} for row in rows[:limit]]
    return members | ({"next": rows[limit - 1]["seq"]} if len(rows) > limit else {})


def _at(tx: Tx, seq: int) -> Head | None:
    row = tx.one("SELECT seq, hash FROM audit WHERE seq = ?", seq)
    return Head(row["seq"], row["hash"]) if row else None
