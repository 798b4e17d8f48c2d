"""Orders as they are told in a reply: the paged list, and one order with its whole story.

Read-only; knows rows and the shape of `orders.request`, nothing else.
"""

from __future__ import annotations

import json
import re
import sqlite3
from itertools import accumulate
from typing import Any

from cloud_bridge.messages.instructions import OrdersRequest
from cloud_bridge.messages.words import Code
from edge_agent.journal.journal import Tx
from edge_agent.orders.desk import Rejected
from edge_agent.orders.reading import attempts_of, get_order, steps_of
from edge_agent.orders.rows import OrderRow
from edge_agent.orders.states import Order
from edge_agent.orders.titles import Titles, titles_of

ORDER_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}\Z")
CURSOR = re.compile(r"^[0-9]{1,18}\Z")  # a row's number: fits the journal's integers
MAX_STORY = 200  # changes told of one order: its newest
MAX_STORY_BYTES = 128 * 1024  # of those changes, so that the reply passes any broker that takes 256 KiB (ENV-5)


def brief(order: OrderRow, titles: Titles) -> dict[str, Any]:
    """One line of the list."""
    members: dict[str, Any] = {
        "order": order.id,
        "scene": order.scene,
        "title": dict(titles.scene) or None,
        "state": order.state.value,
        "waiting_for": order.waiting_for,
        "step": order.step,
    }
    members |= {"device": order.device, "reason": order.reason, "priority": order.priority}
    members |= {"not_before": order.not_before, "deadline": order.deadline, "held": order.held or None, "n": order.n}
    return {key: value for key, value in members.items() if value is not None}


def page(tx: Tx, data: OrdersRequest) -> dict[str, Any]:
    """The page asked for: {"orders": [...], "next": ...}. Raises KeyError (no order), Rejected (state, cursor)."""
    if data.order is not None:
        return {"orders": [story(tx, get_order(tx, data.order))]}
    unknown = [state for state in data.states if state not in set(Order)]
    if unknown:
        raise Rejected(Code.INVALID, "no_state", state=unknown[0], known=[one.value for one in Order])
    if data.after is not None and not CURSOR.match(data.after):
        raise Rejected(Code.INVALID, "bad_after")
    where = f"state IN ({', '.join('?' * len(data.states))})" if data.states else "step IS NOT NULL"
    sql = f"SELECT id FROM orders WHERE {where} AND n > ? ORDER BY n LIMIT ?"
    rows = tx.all(sql, *data.states, int(data.after or 0), data.limit + 1)
    ids = [row["id"] for row in rows[: data.limit]]
    titles = titles_of(tx, ids)
    orders = [brief(get_order(tx, one), titles[one]) for one in ids]
    return {"orders": orders, **({"next": str(orders[-1]["n"])} if len(rows) > data.limit else {})}


def _within(rows: list[sqlite3.Row]) -> list[sqlite3.Row]:
    """The newest rows that fit into MAX_STORY_BYTES."""
    sizes = accumulate(len(row["data"].encode()) + 200 for row in rows)
    return [row for row, size in zip(rows, sizes, strict=True) if size <= MAX_STORY_BYTES]


def story(tx: Tx, order: OrderRow) -> dict[str, Any]:
    """One order with parameters, steps, attempts and its newest changes, oldest first."""
    steps = [
        {
            "step": s.name,
            "act": s.act,
            "device": s.device,
            "state": s.state.value,
            "reason": s.reason,
            "item": s.item,
            "facts": s.facts,
        }
        for s in steps_of(tx, order.id)
    ]
    attempts = [
        {
            "attempt": a.id,
            "step": a.step,
            "act": a.act,
            "device": a.device,
            "state": a.state.value,
            "decided": a.decided,
            "arming": dict(a.arming.readings),
        }
        for a in attempts_of(tx, order.id)
    ]
    sql = "SELECT seq, type, time, data FROM history WHERE order_n = ? ORDER BY seq DESC LIMIT ?"
    rows = _within(tx.all(sql, order.n, MAX_STORY))
    history = [{"seq": r["seq"], "type": r["type"], "time": r["time"], **json.loads(r["data"])} for r in reversed(rows)]
    head = brief(order, titles_of(tx, [order.id]).get(order.id, Titles()))
    return {**head, "parameters": order.parameters, "steps": steps, "attempts": attempts, "history": history}
