"""What lies in which cell, for whom it is kept, which cell people must look at: rows, each change with its event.

Each inside a caller's transaction (OUT-1). Knows SQL and the states of a cell; must not know orders nor devices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from edge_agent.journal.tx import Tx

STOCK_CHANGED = "branchgate.stock.changed.v1"
_COLUMNS = "device, cell, state, article, serial, order_id, reason, attempt"


class Shelf(StrEnum):
    """How a cell stands in the books."""

    EMPTY = "empty"  # nothing is said to lie in it
    DECLARED = "declared"  # people said what lies in it; its sensor was not seen since
    SEALED = "sealed"  # there, and free for an order
    RESERVED = "reserved"  # there, and kept for one
    OPENED = "opened"  # its lock was armed for an order: the item may be out
    SHUT = "shut"  # people must look at it first (PHY-7)
    MANIPULATED = "manipulated"  # the books say that something lies in it, its sensor that nothing does
    INOPERATIVE = "inoperative"  # its door did not open, twice


LOADABLE = frozenset({Shelf.EMPTY, Shelf.DECLARED, Shelf.SEALED, Shelf.MANIPULATED, Shelf.INOPERATIVE})
OUT = frozenset({Shelf.OPENED, Shelf.SHUT})  # where an order's item is no longer, or may be no longer, behind its lock


@dataclass(frozen=True, slots=True)
class Lot:
    """One cell as the books have it."""

    device: str
    cell: str
    state: Shelf = Shelf.EMPTY
    article: str | None = None
    serial: str | None = None
    order_id: str | None = None
    reason: str = ""
    attempt: str | None = None

    @property
    def named(self) -> dict[str, str]:
        """What lies where, as facts of a step and params of a driver."""
        members = {"cell": self.cell, "article": self.article, "serial": self.serial}
        return {name: text for name, text in members.items() if text is not None}


@dataclass(frozen=True, slots=True)
class Why:
    """What a change rests on: a reason of the catalogue, and whoever said so, if it was people."""

    reason: str = ""
    by: Mapping[str, Any] = field(default_factory=dict)  # members of an event: who, and whether that was proven


def _lots(tx: Tx, where: str, *values: Any) -> list[Lot]:
    rows = tx.all(f"SELECT {_COLUMNS} FROM cells WHERE {where} ORDER BY device, cell", *values)
    return [Lot(**{**dict(row), "state": Shelf(row["state"])}) for row in rows]


def lot_in(tx: Tx, device: str, cell: str) -> Lot:
    """What a cell holds; empty when nobody ever said anything of it."""
    return next(iter(_lots(tx, "device = ? AND cell = ?", device, cell)), Lot(device, cell))


def lots_at(tx: Tx, device: str) -> list[Lot]:
    return _lots(tx, "device = ?", device)


def lot_of(tx: Tx, device: str, order_id: str) -> Lot | None:
    """The cell that an order has at a device."""
    return next(iter(_lots(tx, "device = ? AND order_id = ?", device, order_id)), None)


def lots_of(tx: Tx, order_id: str) -> list[Lot]:
    return _lots(tx, "order_id = ?", order_id)


def has_out(tx: Tx, device: str, order_id: str) -> bool:
    """Whether an order's item stands behind a door of this device that was opened for it."""
    lot = lot_of(tx, device, order_id)
    return lot is not None and lot.state in OUT


def free(tx: Tx, device: str, article: str) -> list[Lot]:
    """The sealed cells with that article which nobody has, the first to be taken first."""
    return _lots(tx, "device = ? AND article = ? AND state = ?", device, article, Shelf.SEALED)


def holder_of(tx: Tx, serial: str) -> Lot | None:
    """The cell in which an article with that serial number lies, or may lie."""
    return next(iter(_lots(tx, "serial = ? AND state != ?", serial, Shelf.EMPTY)), None)


def change(tx: Tx, lot: Lot, to: Shelf, why: Why, **members: str | None) -> Lot:
    """One cell stands otherwise from now on, and an event tells it."""
    now = replace(lot, state=to, reason=why.reason, attempt=members.pop("attempt", None), **members)  # type: ignore[arg-type]
    if to is Shelf.EMPTY:
        now = replace(now, article=None, serial=None, order_id=None)
    values = [getattr(now, name) for name in _COLUMNS.split(", ")]
    tx.do(f"INSERT OR REPLACE INTO cells ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})", *values)
    tx.touched.add(lot.device)
    known = now if now.article else lot
    data: dict[str, Any] = {"device": lot.device, "cell": lot.cell, "article": known.article, "serial": known.serial}
    data |= {"from": lot.state.value, "to": to.value, "reason": why.reason, "order": now.order_id or lot.order_id}
    data |= {"attempt": now.attempt}
    data |= why.by
    tx.emit(STOCK_CHANGED, lot.device, {name: value for name, value in data.items() if value is not None})
    return now
