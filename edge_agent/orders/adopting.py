"""A journal without predecessor is adopted: by the centre's list, or by two people on site after a count (ORD-12).

Knows who may say so and what it opens; what an unadopted journal refuses is said where it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cloud_bridge.envelope import Envelope
from cloud_bridge.messages.instructions import Counted, JournalAdopt
from cloud_bridge.messages.words import Code
from edge_agent.journal.tx import BY_CENTRE, BY_PEOPLE, Tx
from edge_agent.orders.approving import named_people, word_of
from edge_agent.orders.desk import JOURNAL_CHANGED, Desk, Rejected
from edge_agent.orders.record import set_lane
from edge_agent.orders.rows import LaneRow

NEEDED = 2


def adopt_journal(desk: Desk, tx: Tx, envelope: Envelope, data: JournalAdopt) -> dict[str, Any]:
    """By whoever stands at that door. What people adopted the centre may still complete by its list."""
    if data.journal != desk.journal:
        raise Rejected(Code.INVALID, "other_journal", journal=data.journal, here=desk.journal)
    if tx.adopted == BY_CENTRE or (desk.on_site and tx.adopted):
        raise Rejected(Code.CONFLICT, "adopted_already")
    if desk.on_site:
        return _after_a_count(desk, tx, envelope, data)
    if data.people or data.counted:
        raise Rejected(Code.INVALID, "counted_on_site")
    adopt(tx, data.orders, envelope.source)
    return {"result": {"journal": desk.journal, "orders": len(data.orders)}}


def adopt(tx: Tx, orders: list[str], source: str) -> None:
    """From now on this journal may act; the ids that the centre holds enter the inbox as seen (ORD-12)."""
    held = Rejected(Code.CONFLICT, "held_before").members()
    reply = json.dumps({"instruction": "", "status": "rejected", **held})
    # An instruction that was turned away before (`journal_new`) may have had the order's very id: it keeps its answer.
    sql = (
        "INSERT INTO inbox (id, digest, type, subject, source, deadline, time, reply) "
        "VALUES (?, '', 'adopted', ?, ?, NULL, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET type = excluded.type, deadline = NULL"  # kept for as long as the journal
    )
    for order in orders:
        tx.do(sql, order, order, source, tx.now(), reply)
    _begin(tx, BY_CENTRE, source, {"orders": len(orders)})


def _after_a_count(desk: Desk, tx: Tx, envelope: Envelope, data: JournalAdopt) -> dict[str, Any]:
    """Two people looked into every machine; the centre's own orders still wait for the centre's list."""
    people = named_people(envelope, data.people)
    if len(people) < NEEDED:
        raise Rejected(Code.UNAUTHORIZED, "adopting_needs_two")
    if data.orders:
        raise Rejected(Code.INVALID, "orders_of_centre")
    _check_count(desk, data.counted)
    counted = [one.model_dump(exclude_none=True) for one in data.counted]
    facts = word_of(desk, people).facts() | {"counted": counted}
    _begin(tx, BY_PEOPLE, data.note or "counted", facts)
    return {"result": {"journal": desk.journal, "people": list(people)}}


def _check_count(desk: Desk, counted: Sequence[Counted]) -> None:
    named = [one.device for one in counted]
    known = [place.device for place in desk.branch.places]
    if strange := sorted(set(named) - set(known)):
        raise Rejected(Code.UNKNOWN_DEVICE, "no_device", device=strange[0], known=known)
    holding = [place.device for place in desk.branch.places if place.holds_articles]
    if missing := [device for device in holding if device not in named]:
        raise Rejected(Code.INVALID, "not_counted", devices=missing)
    if len(named) > len(set(named)):
        raise Rejected(Code.INVALID, "counted_twice")


def _begin(tx: Tx, by: str, reason: str, facts: dict[str, Any]) -> None:
    for row in tx.all("SELECT device FROM lanes WHERE shut = 1 AND reason = 'journal_lost'"):
        set_lane(tx, LaneRow(row["device"]))
    tx.set_meta("adopted", by)
    tx.emit(JOURNAL_CHANGED, None, {"what": "adopted", "reason": reason, "facts": facts})
