"""The demo's people say what eyes can see at the machine, and choose only what they are offered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from central_scheduler.demo import staff
from central_scheduler.demo.house import House
from central_scheduler.demo.machines import RECEIPT
from central_scheduler.demo.staff import Staff
from central_scheduler.orderbook import OrderView, Question, StepView
from cloud_bridge.messages.words import Choice

ALL = tuple(choice.value for choice in Choice)
ATTEMPT = "demo-07/receipt/1"


class StillHouse:
    """A house whose card machine says where its card is, and whose printer's ledger lies in `folder`."""

    def __init__(self, folder: Path, *states: dict[str, Any]) -> None:
        self.folder = folder
        self._states = list(states)

    async def machine(self, do: str, **_: object) -> dict[str, Any]:
        assert do == "state"
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]


async def _look(house: StillHouse, act: str, choices: tuple[str, ...] = ALL) -> Choice | None:
    order = OrderView("demo-07", steps={"s": StepView("s", act=act)})
    return await Staff(cast("House", house)).look(order, Question("s", ATTEMPT, choices))


@pytest.mark.parametrize(
    ("act", "place", "seen"),
    [
        ("draw_card", None, Choice.NO_EFFECT),
        ("draw_card", "ic", Choice.DONE),
        ("present_card", "ic", Choice.NO_EFFECT),
        ("present_card", "gate", Choice.DONE),
        ("present_card", None, Choice.DONE),
        ("draw_card", "path", Choice.BY_HAND),  # between two places: nobody can say it was drawn
        ("capture_card", None, Choice.BY_HAND),
    ],
)
async def test_where_the_card_is_tells_what_became_of_the_act(
    tmp_path: Path, act: str, place: str | None, seen: Choice
) -> None:
    assert await _look(StillHouse(tmp_path, {"moving": None, "place": place}), act) is seen


async def test_people_wait_until_the_card_is_at_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff, "BETWEEN_S", 0)
    house = StillHouse(tmp_path, {"moving": "32 39", "place": "ic"}, {"moving": None, "place": "gate"})
    assert await _look(house, "present_card") is Choice.DONE


@pytest.mark.parametrize(
    ("detail", "seen"),
    [
        ({"attempts": [ATTEMPT], "void": False}, Choice.DONE),
        ({"attempts": [ATTEMPT], "void": True}, Choice.BY_HAND),
        ({"attempts": ["demo-06/receipt/1"], "void": False}, Choice.BY_HAND),
    ],
)
async def test_a_receipt_is_done_when_a_sheet_with_its_number_came_out(
    tmp_path: Path, detail: dict[str, Any], seen: Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff, "BETWEEN_S", 0)
    lines = [json.dumps({"act": "paper_end", "detail": {}}), json.dumps({"act": "sheet_out", "detail": detail}), '{"to']
    RECEIPT.ledger(tmp_path).write_text("\n".join(lines), encoding="utf-8")
    assert await _look(StillHouse(tmp_path), "print_receipt") is seen


async def test_nothing_is_chosen_that_is_not_offered(tmp_path: Path) -> None:
    house = StillHouse(tmp_path, {"moving": None, "place": None})
    assert await _look(house, "draw_card", ("failed",)) is Choice.FAILED
    assert await _look(house, "draw_card", ("capture",)) is None
