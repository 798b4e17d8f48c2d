"""The states of orders and steps: what each means, and every change that is allowed (ORD-2, ORD-3).

Pure: knows the tables and nothing else. A change that is not in a table is an error that names both ends.
"""

from __future__ import annotations

from enum import StrEnum


class Order(StrEnum):
    """Where an order stands."""

    ACCEPTED = "accepted"  # in the journal, waiting for its turn
    SCHEDULED = "scheduled"  # waiting for its time, or back in its lane's queue after a hold
    RUNNING = "running"  # a step is armed, acting or being settled, or the next one is about to be
    WAITING = "waiting"  # for customer, staff, remote, stock, device or clock
    HELD = "held"  # no step is armed until it is released
    CANCELLING = "cancelling"  # what is running is settled, what was done is undone
    NEEDS_ATTENTION = "needs_attention"  # a person must decide
    COMPLETED = "completed"
    PARTLY_COMPLETED = "partly_completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Step(StrEnum):
    """Where a step stands."""

    PENDING = "pending"  # nothing of it was begun
    ARMED = "armed"  # an attempt with its preconditions is on disk; its frame may leave now
    ACTING = "acting"  # the driver has the attempt
    WAITING = "waiting"  # something else must happen first: the customer takes the card
    DONE = "done"  # it happened, by evidence or by decision
    NO_EFFECT = "no_effect"  # it did not happen, by evidence or by decision
    FAILED = "failed"  # it went wrong
    IN_DOUBT = "in_doubt"  # begun, outcome not known
    COMPENSATED = "compensated"  # done, then undone
    SKIPPED = "skipped"  # not needed any more


class Goal(StrEnum):
    """What an order's lane works towards."""

    FINISH = "finish"
    PARTLY = "partly"  # on to the end, without a step that people do by hand or leave out
    CANCEL = "cancel"
    FAIL = "fail"
    EXPIRE = "expire"

    @property
    def forward(self) -> bool:
        """Whether it works towards what was asked for; else what was done is undone."""
        return self in (Goal.FINISH, Goal.PARTLY)


class ForbiddenChange(ValueError):
    """A change of state that is in no table; a bug, never a reaction to input."""


_O, _S = Order, Step
ENDS = frozenset({_O.COMPLETED, _O.PARTLY_COMPLETED, _O.FAILED, _O.CANCELLED, _O.EXPIRED})
_STOPS = frozenset({_O.FAILED, _O.CANCELLED, _O.EXPIRED})  # ends that need nothing to have been done

ORDER_CHANGES: dict[Order, frozenset[Order]] = {
    # People are asked of one that looks untouched where its journal lost its end: more may have been done than known.
    _O.ACCEPTED: frozenset({_O.SCHEDULED, _O.RUNNING, _O.WAITING, _O.HELD, _O.NEEDS_ATTENTION}) | _STOPS,
    _O.SCHEDULED: frozenset({_O.RUNNING, _O.WAITING, _O.HELD, _O.NEEDS_ATTENTION}) | _STOPS,
    _O.RUNNING: frozenset({_O.WAITING, _O.HELD, _O.CANCELLING, _O.NEEDS_ATTENTION}) | ENDS,
    # From waiting to waiting: it waits for something else now, or for another reason.
    _O.WAITING: frozenset({_O.WAITING, _O.RUNNING, _O.HELD, _O.CANCELLING, _O.NEEDS_ATTENTION, _O.SCHEDULED}) | ENDS,
    # A hold may come while the lane finds that nothing is left to be done.
    _O.HELD: frozenset({_O.RUNNING, _O.SCHEDULED, _O.CANCELLING, _O.NEEDS_ATTENTION}) | ENDS,
    _O.CANCELLING: frozenset({_O.WAITING, _O.NEEDS_ATTENTION}) | ENDS,
    _O.NEEDS_ATTENTION: frozenset({_O.RUNNING, _O.HELD, _O.CANCELLING}) | ENDS,
    **{end: frozenset() for end in ENDS},
}

_OUTCOMES = frozenset({_S.DONE, _S.NO_EFFECT, _S.FAILED})
STEP_CHANGES: dict[Step, frozenset[Step]] = {
    _S.PENDING: frozenset({_S.ARMED, _S.SKIPPED}),
    _S.ARMED: frozenset({_S.ACTING, _S.IN_DOUBT, _S.NO_EFFECT}),
    _S.ACTING: frozenset({_S.WAITING, _S.IN_DOUBT}) | _OUTCOMES,
    _S.WAITING: frozenset({_S.IN_DOUBT}) | _OUTCOMES,
    _S.DONE: frozenset({_S.COMPENSATED}),
    _S.NO_EFFECT: frozenset({_S.ARMED, _S.SKIPPED}),
    _S.FAILED: frozenset({_S.ARMED}),  # once more where its act may be repeated, or by people's decision
    _S.IN_DOUBT: _OUTCOMES,
    _S.COMPENSATED: frozenset(),
    _S.SKIPPED: frozenset(),
}
UNSETTLED = frozenset({_S.ARMED, _S.ACTING, _S.WAITING, _S.IN_DOUBT})


def order_change(was: Order, to: Order) -> Order:
    """Returns `to`, or raises ForbiddenChange naming both."""
    if to not in ORDER_CHANGES[was]:
        raise ForbiddenChange(f"an order cannot go from {was} to {to}")
    return to


def step_change(was: Step, to: Step) -> Step:
    """Returns `to`, or raises ForbiddenChange naming both."""
    if to not in STEP_CHANGES[was]:
        raise ForbiddenChange(f"a step cannot go from {was} to {to}")
    return to
