"""Compensations: the steps that undo what was done when an order is turned round (ORD-7).

Knows which step undoes which, and in what order; when an order is turned round is decided elsewhere.
"""

from __future__ import annotations

from device_drivers.device import Whereabouts
from edge_agent.journal.journal import Tx
from edge_agent.orders.reading import get_step, steps_of
from edge_agent.orders.record import add_step, change_step
from edge_agent.orders.rows import OrderRow, StepRow
from edge_agent.orders.shelving import holds
from edge_agent.orders.states import Step


def plan_undo(tx: Tx, order: OrderRow) -> None:
    """Adds a compensation for each step that was done and can be undone, last done first.

    What is still in a machine comes before what is undone always: whether the customer has it after all decides
    whether his receipt is void.
    """
    steps = steps_of(tx, order.id)
    undone = {s.undoes for s in steps}
    done = [s for s in reversed(steps) if s.undo and s.state is Step.DONE and s.name not in undone]
    inside = [s for s in done if not s.undo_always and holds(tx, s.device, order.id)]
    for step in [*inside, *(s for s in done if s.undo_always)]:
        add_undo(tx, step)


def add_undo(tx: Tx, step: StepRow) -> None:
    assert step.undo is not None
    undo = StepRow(
        order_id=step.order_id,
        name=f"{step.name}.undo",
        position=len(steps_of(tx, step.order_id)),
        act=step.undo,
        device=step.device,
        undo=None,
        undoes=step.name,
        no_return=False,
        limit_s=None,
        watch=step.undo_watch,
        waits_for="staff" if step.undo_watch else None,  # somebody must close the door
        facts={},
        role=step.role,
        repeatable=step.undo_repeatable,
        undo_always=step.undo_always,
    )
    add_step(tx, undo)


def force_undo(tx: Tx, order: OrderRow, device: str) -> None:
    """The machine shall take back what is in it, whatever is known of it."""
    steps = steps_of(tx, order.id)
    undone = {s.undoes for s in steps}
    fitting = (s for s in steps if s.undo and not s.undo_always and s.device == device and s.name not in undone)
    if (step := next(fitting, None)) is not None:
        add_undo(tx, step)


def compensated(tx: Tx, undo: StepRow) -> None:
    """The undoing was done: so is what it undoes, unless the customer was quicker."""
    assert undo.undoes is not None
    step = get_step(tx, undo.order_id, undo.undoes)
    if step.state is Step.DONE and not taken_late([undo]):
        change_step(tx, step, Step.COMPENSATED)


def taken_late(steps: list[StepRow]) -> bool:
    """Whether an item that was to be taken back was found with the customer. What is undone always is no item."""
    return any(s.undoes and not s.undo_always and s.item == Whereabouts.CUSTOMER for s in steps)
