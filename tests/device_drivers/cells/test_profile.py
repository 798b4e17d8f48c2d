"""What a cabinet's settings refuse: whatever would open more than one cell, or ask one contact two things."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from device_drivers.cells.profile import CellsProfile
from tests.device_drivers.cells.bench import profile_of


def cell(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"{number:02d}", "lock": {"board": 1, "lock": number}, **more}


RELAY = {"unit": 1, "channel": 0}
BAD: list[tuple[dict[str, Any], str]] = [
    (cell(1, lock={"board": 1, "lock": 0}), "greater_than_equal"),
    (cell(1, lock={"board": 0, "lock": 1}), "greater_than_equal"),
    (cell(1, lock={"board": 33, "lock": 1}), "less_than_equal"),
    (cell(1, lock={"unit": 0, "channel": 0}), "greater_than_equal"),
    (cell(1, lock={"unit": 255, "channel": 0}), "less_than_equal"),
    (cell(1, lock={"unit": 1, "channel": 0xFF}), "less_than_equal"),
    (cell(1, lock={"board": 1}), "cell_place"),
    (cell(1, lock={"board": 1, "lock": 1, "unit": 1, "channel": 1}), "cell_place"),
    (cell(1, lock=RELAY), "cell_door"),
    (cell(1, item={"board": 1, "lock": 1}), "cell_contact_twice"),
    (cell(1, item={"board": 1, "lock": 2}), "cell_contact_twice"),
    (cell(2), "cell_id_twice"),
    ({**cell(3), "lock": {"board": 1, "lock": 2}}, "cell_lock_twice"),
    ({**cell(1), "id": "a b"}, "string_pattern_mismatch"),
]


@pytest.mark.rule("PHY-3")
@pytest.mark.parametrize(("bad", "kind"), BAD)
def test_a_cell_that_cannot_be_is_refused(bad: dict[str, Any], kind: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CellsProfile.model_validate({"locked_feedback": "00", "cell": [bad, cell(2)]})
    assert kind in {error["type"] for error in refused.value.errors()}


def test_lock_boards_need_their_feedback_said() -> None:
    with pytest.raises(ValidationError, match="locked_feedback"):
        CellsProfile.model_validate({"cell": [cell(1)]})


def test_a_line_of_modules_is_a_byte_line() -> None:
    with pytest.raises(ValidationError, match="serial://"):
        CellsProfile.model_validate(profile_of(modules="ipp://192.0.2.1/ipp"))


def test_silence_owed_is_longer_behind_a_serial_server() -> None:
    profile = CellsProfile.model_validate(profile_of(act_max_s=2.0, drain_s=3.0))
    assert (profile.settle_s(is_tcp=False), profile.settle_s(is_tcp=True)) == (2.0, 5.0)
