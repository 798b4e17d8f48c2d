"""What is told of a device that comes and goes, and when nothing is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.fleet.presence import FLAP_CHANGES, FLAP_WINDOW_S, Presence


@pytest.mark.rule("DEV-2")
def test_each_change_is_told_once() -> None:
    presence = Presence()
    assert presence.tell(there=True, reason="back", now_s=0) == "back"
    assert presence.tell(there=True, reason="back", now_s=1) is None
    assert presence.tell(there=False, reason="line_lost", now_s=2) == "line_lost"
    assert presence.tell(there=False, reason="line_lost", now_s=3) is None
    assert presence.tell(there=True, reason="back", now_s=4) == "back"
    assert presence.changes == 2


@pytest.mark.rule("DEV-2")
def test_what_a_process_before_told_is_not_told_again() -> None:
    presence = Presence(told=False)
    assert presence.tell(there=False, reason="no_device", now_s=0) is None
    assert presence.tell(there=True, reason="back", now_s=1) == "back"


@pytest.mark.rule("DEV-2")
def test_too_many_changes_are_told_as_flapping_and_then_no_more_until_it_holds_still() -> None:
    presence = Presence()
    told = [presence.tell(there=n % 2 == 0, reason="seen", now_s=n) for n in range(40)]
    assert told.count("flapping") == 1
    assert sum(word is not None for word in told) <= FLAP_CHANGES
    assert presence.told is False
    assert presence.tell(there=True, reason="back", now_s=40) is None
    assert presence.tell(there=True, reason="back", now_s=41 + FLAP_WINDOW_S) == "back"
    assert presence.changes == 40


@pytest.mark.rule("DEV-2")
@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=60))
def test_what_is_told_alternates_and_comes_true_in_the_end(seen: list[tuple[bool, float]]) -> None:
    presence, now_s, told = Presence(), 0.0, []
    for there, gap_s in seen:
        now_s += gap_s
        if presence.tell(there=there, reason="x", now_s=now_s) is not None:
            told.append(there)
    assert all(one != other for one, other in pairwise(told))
    if seen:
        presence.tell(there=seen[-1][0], reason="x", now_s=now_s + FLAP_WINDOW_S + 1)
        assert presence.told == seen[-1][0]
