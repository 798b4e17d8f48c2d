"""The door while disk or journal is full: new orders are turned away, all about those that exist goes on (OUT-4).

Knows which instruction begins something; what room is left is the journal's affair.
"""

from __future__ import annotations

from typing import Any

from cloud_bridge.envelope import Envelope
from cloud_bridge.messages.catalogue import INSTRUCTIONS
from cloud_bridge.messages.instructions import OrderSubmit
from cloud_bridge.messages.words import Code
from edge_agent.journal.journal import Tx
from edge_agent.orders.desk import Caller, Rejected
from edge_agent.orders.intake import Intake
from edge_agent.upkeep.ceiling import is_full

_BEGINS = frozenset(type_ for type_, row in INSTRUCTIONS.items() if row.model is OrderSubmit)


class ThriftyIntake(Intake):
    """The intake of a branch whose journal keeps a reserve: what is left of it is for orders that were accepted."""

    def _handle(self, tx: Tx, envelope: Envelope, caller: Caller) -> dict[str, Any]:
        if tx.disk_full and envelope.type in _BEGINS:
            raise Rejected(Code.OVERLOADED, "disk_full")
        if envelope.type in _BEGINS and is_full(tx):
            raise Rejected(Code.OVERLOADED, "journal_full")
        return super()._handle(tx, envelope, caller)
