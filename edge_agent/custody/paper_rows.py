"""The rows of orders' documents (ORD-1): which are wanted, which are no longer needed, and every change of them.

Each inside a caller's transaction. Knows SQL; must not know how a document is fetched nor where it lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge_agent.journal.journal import Tx
from edge_agent.orders.times import MAY_BEGIN, Now

# A print that failed may still be asked for again by people; what was printed, undone or left out may not.
_NEEDED = (
    "EXISTS (SELECT 1 FROM orders o JOIN steps s ON s.order_n = o.n WHERE o.id = d.order_id "
    "AND s.document = d.name AND o.step IS NOT NULL AND s.state NOT IN ('done', 'compensated', 'skipped'))"
)
_OPEN = "d.state IN ('wanted', 'fetched')"  # word for word what its index says
_COLUMNS = "d.order_id, d.name, d.media_type, d.sha256, d.address, d.state, d.reason"


ANY_OPEN = ("documents",)  # a kept row: whether any document is wanted or lies in the folder


def any_open(tx: Tx) -> bool:
    """Read once and followed from then on (`Journal.kept`): most branches never have one."""
    found = tx.rows[ANY_OPEN] = tx.one(f"SELECT 1 FROM documents d WHERE {_OPEN} LIMIT 1") is not None
    return found


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of an order, as it stands in the journal."""

    order_id: str
    name: str
    media_type: str
    sha256: str
    address: str
    state: str  # wanted, fetched, refused, deleted
    reason: str

    @property
    def key(self) -> tuple[str, str]:
        return self.order_id, self.name


def _papers(rows: list[Any]) -> list[Paper]:
    return [Paper(**dict(row)) for row in rows]


def find_paper(tx: Tx, order_id: str, name: str) -> Paper | None:
    rows = tx.all(f"SELECT {_COLUMNS} FROM documents d WHERE order_id = ? AND name = ?", order_id, name)
    return _papers(rows)[0] if rows else None


def wanted(tx: Tx, now: Now) -> list[Paper]:
    """To be fetched: their orders are open and may begin, by order of acceptance."""
    sql = (
        f"SELECT {_COLUMNS} FROM documents d JOIN orders o ON o.id = d.order_id WHERE {_OPEN} AND d.state = 'wanted' "
        f"AND {MAY_BEGIN} AND {_NEEDED} ORDER BY o.n, d.name"
    )
    return _papers(tx.db.execute(sql, now.named()).fetchall())


def fetched(tx: Tx) -> list[Paper]:
    """Those that must lie in the folder."""
    return _papers(tx.all(f"SELECT {_COLUMNS} FROM documents d WHERE {_OPEN} AND d.state = 'fetched' AND {_NEEDED}"))


def needless(tx: Tx) -> list[Paper]:
    """Those whose print is settled or whose order has ended."""
    sql = f"SELECT {_COLUMNS} FROM documents d WHERE {_OPEN} AND NOT {_NEEDED}"
    return _papers(tx.all(sql))


def change(tx: Tx, paper: Paper, state: str, reason: str = "") -> None:
    """What became of it; wakes the lane that waits for it. An address may be a secret: it goes when it is of no use."""
    address = paper.address if state in ("wanted", "fetched") else ""
    sql = "UPDATE documents SET state = ?, reason = ?, address = ? WHERE order_id = ? AND name = ?"
    tx.do(sql, state, reason, address, *paper.key)
    any_open(tx)
    row = tx.one("SELECT device FROM orders WHERE id = ? AND device IS NOT NULL", paper.order_id)
    if row is not None:
        tx.touched.add(row["device"])
