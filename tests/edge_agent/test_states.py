"""Both tables of states, walked whole: each allowed change passes, each other one is an error that names both ends."""

from __future__ import annotations

import inspect
import itertools
from typing import TypeVar

import pytest

from edge_agent.orders import states
from edge_agent.orders.states import ENDS, ORDER_CHANGES, STEP_CHANGES, UNSETTLED, ForbiddenChange, Order, Step
from simulators.checker import words as checker

S = TypeVar("S")

# The tables as a person reads them in the contract (ORD-2, ORD-3), written a second time on purpose.
ORDERS = """
accepted scheduled running waiting held needs_attention failed cancelled expired
scheduled running waiting held needs_attention failed cancelled expired
running waiting held cancelling needs_attention completed partly_completed failed cancelled expired
waiting waiting running scheduled held cancelling needs_attention completed partly_completed failed cancelled expired
held running scheduled cancelling needs_attention completed partly_completed failed cancelled expired
cancelling waiting needs_attention completed partly_completed failed cancelled expired
needs_attention running held cancelling completed partly_completed failed cancelled expired
completed
partly_completed
failed
cancelled
expired
"""
STEPS = """
pending      armed skipped
armed        acting in_doubt no_effect
acting       waiting in_doubt done no_effect failed
waiting      in_doubt done no_effect failed
in_doubt     done no_effect failed
no_effect    armed skipped
done         compensated
failed       armed
compensated
skipped
"""


def table(text: str) -> dict[str, frozenset[str]]:
    rows = [line.split() for line in text.strip().splitlines()]
    return {row[0]: frozenset(row[1:]) for row in rows}


@pytest.mark.rule("ORD-2")
@pytest.mark.parametrize(("was", "to"), list(itertools.product(Order, Order)))
def test_every_pair_of_order_states(was: Order, to: Order) -> None:
    if to in table(ORDERS)[was]:
        assert states.order_change(was, to) is to
    else:
        with pytest.raises(ForbiddenChange) as refused:
            states.order_change(was, to)
        assert str(refused.value) == f"an order cannot go from {was.value} to {to.value}"


@pytest.mark.rule("ORD-3")
@pytest.mark.parametrize(("was", "to"), list(itertools.product(Step, Step)))
def test_every_pair_of_step_states(was: Step, to: Step) -> None:
    if to in table(STEPS)[was]:
        assert states.step_change(was, to) is to
    else:
        with pytest.raises(ForbiddenChange) as refused:
            states.step_change(was, to)
        assert str(refused.value) == f"a step cannot go from {was.value} to {to.value}"


def test_each_state_has_a_row() -> None:
    assert set(ORDER_CHANGES) == set(Order)
    assert set(STEP_CHANGES) == set(Step)


@pytest.mark.rule("ORD-2")
def test_ends_are_final_and_nothing_else_is() -> None:
    assert {state for state, onward in ORDER_CHANGES.items() if not onward} == ENDS
    assert {state.value for state in ENDS} == checker.ENDS
    assert {state for state, onward in STEP_CHANGES.items() if not onward} == {
        Step.COMPENSATED,
        Step.SKIPPED,
    }


def test_every_state_can_be_reached_and_every_order_can_end() -> None:
    assert reached(Order.ACCEPTED, ORDER_CHANGES) == set(Order)
    assert reached(Step.PENDING, STEP_CHANGES) == set(Step)
    for state in Order:
        assert reached(state, ORDER_CHANGES) & ENDS


def reached(start: S, changes: dict[S, frozenset[S]]) -> set[S]:
    found, todo = {start}, [start]
    while todo:
        new = changes[todo.pop()] - found
        found |= new
        todo += new
    return found


@pytest.mark.rule("ORD-3")
def test_the_independent_judge_has_the_same_steps() -> None:
    ours = {was.value: {to.value for to in onward} for was, onward in STEP_CHANGES.items() if onward}
    judged = {was: set(onward) for was, onward in checker.STEP_MOVES.items() if was is not None}
    judged["failed"] = {"armed"}  # the judge allows it of acts that may be repeated, or after people's decision
    assert ours == judged
    assert checker.STEP_MOVES[None] == {Step.PENDING.value}
    assert {state.value for state in UNSETTLED} == checker.UNSETTLED


@pytest.mark.rule("ORD-2")
def test_the_independent_judge_allows_every_change_of_an_order() -> None:
    """It knows more ways than we go: other agents may speak the same contract."""
    for was, onward in ORDER_CHANGES.items():
        assert {to.value for to in onward} <= checker.ORDER_MOVES.get(was.value, frozenset()), was
    assert Order.ACCEPTED.value in checker.ORDER_MOVES[None]


@pytest.mark.rule("ORD-3")
def test_no_act_is_begun_anew_out_of_doubt() -> None:
    begun = [was for was, onward in STEP_CHANGES.items() if Step.ARMED in onward]
    assert begun == [Step.PENDING, Step.NO_EFFECT, Step.FAILED]


@pytest.mark.parametrize("kind", [Order, Step])
def test_each_state_says_what_it_means(kind: type[Order | Step]) -> None:
    """House style: a sentence per member; the ends of an order are their own sentence."""
    source = inspect.getsource(kind)
    for state in kind:
        line = next(line for line in source.splitlines() if line.strip().startswith(f"{state.name} ="))
        assert state in ENDS or "#" in line, state
