from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_bridge.event_order import MAX_HELD, EventOrder, Gap


@pytest.mark.rule("ENV-2")
@given(st.lists(st.integers(1, 12), max_size=60))
def test_each_event_comes_out_once_and_in_order_whatever_the_arrival(seqs: list[int]) -> None:
    order: EventOrder[int] = EventOrder(from_start=True)
    out = [event for seq in seqs for event in order.take("j", seq, seq)]
    assert out == list(range(1, len(out) + 1))
    for seq in range(1, 13):
        out += order.take("j", seq, seq)
    assert out == list(range(1, 13))
    assert order.gaps() == []


@pytest.mark.rule("OUT-3")
def test_a_repeat_is_dropped_and_counted() -> None:
    order: EventOrder[str] = EventOrder()
    assert order.take("j", 7, "a") == ["a"]
    assert order.take("j", 7, "a") == []
    assert order.take("j", 9, "c") == []
    assert order.take("j", 9, "c") == []
    assert order.repeats == 2
    assert order.take("j", 8, "b") == ["b", "c"]


def test_journals_do_not_mix() -> None:
    order: EventOrder[str] = EventOrder()
    assert order.take("old", 90, "x") == ["x"]
    assert order.take("new", 1, "y") == ["y"]
    assert order.seen() == {"old": 90, "new": 1}


@pytest.mark.rule("SES-6")
def test_a_lost_tail_shows_when_a_heartbeat_tells_a_higher_seq() -> None:
    order: EventOrder[str] = EventOrder({"j": 4})
    order.told("j", 4)
    assert order.gap("j") is None
    order.told("j", 6)
    assert order.gap("j") == Gap("j", 5, 6)
    assert order.take("j", 6, "f") == []
    assert order.gap("j") == Gap("j", 5, 5)
    assert order.take("j", 5, "e") == ["e", "f"]
    assert order.gap("j") is None


def test_what_cannot_be_had_again_is_stepped_over() -> None:
    order: EventOrder[str] = EventOrder({"j": 1})
    assert order.take("j", 4, "d") == []
    gap = order.gap("j")
    assert gap == Gap("j", 2, 3)
    assert order.give_up(gap) == ["d"]
    assert order.gaps() == []


def test_a_watcher_that_comes_late_begins_with_what_it_sees_first() -> None:
    order: EventOrder[str] = EventOrder()
    order.told("j", 500)
    assert order.gaps() == []
    assert order.take("j", 501, "a") == ["a"]


def test_one_gap_does_not_eat_the_memory() -> None:
    order: EventOrder[int] = EventOrder({"j": 0})
    for seq in range(2, MAX_HELD + 100):
        order.take("j", seq, seq)
    out = order.take("j", 1, 1)
    assert out == list(range(1, MAX_HELD + 2))
    assert order.gap("j") == Gap("j", MAX_HELD + 2, MAX_HELD + 99)
