"""The order book: each event once, the newest word wins, what is missing is named."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from central_scheduler.orderbook import Gap, OrderBook, Question
from cloud_bridge.messages.reports import (
    DeviceChanged,
    EventData,
    JournalChanged,
    OrderChanged,
    OrderCorrected,
    StepChanged,
)


def order(seq: int, to: str, name: str = "a", journal: str = "j", **more: Any) -> OrderChanged:
    words = {"journal": journal, "seq": seq, "order": name, "scene": "collect_card", "to": to, **more}
    return OrderChanged.model_validate(words)


def step(seq: int, to: str, **more: Any) -> StepChanged:
    words = {"journal": "j", "seq": seq, "order": "a", "step": "draw", "act": "draw_card", "to": to, **more}
    return StepChanged.model_validate(words)


def test_an_order_from_acceptance_to_its_end() -> None:
    book = OrderBook()
    events: list[EventData] = [
        JournalChanged(journal="j", seq=1, what="started"),
        order(2, "accepted"),
        step(3, "armed", attempt="a/draw/1", device="card-1"),
        order(4, "waiting", waiting_for="customer"),
        step(5, "done", attempt="a/draw/1", device="card-1", facts={"serial": "7"}),
        DeviceChanged(journal="j", seq=6, device="card-1", state="online"),
        order(7, "completed", reason="taken"),
    ]
    assert all(book.take(event) for event in events)
    known = book.orders["a"]
    assert (known.state, known.reason, known.waiting_for, known.device) == ("completed", "taken", None, "card-1")
    assert known.ended
    assert known.steps["draw"].facts == {"serial": "7"}
    assert known.steps["draw"].attempt == "a/draw/1"
    assert [event.seq for event in known.told] == [2, 3, 4, 5, 7]
    assert book.devices == {"card-1": "online"}
    assert (book.applied, book.gaps) == (7, [])


def test_a_device_where_nothing_was_done_is_not_where_the_order_is() -> None:
    book = OrderBook()
    book.take(step(1, "done", device="card-1"))
    book.take(step(2, "skipped", device="receipt-1"))
    assert book.orders["a"].device == "card-1"


def test_a_repeat_changes_nothing() -> None:
    book = OrderBook()
    assert book.take(order(1, "accepted"))
    assert book.take(order(2, "running"))
    assert not book.take(order(1, "accepted"))
    assert not book.take(order(2, "running"))
    assert (book.orders["a"].state, book.applied) == ("running", 2)


def test_what_is_missing_is_named() -> None:
    book = OrderBook()
    for event in (order(4, "accepted"), order(5, "running"), order(9, "completed"), order(1, "accepted", journal="k")):
        book.take(event)
    assert book.gaps == [Gap("j", 6, 8)]


def test_a_question_stands_until_it_is_settled() -> None:
    book = OrderBook()
    facts = {"step": "draw", "attempt": "a/draw/1", "choices": ["done", "no_effect"], "item": "unknown"}
    book.take(order(1, "needs_attention", waiting_for="staff", facts=facts))
    assert book.orders["a"].question == Question("draw", "a/draw/1", ("done", "no_effect"))
    book.take(order(2, "running"))
    assert book.orders["a"].question is None


def test_a_question_without_words_is_none() -> None:
    book = OrderBook()
    book.take(order(1, "needs_attention", facts={"step": 3, "attempt": None}))
    assert book.orders["a"].question is None


def test_the_truth_after_the_end_leaves_the_state() -> None:
    book = OrderBook()
    book.take(order(1, "failed"))
    words = {"journal": "j", "seq": 2, "order": "a", "state": "failed", "truth": "done"}
    book.take(OrderCorrected.model_validate(words))
    assert (book.orders["a"].state, book.orders["a"].truth) == ("failed", "done")


@given(seqs=st.lists(st.integers(1, 30), max_size=60))
def test_any_arrival_is_counted_once_and_in_order(seqs: list[int]) -> None:
    book = OrderBook()
    taken = [seq for seq in seqs if book.take(order(seq, "running"))]
    assert taken == sorted(set(taken))
    assert book.applied == len(taken)
    missing = {seq for gap in book.gaps for seq in range(gap.first, gap.last + 1)}
    assert missing == set(range(taken[0], taken[-1] + 1)) - set(taken) if taken else not missing
