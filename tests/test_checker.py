"""The checker is tested like any judge: honest stories must pass, and each kind of lie, told by hand, must be named."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators import checker
from simulators.checker import Report, check
from tests.story import Story

CHECKER = Path(checker.__file__).parent


def judged(story: Story, **more: Any) -> Report:
    return check(story.events, [story.ledger], **more)


def happy() -> Story:
    story = Story()
    story.handed_over("o1", "S1")
    story.taken_back("o2", "S2")
    story.handed_over("o3", "S3")
    return story


# -- honest stories ----------------------------------------------------------------------------------------------------


def test_an_honest_day_passes_and_each_act_has_its_attempt() -> None:
    report = judged(happy(), submitted=["o1", "o2", "o3"])
    assert report.violations == []
    given_to = {a.id: [line["act"] for line in a.acts] for a in report.attempts}
    assert given_to["o1/draw/1"] == ["card_drawn"]
    assert given_to["o2/draw.undo/1"] == ["card_captured"]
    assert given_to["o3/take/1"] == []
    assert report.count("completed") == 2
    assert report.acts == {"card_drawn": 3, "card_presented": 3, "card_captured": 1}


@pytest.mark.rule("ENV-2")
@pytest.mark.rule("OUT-3")
def test_repeats_are_dropped_by_journal_and_seq() -> None:
    story = happy()
    again = story.events[3:9]
    report = check([*story.events[:9], *again, *story.events[9:], *again], [story.ledger])
    assert report.violations == []
    assert report.repeats == 12


def test_no_effect_is_armed_once_more_and_drawn_once() -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    story.draw("o1", "", "armed", "in_doubt", "no_effect", acts=0)
    story.draw("o1", "S1", k=2)
    story.present("o1", "S1")
    story.taken("o1", "S1")
    assert judged(story).violations == []


@pytest.mark.parametrize("acts", [0, 1])
def test_what_needs_attention_may_or_may_not_have_happened(acts: int) -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    story.draw("o1", "S1", "armed", "acting", "in_doubt", acts=acts)
    story.order("o1", "needs_attention", reason="power_lost")
    assert judged(story, submitted=["o1"]).violations == []


@pytest.mark.parametrize("acts", [0, 1])
@pytest.mark.parametrize("told", ["done", "no_effect", "failed"])
def test_a_persons_word_is_not_held_against_the_machine(told: str, acts: int) -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    story.draw("o1", "S1", "armed", "acting", "in_doubt", acts=acts)
    story.order("o1", "needs_attention")
    story.step("o1", "draw", "draw_card", told, by=["/people/li"])
    story.order("o1", "failed", reason="resolved", by=["/people/li"])
    assert "missing_act" not in judged(story).kinds
    assert "act_denied" not in judged(story).kinds


def test_a_capture_that_came_too_late_needs_no_act() -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    story.draw("o1", "S1")
    story.present("o1", "S1")
    story.step("o1", "take", "await_taken", "armed", "acting", "waiting")
    story.order("o1", "waiting")
    story.line("show", "card_taken", serial="S1")
    story.step("o1", "take", "await_taken", "failed")
    story.capture("o1", "S1", acts=0, item="customer", facts={"taken": "inferred"})
    story.order("o1", "failed", reason="not_taken")
    assert judged(story).violations == []


def test_a_machine_that_retained_the_card_by_itself_is_understood() -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    story.draw("o1", "S1", "armed", "acting", "in_doubt", "failed", item="bin")
    story.act("card_captured", "S1")
    story.order("o1", "failed", reason="retained")
    assert judged(story).violations == []


def test_a_persons_wrong_word_on_a_taken_card_is_noted() -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    story.draw("o1", "S1")
    story.present("o1", "S1", "armed", "acting", "in_doubt")
    story.line("show", "card_taken", serial="S1")
    story.order("o1", "needs_attention")
    story.step("o1", "present", "present_card", "failed", by=["/people/li"])
    story.order("o1", "failed", reason="decided_failed")
    report = judged(story)
    assert report.violations == []
    assert "by a person's decision" in report.table()


@pytest.mark.rule("ORD-8")
def test_a_late_truth_after_the_end_is_believed() -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    story.draw("o1", "S1")
    story.present("o1", "S1", "armed", "acting", "failed", item="unknown")
    story.order("o1", "failed", reason="card_jam")
    story.line("show", "card_taken", serial="S1")
    assert judged(story).kinds == {"taken_untold"}
    story.tell("order.corrected", order="o1", step="present", attempt="o1/present/1", state="failed", truth="taken")
    assert judged(story).violations == []


def test_several_devices_and_journals_are_judged_apart() -> None:
    one, two = Story(), Story(journal="j2", device="card-2")
    one.handed_over("o1", "S1")
    two.handed_over("o2", "S1")
    mixed = [event for pair in zip(one.events, two.events, strict=True) for event in pair]
    assert check(mixed, [one.ledger, two.ledger], submitted=["o1", "o2"]).violations == []
    assert {"missing_act", "stray_act"} & check(mixed, [one.ledger], submitted=["o1", "o2"]).kinds


def test_a_refused_order_is_not_lost_and_must_not_act() -> None:
    story = Story()
    refusal = {"data": {"instruction": "i9", "order": "o9", "status": "rejected", "journal": "j1", "after": 0}}
    assert judged(story, submitted=["o9"], replies=[refusal]).violations == []
    story.act("card_drawn", "S1")
    assert judged(story, submitted=["o9"], replies=[refusal]).kinds == {"stray_act"}


def test_many_orders_in_doubt_are_judged_quickly() -> None:
    story = Story()
    for number in range(400):
        order, serial = f"o{number}", f"S{number}"
        story.order(order, "accepted", "running")
        story.draw(order, serial, "armed", "acting", "in_doubt", acts=number % 2)
        story.order(order, "needs_attention")
    assert judged(story).violations == []


# -- each kind of lie --------------------------------------------------------------------------------------------------


def doubled_draw(story: Story) -> None:
    at = next(i for i, line in enumerate(story.ledger) if line["act"] == "card_drawn")
    story.ledger.insert(at + 1, copy.deepcopy(story.ledger[at]))
    story.ledger[at]["detail"]["serial"] = "S0"
    renumber(story)


def renumber(story: Story) -> None:
    for n, line in enumerate(story.ledger, start=1):
        line["n"] = n


def drop_line(story: Story, act: str) -> None:
    story.ledger.remove(next(line for line in story.ledger if line["act"] == act))
    renumber(story)


def present_without_attempt(story: Story) -> None:
    story.act("card_presented", "S1")


def other_card(story: Story) -> None:
    next(line for line in story.ledger if line["act"] == "card_presented")["detail"]["serial"] = "S9"


def told(story: Story, attempt: str, to: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        event["data"] for event in story.events if event["data"].get("attempt") == attempt and event["data"]["to"] == to
    )
    return found


LIES: dict[str, tuple[Callable[[Story], object], str]] = {
    "a card drawn twice": (doubled_draw, "stray_act"),
    "a card presented once more, by nobody": (present_without_attempt, "stray_act"),
    "done, but never drawn": (lambda s: drop_line(s, "card_drawn"), "missing_act"),
    "done, but never captured": (lambda s: drop_line(s, "card_captured"), "missing_act"),
    "no effect, but drawn": (lambda s: told(s, "o1/draw/1", "done").update(to="no_effect"), "act_denied"),
    "another customer's card": (other_card, "wrong_card"),
    "told another serial number": (lambda s: told(s, "o1/draw/1", "done").update(facts={"serial": "S7"}), "wrong_card"),
    "completed, but not taken": (lambda s: drop_line(s, "card_taken"), "not_taken"),
    "an event is missing": (lambda s: s.events.pop(5), "gap"),
    "the first event is missing": (lambda s: s.events.pop(0), "gap"),
    "events arrive in the wrong order": (lambda s: s.events.insert(3, s.events.pop(6)), "out_of_order"),
    "an event id that is not its seq": (lambda s: s.events[2].update(id="j1-99"), "event_id"),
    "a ledger line is missing": (lambda s: s.ledger.pop(2), "ledger_gap"),
    "a frame while it moved": (lambda s: s.line("show", "disturbed", by="status"), "disturbed"),
    "a reset that throws the card out": (lambda s: s.line("show", "reset", pm="30"), "moving_reset"),
    "an order without end": (lambda s: s.order("o4", "accepted"), "unfinished"),
    "an order after its end": (lambda s: s.order("o1", "running"), "order_move"),
    "a step after its end": (lambda s: s.step("o1", "draw", "draw_card", "armed", k=2), "step_move"),
    "an order that skips its state": (
        lambda s: s.tell("order.changed", order="o1", to="held", **{"from": "x"}),
        "order_jump",
    ),
    "a failure without a reason": (lambda s: [s.order("o4", "accepted"), s.order("o4", "failed")], "unexplained"),
    "waiting for nothing": (
        lambda s: [s.order("o4", "accepted"), s.order("o4", "waiting", waiting_for=None), s.order("o4", "cancelled")],
        "order_move",
    ),
    "an act that cannot be counted": (lambda s: told(s, "o1/draw/1", "armed").update(act="open_vault"), "unknown_act"),
    "a correction of an open order": (
        lambda s: [s.order("o4", "accepted"), s.tell("order.corrected", order="o4", state="accepted", truth="done")],
        "corrected_open",
    ),
}


@pytest.mark.rule("ORD-9")
@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_named(lie: str) -> None:
    story = happy()
    tell, kind = LIES[lie]
    tell(story)
    report = judged(story)
    assert kind in report.kinds, report.table()
    assert not report.ok
    assert "verdict: ok" not in report.table()


@pytest.mark.rule("INS-9")
def test_a_lost_order_is_named() -> None:
    report = judged(happy(), submitted=["o1", "o2", "o3", "o4"])
    assert report.kinds == {"lost"}
    assert "o4" in report.table()


def test_an_order_that_nobody_asked_for_is_named() -> None:
    assert judged(happy(), submitted=["o1", "o2"]).kinds == {"unasked"}


def test_a_doubled_draw_is_not_hidden_by_the_attempt_in_doubt_after_it() -> None:
    story = Story()
    story.handed_over("o1", "S1")
    doubled_draw(story)
    story.order("o2", "accepted", "running")
    story.draw("o2", "", "armed", "acting", "in_doubt", acts=0)
    story.order("o2", "needs_attention")
    assert judged(story).violations, "an act before an attempt's own acts can't be given to a later attempt"


def test_a_second_presentation_is_named_even_when_each_attempt_owns_up() -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    story.draw("o1", "S1")
    story.present("o1", "S1", "armed", "acting", "in_doubt")
    story.step("o1", "present", "present_card", "no_effect", by=["/people/li", "/people/wang"])
    story.present("o1", "S1", k=2)
    story.taken("o1", "S1")
    assert judged(story).kinds == {"twice"}


def test_three_armings_of_one_step_are_named() -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    for k in (1, 2, 3):
        story.draw("o1", "", "armed", "acting", "no_effect", acts=0, k=k)
    story.order("o1", "failed", reason="stacker")
    assert judged(story).kinds == {"armed_again"}


def test_arming_again_after_doubt_without_evidence_is_named() -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    story.draw("o1", "", "armed", "acting", "in_doubt", acts=0)
    story.draw("o1", "S1", "armed", "acting", "done", k=2)
    story.present("o1", "S1")
    story.taken("o1", "S1")
    assert judged(story).kinds == {"step_move"}


def test_an_attempt_id_used_twice_is_named() -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    story.draw("o1", "", "armed", "acting", "no_effect", acts=0)
    story.draw("o1", "S1", k=1)
    story.present("o1", "S1")
    story.taken("o1", "S1")
    assert "attempt_id" in judged(story).kinds


def test_a_card_forgotten_in_the_machine_is_named() -> None:
    story = Story()
    story.order("o1", "accepted", "running")
    story.draw("o1", "S1")
    story.order("o1", "cancelling", "cancelled")
    assert judged(story).kinds == {"forgotten"}


def test_a_card_taken_that_the_order_denies_is_named() -> None:
    story = Story()
    story.taken_back("o1", "S1")
    drop_line(story, "card_captured")
    told(story, "o1/draw.undo/1", "done").update(to="no_effect")
    story.line("show", "card_taken", serial="S1")
    assert judged(story).kinds == {"taken_untold"}


def test_completed_without_a_card_is_named() -> None:
    story = Story()
    story.order("o1", "accepted", "running", "completed")
    assert judged(story).kinds == {"completed_without"}


def test_a_settlement_of_an_attempt_that_was_never_armed_is_named() -> None:
    story = happy()
    told(story, "o1/draw/1", "done")["attempt"] = "o1/draw/7"
    assert "attempt_id" in judged(story).kinds


@pytest.mark.rule("ENV-2")
def test_one_seq_with_two_contents_is_named() -> None:
    story = happy()
    forged = copy.deepcopy(story.events[4])
    forged["data"]["reason"] = "other"
    assert check([*story.events, forged], [story.ledger]).kinds == {"event_changed"}


@pytest.mark.rule("INS-3")
def test_an_answer_that_changes_is_named() -> None:
    yes = {"data": {"instruction": "i1", "order": "o1", "status": "accepted", "journal": "j1", "after": 1}}
    no = {"data": {**yes["data"], "status": "rejected", "code": "expired", "repeat": True}}
    conflict = {"data": {**yes["data"], "status": "rejected", "code": "conflict"}}
    assert (
        judged(happy(), replies=[yes, {"data": {**yes["data"], "repeat": True, "after": 9}}, conflict]).violations == []
    )
    assert judged(happy(), replies=[yes, no]).kinds == {"reply_changed"}


def test_a_lost_tail_is_noticed_by_what_a_reply_says() -> None:
    story = happy()
    reply = {"data": {"instruction": "i1", "status": "accepted", "journal": "j1", "after": len(story.events) + 1}}
    assert judged(story, replies=[reply]).kinds == {"lost_tail"}


def test_what_a_scenario_does_on_purpose_is_tolerated_and_noted() -> None:
    story = happy()
    story.line("show", "disturbed", by="status")
    report = judged(story, tolerate=["disturbed"])
    assert report.ok
    assert "tolerated disturbed" in report.table()


def test_refetched_events_need_not_ascend() -> None:
    story = happy()
    story.events.append(story.events.pop(4))
    assert judged(story, in_order=False).ok


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_single_change_of_the_ledger_goes_unseen(data: st.DataObject) -> None:
    """Whichever act is removed, doubled or renamed in an honest day: some violation is found."""
    story = happy()
    acts = [i for i, line in enumerate(story.ledger) if line["kind"] == "act"]
    index = data.draw(st.sampled_from(acts))
    match data.draw(st.sampled_from(["remove", "double", "rename", "swap"])):
        case "remove":
            del story.ledger[index]
        case "double":
            story.ledger.insert(data.draw(st.sampled_from(acts)), copy.deepcopy(story.ledger[index]))
        case "rename":
            names = {"card_drawn", "card_presented", "card_captured"} - {story.ledger[index]["act"]}
            story.ledger[index]["act"] = data.draw(st.sampled_from(sorted(names)))
        case _:
            other = data.draw(st.sampled_from([i for i in acts if story.ledger[i] != story.ledger[index]]))
            story.ledger[index], story.ledger[other] = story.ledger[other], story.ledger[index]
    renumber(story)
    assert not judged(story).ok


@settings(max_examples=50, deadline=None)
@given(st.integers(min_value=0))
def test_repeats_in_any_place_change_nothing(seed: int) -> None:
    dice, story = random.Random(seed), happy()
    received: list[dict[str, Any]] = []
    for number, event in enumerate(story.events):
        received.append(event)
        received += dice.sample(story.events[: number + 1], dice.randint(0, 2) if number > 2 else 0)
    report = check(received, [story.ledger])
    assert report.violations == []
    assert report.repeats == len(received) - len(story.events)


# -- as a program ------------------------------------------------------------------------------------------------------


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def arguments(story: Story, folder: Path) -> list[str]:
    events, ledger = write(folder / "events.jsonl", story.events), write(folder / "ledger.jsonl", story.ledger)
    return ["--events", str(events), "--ledger", str(ledger)]


def test_as_a_program_it_says_ok_and_needs_nothing_but_python(tmp_path: Path) -> None:
    submitted = tmp_path / "submitted"
    submitted.write_text("o1\no2\no3\n", encoding="utf-8")
    # -I -S: no site-packages and no checkout on the path, so nothing of the product can be imported
    command = [sys.executable, "-I", "-S", str(CHECKER), *arguments(happy(), tmp_path), "--submitted", str(submitted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "o2/draw.undo/1" in done.stdout
    assert done.stdout.rstrip().endswith("verdict: ok")


def test_as_a_program_it_exits_1_and_names_the_violation(tmp_path: Path) -> None:
    story = happy()
    doubled_draw(story)
    said: list[str] = []
    assert checker.main(arguments(story, tmp_path), said.append) == 1
    assert "VIOLATION stray_act: ledger #1: card_drawn S0 on card-1 belongs to no attempt" in said[0]


def test_as_a_program_it_exits_2_on_what_it_cannot_read(tmp_path: Path) -> None:
    given_arguments = arguments(happy(), tmp_path)
    Path(given_arguments[1]).write_text("{}\nnot json\n", encoding="utf-8")
    said: list[str] = []
    assert checker.main(given_arguments, said.append) == 2
    assert "events.jsonl:2" in said[0]


def test_what_a_screen_shows_is_counted_by_nobody_and_an_act_of_a_screen_belongs_to_no_attempt() -> None:
    story = Story(device="screen-3")
    story.order("o-1", "accepted", "running")
    story.step("o-1", "window", "show_call", "armed", "acting", "in_doubt", "done", facts={"evidence": "sent"})
    story.line("show", "shown", lines=["A001 3"])
    story.order("o-1", "completed")
    assert check(story.events, [story.ledger]).violations == []
    story.act("card_drawn", "S0")
    assert check(story.events, [story.ledger]).kinds == {"stray_act"}


@pytest.mark.parametrize(("instead", "kinds"), [("away", set()), ("forgotten", {"partly_untold"})])
def test_a_call_that_went_on_without_a_screen_says_what_stands_for_it(instead: str, kinds: set[str]) -> None:
    story = Story(device="hall")
    story.order("o-1", "accepted", "running")
    story.step("o-1", "window", "show_call", "skipped")
    story.step("o-1", "hall", "show_call", "armed", "acting", "done", facts={"evidence": "sent"})
    left_out = [{"step": "window", "instead": instead}]
    story.order("o-1", "partly_completed", reason="screen_silent", facts={"left_out": left_out})
    assert check(story.events, [story.ledger]).kinds == kinds
