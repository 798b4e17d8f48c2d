"""Why an instruction is refused is told in both languages from code and facts: every case has words and its facts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_bridge import rejection
from cloud_bridge.messages.words import Code
from edge_agent.findings import Saying
from edge_agent.orders.codes import _WHY_NOT
from edge_agent.orders.desk import Rejected
from edge_agent.texts import Texts, load

ROOT = Path(__file__).parents[3]
ZH, EN = Texts("zh"), Texts("en")
IN_A_LIST = {"one_left_out"}  # part of another's sentence


def _refusals() -> Iterator[tuple[str, str, set[str]]]:
    """(place, reason, facts) of every refusal in the sources."""
    for path in sorted((ROOT / "edge_agent").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _of(function, path)


def _of(function: ast.AST, path: Path) -> Iterator[tuple[str, str, set[str]]]:
    known = {
        str(getattr(key, "value", ""))
        for node in ast.walk(function)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and "facts" in ast.unparse(node).split("=")[0]
        for part in ast.walk(node)
        if isinstance(part, ast.Dict)
        for key in part.keys
    }
    for call in ast.walk(function):
        place = {"Rejected": 1, "DoesNotFit": 0}.get(ast.unparse(call.func)) if isinstance(call, ast.Call) else None
        if place is None:
            continue
        assert isinstance(call, ast.Call)
        facts = {one.arg for one in call.keywords if one.arg} | (
            known if any(one.arg is None for one in call.keywords) else set()
        )
        for reason in ast.walk(call.args[place]):
            if isinstance(reason, ast.Constant) and isinstance(reason.value, str):
                yield f"{path.name}:{call.lineno}", reason.value, facts


REFUSALS = list(_refusals())
INDIRECT = {  # reasons that stand in a table or a variable
    *(reason for _, reason in _WHY_NOT.values()),
    *("role_missing", "role_missing_at", "role_lacks_acts", "role_lacks_acts_at"),
    *("repeat_needs_two", "choice_needs_two"),
}


def test_the_scan_sees_what_it_should() -> None:
    assert {"no_scene", "order_ended", "parameter_misfit", "no_cell"} <= {reason for _, reason, _ in REFUSALS}
    assert len(REFUSALS) > 50


@pytest.mark.parametrize(("place", "reason", "facts"), REFUSALS)
def test_every_refusal_has_words_and_brings_their_facts(place: str, reason: str, facts: set[str]) -> None:
    assert set(re.findall(r"{(\w+)}", load("en")[f"rejection.{reason}"])) <= facts


def test_no_words_are_kept_that_nothing_says() -> None:
    kept = {key.removeprefix("rejection.") for key in load("en") if key.startswith("rejection.")}
    assert kept - IN_A_LIST == {reason for _, reason, _ in REFUSALS} | INDIRECT


def _told(reason: str, **facts: Any) -> tuple[str, str, str]:
    reply = Rejected(Code.INVALID, reason, **facts).members()
    return rejection.told(EN, reply), rejection.told(ZH, reply), reply["message"]


def test_each_reader_has_it_in_their_own_language() -> None:
    en, zh, message = _told("no_scene", scene="x", known=["a", "b"])
    assert en == message == "no scene 'x' here; this branch has: a, b"
    assert zh == "本网点没有场景“x”；现有：a, b"


def test_a_fact_that_is_a_word_of_the_contract_is_told_in_words() -> None:
    en, zh, _ = _told("order_ended", order="o", order_state="partly_completed")
    assert (en, zh) == (
        "order o ended as partly completed: nothing can change it",
        "订单 o 已结束（部分完成），不能再更改",
    )
    assert _told("choice_misfit", choice="again", step_state="in_doubt", choices=[])[1].endswith("无")


def test_what_is_wrong_with_a_value_is_told_too() -> None:
    why = Saying("no_such_choice", {"choices": ("'a'", "'b'", "'c'")}).as_fact()
    en, zh, _ = _told("parameter_misfit", parameter="size", why=why)
    assert en == "parameter size: must be 'a', 'b' or 'c': write one of these"
    assert zh.startswith("参数 size：必须是 'a', 'b' 或 'c'")
    assert "1000000" in _told("parameter_misfit", parameter="n", why=Saying("too_large", {"bound": 1e6}).as_fact())[1]


@pytest.mark.parametrize(
    "reply",
    [
        {"code": "invalid", "message": "an older branch's own sentence"},
        {"code": "invalid", "reason": "of_a_newer_branch", "facts": {}, "message": "an older branch's own sentence"},
        {"code": "invalid", "reason": "no_scene", "facts": {}, "message": "an older branch's own sentence"},
        {"code": "invalid", "reason": "no_scene", "facts": "?", "message": "an older branch's own sentence"},
        {"reason": "parameter_misfit", "facts": {"parameter": "a", "why": {"finding": "of_a_newer_branch"}}}
        | {"message": "an older branch's own sentence"},
    ],
)
def test_what_cannot_be_worded_leaves_the_sentence_that_the_branch_wrote(reply: dict[str, Any]) -> None:
    assert rejection.told(ZH, reply) == "an older branch's own sentence"
