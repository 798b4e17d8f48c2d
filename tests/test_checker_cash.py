"""The checker and counted cash: an honest counting passes, and what did not pass is no counting."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.checker import check
from simulators.checker.cash import passed
from tests.story import Story

NOTE: dict[str, Any] = {"value": 100}


def counter(*shows: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    line: dict[str, Any] = {"device": "note-1", "kind": "show"}
    return [{**line, "n": n, "t": n, "act": act, "detail": detail} for n, (act, detail) in enumerate(shows, start=1)]


def bundle(count: int) -> list[tuple[str, dict[str, Any]]]:
    return [("note_passed", NOTE)] * count + [("batch_counted", {})]


def told(story: Story, order: str, total: int, batches: int = 1, expected: int | None = None) -> None:
    story.order(order, "accepted", "running")
    facts: dict[str, Any] = {"sum": total, "count": total // 100, "expected": total if expected is None else expected}
    facts["batches"] = [f"note-1-{n}" for n in range(batches)]
    for to in ("armed", "acting", "done"):
        words: dict[str, Any] = {"device": "note-1", "attempt": f"{order}/count/1"}
        words["facts"] = facts if to == "done" else {}
        story.step(order, "count", "count_notes", to, **words)
    story.order(order, "completed")


def judged(story: Story, ledger: list[dict[str, Any]]) -> list[str]:
    return [violation.kind for violation in check(story.events, [ledger]).violations]


def test_an_honest_counting_passes_with_whatever_was_refused_between() -> None:
    story = Story()
    told(story, "a", 500, batches=2)
    told(story, "b", 300)
    assert judged(story, counter(*bundle(3), *bundle(4), *bundle(2), *bundle(3))) == []


@pytest.mark.parametrize(
    "ledger",
    [
        [],
        bundle(4),
        [("note_passed", NOTE)] * 5,
        [*bundle(3), *bundle(2)],
        [("notes_passed_double", {"notes": [NOTE, NOTE]}), *bundle(5)],
        [("note_passed", NOTE), ("power_lost", {}), *bundle(4)],
        [("note_passed", NOTE), ("notes_taken", {"by": "free"}), *bundle(4)],
    ],
)
def test_what_did_not_pass_is_blamed(ledger: list[tuple[str, dict[str, Any]]]) -> None:
    story = Story()
    told(story, "a", 500)
    assert judged(story, counter(*ledger)) == ["cash_miscounted"]


def test_one_bundle_is_no_two_orders_and_another_sum_is_no_amount() -> None:
    story = Story()
    told(story, "a", 300)
    told(story, "b", 300)
    assert judged(story, counter(*bundle(3))) == ["cash_miscounted"]
    other = Story()
    told(other, "a", 300, expected=400)
    assert judged(other, counter(*bundle(3))) == ["cash_miscounted"]


def test_the_bundles_of_a_ledger() -> None:
    lines = counter(*bundle(2), ("notes_passed_double", {"notes": [NOTE, {"value": 50}]}), *bundle(1))
    assert passed(lines) == [(2, 200), (2, 150)]
