"""The truth that comes late: told once, when nothing can be changed by it any more (ORD-8).

Knows what was told before; what is still open is settled in `outcomes`.
"""

from __future__ import annotations

from typing import Any

from device_drivers.device import Verdict
from edge_agent.journal.journal import Tx
from edge_agent.orders.reading import get_order
from edge_agent.orders.record import ORDER_CORRECTED, remember
from edge_agent.orders.rows import AttemptRow


def correct(tx: Tx, attempt: AttemptRow, verdict: Verdict) -> None:
    """Evidence of an attempt that is settled: told if it contradicts that, or if only people's word stood for it."""
    remember(tx, attempt.device, verdict.memory)
    news = attempt.decided or attempt.state.value != verdict.outcome.value
    if not news or _told(tx, attempt, verdict):
        return
    order = get_order(tx, attempt.order_id)
    data: dict[str, Any] = {"order": order.id, "step": attempt.step, "attempt": attempt.id, "state": order.state.value}
    data |= {"truth": verdict.outcome.value, "reason": verdict.reason, "item": verdict.item.value}
    tx.emit(ORDER_CORRECTED, order.id, data | {"facts": dict(verdict.facts)}, order.n)


def _told(tx: Tx, attempt: AttemptRow, verdict: Verdict) -> bool:
    sql = (
        "SELECT 1 FROM outbox WHERE order_n = ? AND type = ? AND json_extract(data, '$.attempt') = ? "
        "AND json_extract(data, '$.truth') = ? AND json_extract(data, '$.by') IS NULL"
    )
    number = get_order(tx, attempt.order_id).n
    return tx.one(sql, number, ORDER_CORRECTED, attempt.id, verdict.outcome.value) is not None
