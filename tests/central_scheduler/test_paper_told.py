"""How the console tells of sheets: what an order goes on without, who takes over, which attempt is asked about."""

from __future__ import annotations

from typing import Any

import pytest

from central_scheduler.console import lines
from central_scheduler.console.order_resolve import Decision, _attempt_in
from central_scheduler.console.problem import Problem
from cloud_bridge.messages.reports import OrderChanged
from cloud_bridge.messages.words import TWO_PEOPLE, Choice
from edge_agent.texts import Texts


def told(lang: str, **members: Any) -> str:
    event = OrderChanged.model_validate({"journal": "j", "seq": 1, "order": "o1", "scene": "s", **members})
    return lines.event(event, Texts(lang)).plain


@pytest.mark.rule("ORD-2")
def test_a_partly_completed_order_says_what_is_missing_and_what_stands_for_it() -> None:
    facts = {"left_out": [{"step": "receipt", "instead": "by_hand"}, {"step": "ticket", "instead": "skip"}]}
    members: dict[str, Any] = {"from": "running", "to": "partly_completed", "reason": "decided_by_hand", "facts": facts}
    assert told("en", **members).endswith("; without receipt: people do it by hand; without ticket: go on without it")
    assert told("zh", **members).endswith("; 不含步骤 receipt：由人手工完成; 不含步骤 ticket：略过，继续")


def test_an_order_says_what_it_was_accepted_without() -> None:
    left = [{"step": "receipt", "reason": "no_device_for_role"}, {"step": "slip", "reason": "not_wanted"}]
    line = told("en", to="accepted", facts={"left_out": left})
    assert "; without receipt: no device has this role; without slip: not wanted by this order" in line


def test_a_decision_says_which_device_takes_over() -> None:
    facts = {"decided": "again", "step": "receipt", "device": "receipt-2"}
    line = told(
        "en", **{"from": "needs_attention"}, to="running", reason="decided_again", facts=facts, by=["/people/li"]
    )
    assert "; on receipt-2 now" in line


def story(**facts: Any) -> dict[str, Any]:
    attempts = [{"attempt": f"o1/receipt/{k}", "step": "receipt"} for k in (9, 10)]
    return {"steps": [{"step": "receipt"}, {"step": "draw"}], "attempts": attempts, "history": [{"facts": facts}]}


def decision(step: str) -> Decision:
    return Decision("o1", step, Choice.AGAIN, ["li", "zhang"])


@pytest.mark.rule("ORD-6")
def test_the_attempt_that_was_asked_about_is_decided_also_one_that_was_never_armed() -> None:
    assert _attempt_in(story(), decision("receipt")) == "o1/receipt/10"
    asks = story(step="draw", attempt="o1/draw/0", choices=["again"])
    assert _attempt_in(asks, decision("draw")) == "o1/draw/0"
    assert _attempt_in(asks, decision("receipt")) == "o1/receipt/10"
    with pytest.raises(Problem):
        _attempt_in(story(), decision("draw"))


@pytest.mark.rule("ORD-6")
def test_what_repeats_an_act_needs_two() -> None:
    assert set(TWO_PEOPLE) == {Choice.DONE, Choice.NO_EFFECT, Choice.AGAIN, Choice.RELEASE}
    assert [c for c in Choice if c not in TWO_PEOPLE] == [Choice.FAILED, Choice.CAPTURE, Choice.BY_HAND, Choice.SKIP]


def test_a_scene_is_called_by_its_title_where_the_branch_tells_it() -> None:
    order = {"scene": "collect_card", "title": {"zh": "领卡", "en": "Collect a card"}}
    assert [lines.scene(order, Texts(lang)) for lang in ("zh", "en")] == ["领卡", "Collect a card"]
    for title in ({}, {"title": None}, {"title": "x"}, {"title": {"fr": "x"}}):
        assert lines.scene({"scene": "collect_card", **title}, Texts("zh")) == "collect_card"


def test_a_digest_is_told_by_its_beginning_and_media_only_where_there_are_any() -> None:
    digest = "ab12" * 16
    assert (
        lines.facts({"evidence": "processed", "sheet": digest, "n": 3})
        == f"evidence=processed, sheet={digest[:12]}…, n=3"
    )
    assert lines.facts({"sheet": digest.upper()}) == f"sheet={digest.upper()}"
    assert (lines.media("unknown", Texts("zh")), lines.media("jammed", Texts("zh"))) == ("", "堵塞")
