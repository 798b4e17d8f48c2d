"""Staff load and empty cells (`stock.replenish`): who may, which cells, and what the books say from then on.

Knows the instruction and the states of a cell; that an article really lies there its sensor confirms (`shelving`).
"""

from __future__ import annotations

from typing import Any

from cloud_bridge.envelope import Envelope
from cloud_bridge.messages.instructions import CellLoad, StockReplenish
from cloud_bridge.messages.words import Code
from edge_agent.custody import stock
from edge_agent.custody.stock import LOADABLE, Lot, Shelf, Why
from edge_agent.journal.tx import Tx
from edge_agent.orders.approving import named_people, word_of
from edge_agent.orders.desk import Desk, Place, Rejected


def replenish(desk: Desk, tx: Tx, envelope: Envelope, data: StockReplenish) -> dict[str, Any]:
    """All of it or nothing."""
    place = _cabinet(desk, envelope.subject)
    people = named_people(envelope, data.people)
    if len(people) < 2:
        raise Rejected(Code.UNAUTHORIZED, "load_needs_two")
    names = [load.cell for load in data.cells]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Rejected(Code.INVALID, "cell_twice", cell=twice)
    by = word_of(desk, people).members()
    lots = [_loaded(tx, place, load, by) for load in data.cells]
    return {"result": {"device": place.device, "cells": [{"cell": lot.cell, "state": lot.state} for lot in lots]}}


def _cabinet(desk: Desk, device: str | None) -> Place:
    place = next((place for place in desk.branch.places if place.device == device), None)
    if place is None or not place.cells:
        known = [place.device for place in desk.branch.places if place.cells]
        raise Rejected(Code.UNKNOWN_DEVICE, "no_cabinet", device=device or "-", known=known)
    return place


def _loaded(tx: Tx, place: Place, load: CellLoad, by: dict[str, Any]) -> Lot:
    if load.cell not in place.cells:
        raise Rejected(Code.INVALID, "no_cell", device=place.device, cell=load.cell, known=list(place.cells))
    lot = stock.lot_in(tx, place.device, load.cell)
    if lot.state not in LOADABLE or lot.order_id is not None:  # a cell is never two orders'
        facts = {"cell": lot.cell, "cell_state": lot.state.value, "order": lot.order_id or "-"}
        raise Rejected(Code.CONFLICT, "cell_in_use", **facts)
    if load.article is None:
        return stock.change(tx, lot, Shelf.EMPTY, Why("emptied", by))
    if load.serial is None:
        raise Rejected(Code.INVALID, "serial_missing", cell=lot.cell)
    other = stock.holder_of(tx, load.serial)
    if other is not None and (other.device, other.cell) != (lot.device, lot.cell):
        facts = {"serial": load.serial, "cell": other.cell, "device": other.device}
        raise Rejected(Code.CONFLICT, "serial_elsewhere", **facts)
    why = Why("loaded", by)
    return stock.change(tx, lot, Shelf.DECLARED, why, article=load.article, serial=load.serial, order_id=None)
