"""The checker on cells: honest days at a cabinet pass, and each lie about a door, an item or the books is named."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.checker import Report, check
from tests.story import Story


class Cabinet(Story):
    """Stories of a cabinet; `cell` is always 01 unless said otherwise."""

    def stock(self, was: str, to: str, serial: str = "S1", **more: Any) -> None:
        words = {"device": self.device, "cell": "01", "article": "u_shield", "serial": serial, "from": was, "to": to}
        self.tell("stock.changed", **words | {"reason": ""} | more)

    def loaded(self, serial: str = "S1", **more: Any) -> None:
        self.stock("empty", "declared", serial, reason="loaded", by=["/people/a", "/people/b"], **more)
        self.stock("declared", "sealed", serial, reason="confirmed", **more)

    def opening(self, order: str, *states: str, k: int = 1, cell: str = "01", serial: str = "S1", **data: Any) -> None:
        facts = {"facts": {"cell": cell, "serial": serial}}
        self.step(order, "open", "open_cell", *(states or ("armed", "acting", "done")), k=k, **facts | data)

    def opened(self, cell: str = "01", serial: str | None = "S1") -> None:
        self.line("act", "cell_opened", cell=cell, serial=serial)

    def door(self, act: str, serial: str | None = "S1", cell: str = "01") -> None:
        self.line("show", act, cell=cell, serial=serial)

    def takes(self, order: str = "o1") -> None:
        """Everything from the acceptance to the end."""
        self.order(order, "accepted")
        self.stock("sealed", "reserved", order=order)
        self.order(order, "running")
        self.opening(order)
        self.opened()
        self.stock("reserved", "opened", order=order)
        self.door("item_taken")
        self.door("door_closed", None)
        self.step(order, "take", "await_taken", "armed", "acting", "waiting", "done", facts={"taken": "witnessed"})
        self.stock("opened", "empty", order=order, reason="taken")
        self.order(order, "completed")


def judged(story: Cabinet) -> Report:
    return check(story.events, [story.ledger])


def happy() -> Cabinet:
    story = Cabinet()
    story.loaded()
    story.takes()
    return story


def exercised(*, taken: bool = False) -> Cabinet:
    story = Cabinet()
    story.loaded()
    story.order("o1", "accepted")
    story.stock("sealed", "reserved", order="o1")
    story.order("o1", "running")
    story.opening("o1")
    story.opened()
    story.stock("reserved", "opened", order="o1")
    if taken:
        story.door("item_taken")
    story.door("door_closed", None if taken else "S1")
    story.step("o1", "close", "secure_cell", "armed", "acting", "waiting", "done", item="stock")
    story.order("o1", "completed")
    return story


def test_a_cell_that_was_only_exercised_keeps_its_item() -> None:
    assert judged(exercised()).ok
    assert {one.kind for one in judged(exercised(taken=True)).violations} == {"taken_untold"}


def test_an_honest_day_passes_and_the_opening_has_its_attempt() -> None:
    report = judged(happy())
    assert report.violations == []
    assert [(a.id, [line["act"] for line in a.acts]) for a in report.attempts] == [
        ("o1/open/1", ["cell_opened"]),
        ("o1/take/1", []),
    ]


def blamed(story: Cabinet, kind: str) -> None:
    report = judged(story)
    assert kind in report.kinds, report.table()


@pytest.mark.rule("ORD-9")
def test_a_second_opening_is_a_stray_act() -> None:
    story = happy()
    story.opened(serial=None)
    blamed(story, "stray_act")


def test_an_opening_without_an_attempt() -> None:
    story = Cabinet()
    story.opened()
    blamed(story, "stray_act")


def test_the_wrong_cell_and_the_wrong_item() -> None:
    story = Cabinet()
    story.order("o1", "accepted", "running")
    story.opening("o1", cell="01", serial="S1")
    story.opened(cell="02", serial="S2")
    report = judged(story)
    assert {"wrong_cell", "wrong_article"} <= report.kinds


def test_completed_though_nobody_took_it() -> None:
    story = Cabinet()
    story.order("o1", "accepted", "running")
    story.opening("o1")
    story.opened()
    story.door("door_closed")
    story.order("o1", "completed")
    blamed(story, "not_taken")


def test_failed_though_somebody_took_it() -> None:
    story = Cabinet()
    story.order("o1", "accepted", "running")
    story.opening("o1")
    story.opened()
    story.door("item_taken")
    story.order("o1", "failed", reason="not_taken")
    blamed(story, "taken_untold")


def test_without_effect_is_honest_where_the_door_was_closed_on_its_item_again() -> None:
    story = Cabinet()
    story.order("o1", "accepted", "running")
    story.opening("o1", "armed", "acting", "no_effect")
    story.opened()
    story.door("door_closed")
    assert judged(story).kinds <= {"unfinished"}


@pytest.mark.parametrize("shown", [("item_taken", "door_closed"), ()])
def test_without_effect_is_a_lie_where_the_item_was_taken_or_the_door_stands_open(shown: tuple[str, ...]) -> None:
    story = Cabinet()
    story.order("o1", "accepted", "running")
    story.opening("o1", "armed", "acting", "no_effect")
    story.opened()
    for act in shown:
        story.door(act, None if act == "door_closed" else "S1")
    blamed(story, "act_denied")


def test_books_that_jump_and_books_that_lie() -> None:
    story = happy()
    story.stock("sealed", "reserved")
    blamed(story, "stock_jump")
    story = happy()
    story.stock("empty", "sealed")
    blamed(story, "stock_wrong")
    story = Cabinet()
    story.loaded()
    story.stock("sealed", "empty", reason="taken")
    blamed(story, "stock_wrong")


def test_one_person_who_loads() -> None:
    story = Cabinet()
    story.stock("empty", "declared", reason="loaded", by=["/people/a"])
    blamed(story, "too_few_people")


def test_one_person_who_releases() -> None:
    story = Cabinet()
    story.order("o1", "accepted")
    story.order("o1", "waiting", waiting_for="staff", reason="release_needed")
    story.order("o1", "running", facts={"decided": "release"}, by=["/people/a"])
    blamed(story, "too_few_people")


def test_a_release_allows_no_further_attempt() -> None:
    story = Cabinet()
    story.order("o1", "accepted")
    story.order("o1", "waiting", waiting_for="staff", reason="release_needed")
    story.order("o1", "running", facts={"decided": "release"}, by=["/people/a", "/people/b"])
    for k in (1, 2, 3):
        story.opening("o1", "armed", "acting", "no_effect", k=k)
    blamed(story, "armed_again")
