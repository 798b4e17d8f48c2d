"""Steps that an order can do without: their device is away or could not do it, and the order goes on and says so.

Knows the recipe's `may_lack` and what stands for such a step; must not know why a device is away.
"""

from __future__ import annotations

from device_drivers.device import Outcome, Verdict, Whereabouts
from edge_agent.journal.tx import Tx
from edge_agent.orders.forms import form
from edge_agent.orders.holding import free_untouched
from edge_agent.orders.reading import get_order, steps_of
from edge_agent.orders.record import add_facts, allow_attempts, change_step, set_goal
from edge_agent.orders.rows import OrderRow, StepRow
from edge_agent.orders.states import Goal, Step
from edge_agent.orders.turns import advance, next_step

AWAY = "away"  # what stands for the step, where nobody decided anything
_NOT_BEGUN = frozenset({Step.PENDING, Step.NO_EFFECT, Step.FAILED})


def can_lack(tx: Tx, order: OrderRow, step: StepRow) -> bool:
    """Whether the order goes on without this step, which is not under way and whose outcome is in no doubt."""
    if step.undoes or step.state not in _NOT_BEGUN or not order.goal.forward:
        return False
    (number,) = tx.one("SELECT recipe_form FROM orders WHERE id = ?", order.id) or (None,)
    recipe = form(tx, int(number)) if number is not None else {"step": []}
    return any(one["name"] == step.name and one.get("may_lack", False) for one in recipe["step"])


def go_without(tx: Tx, order: OrderRow, step: StepRow, reason: str) -> OrderRow:
    """The step is left out; an order of which nothing is left and nothing was done has failed."""
    if step.state is Step.FAILED:
        step = allow_attempts(tx, step, 0)
    else:
        step = change_step(tx, step, Step.SKIPPED, verdict=Verdict(Outcome.NO_EFFECT, reason, Whereabouts.NONE))
    add_facts(tx, step, {"instead": AWAY})
    free_untouched(tx, step)
    steps = steps_of(tx, order.id)
    something = any(one.state is Step.DONE for one in steps) or next_step(order.goal, steps) is not None
    set_goal(tx, order, Goal.PARTLY if something else Goal.FAIL, reason)
    return advance(tx, get_order(tx, order.id))
