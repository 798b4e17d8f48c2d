"""The demo's own judgement: a lost, doubled, unexplained or surprising order is told, and is exit code 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from central_scheduler.console.screen import Screen
from central_scheduler.demo import verdict
from central_scheduler.demo.day import Day
from central_scheduler.demo.house import House
from central_scheduler.demo.plan import Errand
from cloud_bridge.client import Scheduler
from cloud_bridge.messages.reports import OrderChanged, Reply
from cloud_bridge.messages.words import Code
from edge_agent.texts import Texts

WORDS = Texts("en")


def day_of(*told: tuple[str, str], expected: tuple[str, ...] = ("completed",)) -> Day:
    day = Day(cast("House", None), cast("Scheduler", None), WORDS, 1)
    for seq, (order, state) in enumerate(told, start=1):
        day.errands[order] = Errand(order, "plan_plain", expected)
        words = {"journal": "j", "seq": seq, "order": order, "scene": "collect_card", "to": state}
        day.book.take(OrderChanged.model_validate(words))
    return day


def judged(monkeypatch: pytest.MonkeyPatch, report: dict[str, Any] | None) -> None:
    async def checker(*_: object) -> dict[str, Any] | None:
        return report

    monkeypatch.setattr(verdict, "_checker", checker)


GOOD = {
    "violations": [],
    "acts": {"card_drawn": 1, "sheet_out": 2, "void_slip": 1},
    "attempts": [{"order": "a", "acts": [{"act": "card_drawn"}]}],
}


@pytest.mark.parametrize(
    ("state", "report", "word"),
    [
        ("running", GOOD, "lost"),
        ("failed", GOOD, "expected completed"),
        (
            "completed",
            {"violations": [{"kind": "twice", "text": "order a"}], "attempts": [], "acts": {}},
            "twice: order a",
        ),
        ("completed", None, "not run"),
    ],
)
async def test_whatever_is_wrong_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, report: dict[str, Any] | None, word: str
) -> None:
    judged(monkeypatch, report)
    found = await verdict.judge(day_of(("a", state)), tmp_path, [tmp_path / "ledger"], Screen(WORDS))
    assert not found.good
    assert len(found.findings) == 1
    assert word in found.findings[0]


async def test_an_order_that_was_refused_or_never_told_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(monkeypatch, GOOD)
    day = day_of(("a", "completed"))
    day.errands["b"] = Errand("b", "plan_plain", ("completed",))
    day.errands["c"] = Errand("c", "plan_plain", ("completed",))
    day.refused["c"] = Reply(instruction="c", status="rejected", code=Code.OVERLOADED, journal="j", after=1)
    found = await verdict.judge(day, tmp_path, [tmp_path / "ledger"], Screen(WORDS))
    assert ["lost" in finding or "rejected" in finding for finding in found.findings] == [True, True]
    assert (tmp_path / "submitted.txt").read_text("utf-8").split() == ["a", "b", "c"]


async def test_a_good_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    judged(monkeypatch, GOOD)
    day = day_of(("a", "completed"))
    screen = Screen(WORDS)
    found = await verdict.judge(day, tmp_path, [tmp_path / "ledger"], screen)
    assert found.good
    verdict.tell(day, found, screen, 1.0)
    told = capsys.readouterr().out
    assert "1 orders, 1 acts, 1 events without a gap" in told
    assert "2 sheets, each with its number, and void slips: 1" in told
    verdict.tell(day, found, Screen(WORDS, as_json=True), 1.0)
    assert json.loads(capsys.readouterr().out)["ok"] is True


@pytest.mark.process
async def test_the_real_checker_is_asked(tmp_path: Path) -> None:
    """A card that left the machine and belongs to no order."""
    (tmp_path / "events.jsonl").touch()
    (tmp_path / "replies.jsonl").touch()
    act = {"n": 1, "t": 1.0, "device": "card-1", "kind": "act", "act": "card_presented", "detail": {"serial": "7"}}
    (tmp_path / "ledger.jsonl").write_text(json.dumps(act) + "\n", encoding="utf-8")
    found = await verdict.judge(day_of(), tmp_path, [tmp_path / "ledger.jsonl"], Screen(WORDS))
    assert found.judged
    assert not found.good
    assert found.findings
