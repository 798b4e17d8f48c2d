"""The checker on paper: sheets must be those that were told, marked when repeated, and never carry another's lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulators.checker import Report, check
from tests.story import Story

TWO = ["/people/li", "/people/wang"]


def judged(story: Story, **more: Any) -> Report:
    return check(story.events, [story.ledger], **more)


def two_receipts() -> Story:
    story = Story(device="receipt-1")
    for order in ("o-1", "o-2"):
        story.order(order, "accepted", "running")
        story.printed(order)
        story.order(order, "completed")
    return story


def asked_again(*, reprint: int = 1, first_out: bool = True) -> Story:
    """In doubt after a power cut; two people let it print once more, on the same printer."""
    story = Story(device="receipt-1")
    story.order("o-1", "accepted", "running")
    story.printed("o-1", "armed", "acting", "in_doubt", sheets=int(first_out), facts={})
    story.order("o-1", "needs_attention", reason="power_lost")
    story.step("o-1", "receipt", "print_receipt", "failed", by=TWO, facts={"decided": "again"})
    story.order("o-1", "running", by=TWO)
    story.sheet("o-1/receipt/1", void=True)
    story.printed("o-1", k=2, reprint=reprint)
    story.order("o-1", "completed")
    return story


# -- honest stories ----------------------------------------------------------------------------------------------------


def test_honest_receipts_pass_and_each_sheet_has_its_attempt() -> None:
    report = judged(two_receipts(), submitted=["o-1", "o-2"])
    assert report.violations == []
    assert [[line["detail"]["sheet"] for line in a.acts] for a in report.attempts] == [[1], [2]]
    assert report.acts == {"sheet_out": 2}


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize("first_out", [True, False])
def test_a_marked_reprint_after_a_void_slip_passes(*, first_out: bool) -> None:
    report = judged(asked_again(first_out=first_out))
    assert report.violations == []
    assert report.acts == {"sheet_out": 1 + first_out, "void_slip": 1}
    assert "重印 1" in report.table()


def test_a_long_attempt_goes_on_in_the_next_line() -> None:
    order = "o-" + "7" * 50
    story = Story(device="receipt-1")
    story.order(order, "accepted", "running")
    story.printed(order, sheets=0)
    story.sheet(text=(f"No. {order[:40]}", f"  {order[40:]}/receipt", "  /1"))
    story.order(order, "completed")
    assert judged(story).violations == []


def test_another_number_in_the_text_is_no_attempt() -> None:
    story = asked_again()
    detail(story, -1)["lines"][1:1] = ["No. 6222", "  0200", "No. 5 of 7", "No. 12/3"]
    assert judged(story).violations == []


def test_a_front_part_taken_out_by_hand_counts_for_nothing_and_keeps_its_mark() -> None:
    story = asked_again()
    last = story.ledger.pop(-1)
    story.line("act", "sheet_out", **last["detail"] | {"lines": last["detail"]["lines"][:2], "cut": False})
    story.line("act", "sheet_out", **last["detail"] | {"lines": last["detail"]["lines"][2:]})
    report = judged(story)
    assert report.violations == []
    assert "taken out by hand" in report.table()
    story.order("o-2", "accepted", "failed", reason="expired")
    detail(story, -2)["lines"].append("Receipt of o-2")
    assert judged(story).kinds == {"foreign_line"}


def test_again_elsewhere_is_another_device_of_the_same_step() -> None:
    first, second = Story(device="receipt-1"), Story(device="receipt-2")
    first.order("o-1", "accepted", "running")
    first.printed("o-1", "armed", "acting", "in_doubt", sheets=0, facts={})
    first.order("o-1", "needs_attention")
    first.step("o-1", "receipt", "print_receipt", "failed", by=TWO)
    first.order("o-1", "running", by=TWO)
    first.device = "receipt-2"
    first.printed("o-1", k=2, reprint=1, sheets=0)
    first.order("o-1", "completed")
    second.sheet("o-1/receipt/2", reprint=1)
    assert check(first.events, [first.ledger, second.ledger]).violations == []
    second.ledger[0]["device"] = "receipt-1"
    assert check(first.events, [first.ledger, second.ledger]).kinds == {"wrong_device"}


@pytest.mark.rule("ORD-3")
def test_a_ticket_is_repeated_by_the_machine_itself_and_marked() -> None:
    story = Story(device="ticket-1")
    story.order("o-1", "accepted", "running")
    story.step("o-1", "print", "print_ticket", "armed", "acting", "in_doubt", "failed")
    story.step("o-1", "print", "print_ticket", "armed", "acting", "done", k=2, facts={"evidence": "printed"})
    story.sheet("o-1/print/1")
    story.sheet("o-1/print/2", reprint=1)
    story.order("o-1", "completed")
    assert judged(story).violations == []


def test_a_receipt_is_never_repeated_by_the_machine_itself() -> None:
    story = Story(device="receipt-1")
    story.order("o-1", "accepted", "running")
    story.printed("o-1", "armed", "acting", "in_doubt", "failed", sheets=0, facts={})
    story.printed("o-1", k=2, reprint=1)
    story.order("o-1", "completed")
    assert judged(story).kinds == {"step_move"}


@pytest.mark.parametrize("instead", ["by_hand", "skip"])
def test_partly_completed_tells_what_is_missing_and_what_stands_for_it(instead: str) -> None:
    story = partly(left_out=[{"step": "receipt", "instead": instead}])
    assert judged(story).violations == []


def partly(by: list[str] | None = None, **facts: Any) -> Story:
    story = Story(device="receipt-1")
    story.order("o-1", "accepted", "running")
    story.printed("o-1", "armed", "acting", "in_doubt", sheets=0, facts={})
    story.order("o-1", "needs_attention", reason="paper_end")
    story.order("o-1", "partly_completed", by=["/people/li"] if by is None else by, facts=facts)
    return story


@pytest.mark.rule("ORD-8")
def test_a_late_proof_after_the_end_is_believed_and_needs_its_sheet() -> None:
    story = partly(left_out=[{"step": "receipt", "instead": "by_hand"}])
    story.tell(
        "order.corrected", order="o-1", step="receipt", attempt="o-1/receipt/1", state="partly_completed", truth="done"
    )
    assert judged(story).kinds == {"missing_sheet"}
    story.sheet("o-1/receipt/1")
    assert judged(story).violations == []


def test_sent_is_no_proof_when_the_printer_lost_power() -> None:
    story = Story(device="receipt-1")
    story.order("o-1", "accepted", "running")
    story.printed("o-1", sheets=0, facts={"evidence": "sent"})
    story.order("o-1", "completed")
    assert judged(story).kinds == {"missing_sheet"}
    story.line("show", "power_lost")
    report = judged(story)
    assert report.violations == []
    assert "its printer lost power" in report.table()


def test_an_undone_receipt_has_its_slip() -> None:
    story = Story(device="receipt-1")
    story.order("o-1", "accepted", "running")
    story.printed("o-1")
    story.step("o-1", "receipt.undo", "void_receipt", "armed", "acting", "done")
    story.order("o-1", "failed", reason="not_taken")
    assert judged(story).kinds == {"missing_sheet"}
    story.sheet("o-1/receipt/1", void=True)
    assert judged(story).violations == []


def test_a_sealed_document_is_one_sheet_and_one_stamp() -> None:
    story = Story(device="sealed-1")
    story.order("o-1", "accepted", "running")
    story.step("o-1", "print", "print_document", "armed", "acting", "done", facts={"evidence": "printed"})
    job = {"sheet": 1, "attempts": ["o-1/print/1"], "reprint": 0, "void": False, "pages": 2, "pages_done": 2}
    story.line("act", "sheet_out", **job)
    story.step("o-1", "seal", "stamp", "armed", "acting", "done")
    story.line("act", "stamped", channel=1, ms=200)
    story.order("o-1", "completed")
    assert judged(story).violations == []
    story.line("act", "stamped", channel=1, ms=200)
    assert judged(story).kinds == {"stray_act"}
    story.ledger.pop()
    story.ledger[0]["detail"]["pages_done"] = 1
    assert judged(story).kinds == {"missing_pages"}


# -- each kind of lie --------------------------------------------------------------------------------------------------


def detail(story: Story, number: int) -> dict[str, Any]:
    found: dict[str, Any] = story.ledger[number]["detail"]
    return found


def tell_no_effect(story: Story) -> None:
    next(e["data"] for e in story.events if e["data"].get("to") == "done").update(to="no_effect")


LIES: dict[str, tuple[Callable[[Story], object], str]] = {
    "told printed, but it never came out": (lambda s: s.ledger.pop(), "missing_sheet"),
    "the same sheet twice": (lambda s: s.sheet("o-1/receipt/1"), "sheet_twice"),
    "a sheet of no attempt": (lambda s: s.sheet("o-9/receipt/1"), "stray_sheet"),
    "a sheet without a name": (lambda s: s.sheet(text=("Welcome",)), "stray_sheet"),
    "a line of the first on the second's sheet": (
        lambda s: detail(s, 1)["lines"].insert(0, "Receipt of o-1"),
        "foreign_line",
    ),
    "a line of another's on a void slip": (
        lambda s: s.sheet("o-1/receipt/1", void=True, text=("Receipt of o-2",)),
        "foreign_line",
    ),
    "two attempts on one sheet": (lambda s: detail(s, 1)["lines"].insert(0, "No. o-1/receipt/1"), "mixed_sheet"),
    "told no effect, but it lies there": (tell_no_effect, "sheet_denied"),
    "told printed, but never cut": (lambda s: detail(s, 1).update(cut=False), "not_cut"),
    "a slip that voids a proven receipt": (lambda s: s.sheet("o-1/receipt/1", void=True), "void_wrong"),
    "a slip that voids nothing": (lambda s: s.sheet(void=True), "void_wrong"),
    "told another number than it bears": (
        lambda s: detail(s, 1)["lines"].insert(0, "重印 REPRINT 3"),
        "reprint_number",
    ),
}


@pytest.mark.rule("ORD-9")
@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize("lie", LIES)
def test_each_lie_about_paper_is_named(lie: str) -> None:
    story = two_receipts()
    tell, kind = LIES[lie]
    tell(story)
    report = judged(story)
    assert kind in report.kinds, report.table()


@pytest.mark.rule("ORD-10")
@pytest.mark.parametrize("first_out", [True, False])
def test_an_unmarked_reprint_is_named(*, first_out: bool) -> None:
    assert judged(asked_again(reprint=0, first_out=first_out)).kinds == {"unmarked_reprint"}


@pytest.mark.rule("ORD-10")
def test_reprint_numbers_ascend() -> None:
    story = asked_again()
    story.order("o-2", "accepted", "running")
    for k in (1, 2, 3):
        story.printed("o-2", "armed", "acting", "in_doubt", k=k, reprint=min(k - 1, 1), facts={})
        story.order("o-2", "needs_attention")
        story.step("o-2", "receipt", "print_receipt", "failed", k=k, by=TWO)
        story.order("o-2", "running", by=TWO)
    story.order("o-2", "failed", reason="decided_failed")
    assert judged(story).kinds == {"reprint_number"}


@pytest.mark.rule("ORD-6")
@pytest.mark.parametrize(("choice", "people"), [("again", 1), ("done", 1), ("no_effect", 1), ("skip", 0)])
def test_a_decision_of_too_few_is_named(choice: str, people: int) -> None:
    story = asked_again()
    decided = next(e["data"] for e in story.events if e["data"].get("facts", {}).get("decided"))
    decided.update(by=TWO[:people], facts={"decided": choice})
    assert "too_few_people" in judged(story).kinds
    decided["by"] = ["/people/li"] * (people + 1)
    assert ("too_few_people" in judged(story).kinds) is (choice != "skip"), "the same person twice is one"


@pytest.mark.parametrize(
    "left_out",
    [
        None,
        [],
        "receipt",
        ["receipt"],
        [{"step": "receipt"}],
        [{"step": "draw", "instead": "skip"}],
        [{"step": "receipt", "instead": "luck"}],
        [{"step": "receipt", "instead": "skip"}, {"step": "draw", "instead": "skip"}],
    ],
)
def test_partly_completed_without_its_facts_is_named(left_out: object) -> None:
    facts: dict[str, Any] = {} if left_out is None else {"left_out": left_out}
    assert "partly_untold" in judged(partly(**facts)).kinds


def test_a_second_step_that_people_went_without_must_be_named_too() -> None:
    story = Story(device="receipt-1")
    story.order("o-1", "accepted", "running")
    for step in ("receipt", "slip"):
        story.step("o-1", step, "print_receipt", "armed", "acting", "in_doubt", facts={})
        story.order("o-1", "needs_attention", reason="paper_end")
        story.order("o-1", "running", by=["/people/li"], facts={"decided": "skip", "step": step})
    first, second = ({"step": step, "instead": "skip"} for step in ("receipt", "slip"))
    story.order("o-1", "partly_completed", facts={"left_out": [first, second]})
    assert judged(story).violations == []
    story.events[-1]["data"]["facts"] = {"left_out": [first]}
    assert "partly_untold" in judged(story).kinds


def test_completed_although_people_went_without_a_receipt_is_named() -> None:
    story = partly(left_out=[{"step": "receipt", "instead": "skip"}])
    story.events[-1]["data"].update(to="completed", facts={"decided": "skip"})
    assert "partly_untold" in judged(story).kinds


def test_a_receipt_in_doubt_hides_no_forgotten_card() -> None:
    story = Story()
    story.order("o-1", "accepted", "running")
    story.draw("o-1", "S1")
    story.device = "receipt-1"
    story.printed("o-1", "armed", "acting", "in_doubt", "failed", sheets=0, facts={})
    story.order("o-1", "failed", reason="paper_end")
    assert judged(story).kinds == {"forgotten"}
