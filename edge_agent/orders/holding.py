"""Whose item is in which machine: a lane has a holder until its item has left (PHY-7).

Knows whereabouts and lanes; nothing of goals or people.
"""

from __future__ import annotations

from dataclasses import replace

from device_drivers.device import Verdict, Whereabouts
from edge_agent.journal.journal import Tx
from edge_agent.orders import shelving
from edge_agent.orders.reading import lane_of, lanes_held_by, steps_of
from edge_agent.orders.record import set_lane
from edge_agent.orders.rows import StepRow
from edge_agent.orders.states import Step

LEFT = frozenset(
    {Whereabouts.BIN, Whereabouts.CUSTOMER, Whereabouts.STOCK, Whereabouts.NONE}
)  # places where an item does not occupy the device
_UNTOUCHED = frozenset({Step.PENDING, Step.NO_EFFECT, Step.SKIPPED})


def note_whereabouts(tx: Tx, step: StepRow, verdict: Verdict) -> None:
    """An item that left frees the machine for others, unless a watch of this order must still look for it."""
    shelving.settled(tx, step, verdict)
    lane = lane_of(tx, step.device)
    if verdict.item not in LEFT or lane.holder != step.order_id or verdict.lane_shut:
        return
    pending = [s for s in steps_of(tx, step.order_id) if s.state is Step.PENDING and s.device == step.device]
    if verdict.item is Whereabouts.CUSTOMER and any(s.watch for s in pending):
        return  # another one's card would be taken for this one's
    set_lane(tx, replace(lane, holder=None))


def free_untouched(tx: Tx, step: StepRow) -> None:
    """An order of which nothing is in the machine does not keep it, whatever became of this step."""
    lane = lane_of(tx, step.device)
    others = [s for s in steps_of(tx, step.order_id) if s.name != step.name and s.device == step.device]
    touched = [s for s in others if s.state not in _UNTOUCHED]
    if lane.holder == step.order_id and not lane.shut and (not touched or touched[-1].item in LEFT):
        set_lane(tx, replace(lane, holder=None))


def free_all(tx: Tx, order_id: str) -> None:
    """The order has ended: it keeps no machine and no cell."""
    shelving.ended(tx, order_id)
    for lane in lanes_held_by(tx, order_id):
        set_lane(tx, replace(lane, holder=None))
