"""Orders of a journal whose end is lost: what it says of them may be old, so people are asked once before each acts on.

Knows which orders were open then; how an act is armed, and what people may decide, is said elsewhere.
"""

from __future__ import annotations

import json

from edge_agent.journal.tx import Tx
from edge_agent.orders.reading import open_orders

_OLD = "lost_end"  # in the journal: ids of the orders that nobody has vouched for yet


def doubt_all(tx: Tx) -> None:
    """The end was found lost: of every open order more may have been done than is known here."""
    known = json.loads(tx.meta(_OLD) or "[]")
    tx.set_meta(_OLD, json.dumps(sorted({*known, *(order.id for order in open_orders(tx))})))


def is_doubtful(tx: Tx, order_id: str) -> bool:
    """Whether people must say first how it stands; asked once, then it is their word that counts."""
    known = json.loads(tx.meta(_OLD) or "[]")
    if order_id not in known:
        return False
    tx.set_meta(_OLD, json.dumps([other for other in known if other != order_id]))
    return True
