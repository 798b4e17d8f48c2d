"""What an order's course makes of the cell that it has: kept, opened, taken, back, shut for people, released again.

Knows steps, verdicts and choices on one side, the states of a cell on the other; decides nothing of the order itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from device_drivers.device import Outcome, Verdict, Whereabouts
from edge_agent.custody import stock
from edge_agent.custody.stock import Lot, Shelf, Why
from edge_agent.journal.tx import Tx
from edge_agent.orders.reading import lane_of, steps_of
from edge_agent.orders.rows import By, StepRow
from edge_agent.orders.states import Step

_RELEASED = {Shelf.RESERVED: Shelf.SEALED, Shelf.MANIPULATED: Shelf.MANIPULATED}
NOT_OPENED, DECIDED_FAILED, SECURED = "not_opened", "decided_failed", "secured_by_hand"


def holds(tx: Tx, device: str, order_id: str) -> bool:
    """Whether an order's item is, or may be, in the machine or before it."""
    if lane_of(tx, device).holder == order_id:
        return True
    return _has_articles(tx, order_id) and stock.has_out(tx, device, order_id)


def reserve(tx: Tx, device: str, article: str, order_id: str) -> Lot | None:
    """The first sealed cell that holds the article, from now on this order's; None: there is none."""
    lot = next(iter(stock.free(tx, device, article)), None)
    return stock.change(tx, lot, Shelf.RESERVED, Why("reserved"), order_id=order_id) if lot else None


def keeps(tx: Tx, step: StepRow) -> bool:
    """Whether the cell that this step opens is still this order's, with the article in it that was promised."""
    lot = _lot(tx, step)
    return lot is not None and lot.state is Shelf.RESERVED and lot.named == step.lot


def armed(tx: Tx, step: StepRow) -> None:
    """Its lock may be pulsed from now on."""
    lot = _lot(tx, step)
    if step.article and lot is not None:
        stock.change(tx, lot, Shelf.OPENED, Why("armed"))


def settled(tx: Tx, step: StepRow, verdict: Verdict) -> None:
    """What an attempt came to, by evidence. What is for people is `shut`."""
    lot = _lot(tx, step)
    if lot is None or verdict.outcome is Outcome.UNKNOWN or verdict.lane_shut:
        return
    why = Why(verdict.reason)
    if verdict.item is Whereabouts.CUSTOMER and not _still_watched(tx, step):
        stock.change(tx, lot, Shelf.EMPTY, why)
    elif verdict.item is Whereabouts.STOCK and step.undoes:
        stock.change(tx, lot, Shelf.SEALED, why, order_id=None)
    elif verdict.outcome is Outcome.NO_EFFECT and step.article:
        broken = verdict.reason == NOT_OPENED and step.armings >= step.allowed
        if broken:
            stock.change(tx, lot, Shelf.INOPERATIVE, why, order_id=None)
        else:
            stock.change(tx, lot, Shelf.RESERVED, why)


def _still_watched(tx: Tx, step: StepRow) -> bool:
    """The customer may put it back: only when the door is closed behind it, or nobody looks any more, is it gone."""
    steps = steps_of(tx, step.order_id)
    return any(s.watch and s.state is Step.PENDING and s.device == step.device for s in steps) and not step.undoes


def shut(tx: Tx, step: StepRow, verdict: Verdict, attempt: str) -> bool:
    """The doubt stays at its cell; the cabinet goes on (PHY-7). False: this order has no cell here."""
    lot = _lot(tx, step)
    if lot is None:
        return False
    stock.change(tx, lot, Shelf.SHUT, Why(verdict.reason), attempt=attempt)
    return True


def decided(tx: Tx, step: StepRow, choice: str, by: By) -> None:
    """People looked at the cell: its sensor confirms what they left there, where it has one."""
    lot = _lot(tx, step)
    if lot is None or lot.state not in stock.OUT:
        return  # its lock was never armed
    why = Why(f"decided_{choice}", by.members())
    if choice in ("no_effect", "again"):
        to = Shelf.RESERVED if step.article else Shelf.OPENED
        stock.change(tx, lot, to, why)
    elif choice == "capture" or (choice == "done" and step.article):
        stock.change(tx, lot, Shelf.OPENED, why)
    elif choice == "done" and not step.undoes:
        stock.change(tx, lot, Shelf.EMPTY, why)
    else:
        stock.change(tx, lot, Shelf.DECLARED, why, order_id=None)


def ended(tx: Tx, order_id: str) -> None:
    """It keeps no cell; one whose door was opened for it and never settled is for its sensor to tell.

    What was missing from a cell before its door was opened stays missing until people load or empty it.
    """
    for lot in stock.lots_of(tx, order_id) if _has_articles(tx, order_id) else []:
        to = _RELEASED.get(lot.state, Shelf.DECLARED)
        stock.change(tx, lot, to, Why(lot.reason if to is lot.state else "released"), order_id=None)


# -- what the cabinet shows --------------------------------------------------------------------------------------------


def unlike(
    tx: Tx, device: str, storage: Mapping[str, Mapping[str, Any]], books: Sequence[Lot]
) -> list[tuple[Lot, Shelf, str]]:
    """Where what its sensors show settles or contradicts the books: cell, how it stands from now on, why.

    `books`: as they were before the look; a sensor says nothing of what was said after it was read.
    """
    found = []
    for lot in sorted(set(books).intersection(stock.lots_at(tx, device)), key=lambda lot: lot.cell):
        unit = storage.get(lot.cell, {})
        if unit.get("door") == "closed" and (change := _compared(lot, str(unit.get("item")))):
            found.append((lot, *change))
    return found


def _compared(lot: Lot, item: str) -> tuple[Shelf, str] | None:
    if lot.state is Shelf.DECLARED and lot.reason == DECIDED_FAILED:
        return (Shelf.SEALED, "put_back") if item == "present" else (Shelf.EMPTY, SECURED)
    if lot.state is Shelf.DECLARED:
        return (Shelf.EMPTY, "item_missing") if item == "absent" else (Shelf.SEALED, "confirmed")
    if lot.state in (Shelf.SEALED, Shelf.RESERVED, Shelf.INOPERATIVE) and item == "absent":
        return Shelf.MANIPULATED, "item_gone"
    return None


def confirm(tx: Tx, device: str, storage: Mapping[str, Mapping[str, Any]], books: Sequence[Lot]) -> None:
    """The books follow the sensors."""
    for lot, to, reason in unlike(tx, device, storage, books):
        stock.change(tx, lot, to, Why(reason), order_id=lot.order_id if to is Shelf.MANIPULATED else None)


def _lot(tx: Tx, step: StepRow) -> Lot | None:
    return stock.lot_of(tx, step.device, step.order_id) if _has_articles(tx, step.order_id) else None


def _has_articles(tx: Tx, order_id: str) -> bool:
    return any(step.article for step in steps_of(tx, order_id))
