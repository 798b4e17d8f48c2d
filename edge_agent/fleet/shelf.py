"""What the books say of cells, joined with what their contacts show, in XFS4IoT words (devices.md section 6.6).

Knows storage units and lots; asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge_agent.custody.stock import Lot, Shelf

_STATUS = {Shelf.MANIPULATED: "manipulated", Shelf.SHUT: "inoperative", Shelf.INOPERATIVE: "inoperative"}
_HOLDS = frozenset({Shelf.SEALED, Shelf.RESERVED})


def stocked(storage: Mapping[str, Mapping[str, Any]], lots: Sequence[Lot]) -> dict[str, dict[str, Any]]:
    """Each unit as the device shows it, with what was loaded into it and for whom it is kept."""
    units = {name: dict(members) for name, members in storage.items()}
    for lot in lots:
        units[lot.cell] = _unit(units.get(lot.cell, {"type": "dispense", "capacity": 1}), lot)
    return units


def _unit(shown: dict[str, Any], lot: Lot) -> dict[str, Any]:
    known = {"cardID": lot.article, "serialNumber": lot.serial, "order": lot.order_id}
    unit = {**shown, **{name: text for name, text in known.items() if text is not None}, "shelf": lot.state.value}
    if lot.state in _STATUS:
        unit["status"] = _STATUS[lot.state]
    if "count" not in unit:  # it does not show its item: the books are all there is
        unit |= {"count": int(lot.state in _HOLDS), "replenishmentStatus": "full" if lot.state in _HOLDS else "empty"}
    return unit
