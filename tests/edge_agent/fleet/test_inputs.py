"""What is told of an input that changes, and of one that bounces."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.fleet.inputs import BOUNCE_CHANGES, BOUNCE_WINDOW_S, MAX_INPUTS, Inputs

CLOSED, OPEN = {"door": "closed"}, {"door": "open"}


def test_the_first_word_is_noted_and_each_change_is_told_once() -> None:
    inputs = Inputs()
    (first,) = inputs.look(CLOSED, 0)
    assert (first.was, first.word) == ("", "closed")
    assert inputs.look(CLOSED, 1) == []
    (change,) = inputs.look(OPEN, 2)
    assert (change.was, change.word, change.bounces, change.bouncing) == ("closed", "open", 0, False)
    assert inputs.look(OPEN, 3) == []
    assert inputs.look({}, 4) == []  # not named: as it was


def test_what_the_process_before_told_is_no_news() -> None:
    inputs = Inputs()
    inputs.remember({"door": "open"})
    assert inputs.look(OPEN, 0) == []
    (change,) = inputs.look(CLOSED, 1)
    assert (change.was, change.word) == ("open", "closed")


def test_an_alarm_is_told_at_once_and_bouncing_is_told_once_and_counted() -> None:
    inputs = Inputs()
    inputs.look(CLOSED, 0)
    told = [change for n in range(40) for change in inputs.look(OPEN if n % 2 == 0 else CLOSED, 1 + n * 0.1)]
    assert told[0].word == "open"
    assert [change.bouncing for change in told].count(True) == 1
    assert len(told) <= BOUNCE_CHANGES
    assert inputs.look(CLOSED, 6) == []  # it was told so last; had it ended open, that would be told:
    inputs.look(OPEN, 7)
    (late,) = inputs.look(OPEN, 8 + BOUNCE_WINDOW_S)
    assert (late.word, late.bouncing) == ("open", False)
    assert late.bounces == 40 + 1 - len(told) - 1


def test_what_could_not_be_told_is_told_again_as_one_change() -> None:
    inputs = Inputs()
    inputs.look(CLOSED, 0)
    inputs.untold(inputs.look(OPEN, 1))
    (again,) = inputs.look(OPEN, 2)
    assert (again.was, again.word, again.bounces) == ("closed", "open", 0)


def test_a_device_with_too_many_inputs_is_followed_as_far_as_goes() -> None:
    inputs = Inputs()
    assert len(inputs.look({f"in{n}": "off" for n in range(MAX_INPUTS + 5)}, 0)) == MAX_INPUTS


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["open", "closed", "locked"]), st.floats(0, 90)), min_size=1, max_size=60))
def test_what_is_told_comes_true_in_the_end_and_every_change_is_counted(seen: list[tuple[str, float]]) -> None:
    inputs, now_s, told, changes, last = Inputs(), 0.0, [], 0, ""
    for word, gap_s in seen:
        now_s += gap_s
        changes += last not in ("", word)
        last = word
        told += inputs.look({"door": word}, now_s)
    told += inputs.look({"door": last}, now_s + BOUNCE_WINDOW_S + 1)
    assert told[-1].word == last
    assert all(one.word == other.was for one, other in pairwise(told))
    assert sum(change.bounces + 1 for change in told if change.was) <= changes
