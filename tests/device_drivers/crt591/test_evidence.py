"""The evidence table, walked whole: every row by name, and every other combination goes to a person."""

from __future__ import annotations

import itertools

import pytest

from device_drivers.crt591.evidence import (
    AWAIT_TAKEN,
    CABINET_OPENED,
    CAPTURE,
    DRAW,
    MOVED_BY_HAND,
    POWER_LOST,
    PRESENT,
    Readings,
    judge,
    judge_error,
)
from device_drivers.device import Arming, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused

DONE, NO_EFFECT, FAILED, UNKNOWN = Outcome.DONE, Outcome.NO_EFFECT, Outcome.FAILED, Outcome.UNKNOWN
STOCK, TRANSPORT, MOUTH = Whereabouts.STOCK, Whereabouts.TRANSPORT, Whereabouts.MOUTH
BIN, CUSTOMER, NOWHERE = Whereabouts.BIN, Whereabouts.CUSTOMER, Whereabouts.UNKNOWN
B = 7

# act, st0 before, st0 after, counter gained, notes -> outcome, item, what the facts say
ROWS = [
    (DRAW, 0, 2, 0, (), DONE, TRANSPORT, {}),
    (DRAW, 0, 2, 0, (POWER_LOST,), DONE, TRANSPORT, {}),
    (DRAW, 0, 2, 0, (CABINET_OPENED,), DONE, TRANSPORT, {}),
    (DRAW, 0, 2, 0, (MOVED_BY_HAND,), DONE, TRANSPORT, {}),
    (DRAW, 0, 0, 0, (), NO_EFFECT, STOCK, {}),
    (DRAW, 0, 0, 0, ("paper_low",), NO_EFFECT, STOCK, {}),
    (DRAW, 0, 0, 0, (POWER_LOST,), UNKNOWN, NOWHERE, {}),
    (DRAW, 0, 0, 0, (CABINET_OPENED,), UNKNOWN, NOWHERE, {}),
    (DRAW, 0, 0, 0, (MOVED_BY_HAND,), UNKNOWN, NOWHERE, {}),
    (DRAW, 0, 0, 1, (), FAILED, BIN, {"retained": True}),
    (DRAW, 0, 1, 0, (), UNKNOWN, MOUTH, {}),
    (PRESENT, 2, 2, 0, (), NO_EFFECT, TRANSPORT, {}),
    (PRESENT, 2, 2, 0, (POWER_LOST,), NO_EFFECT, TRANSPORT, {}),
    (PRESENT, 2, 1, 0, (), DONE, MOUTH, {"presented": True}),
    (PRESENT, 2, 1, 0, (POWER_LOST,), DONE, MOUTH, {"presented": True}),
    (PRESENT, 2, 0, 0, (), DONE, CUSTOMER, {"taken": "inferred"}),
    (PRESENT, 2, 0, 0, (POWER_LOST,), DONE, CUSTOMER, {"taken": "inferred"}),
    (PRESENT, 2, 0, 0, (MOVED_BY_HAND,), UNKNOWN, NOWHERE, {}),
    (PRESENT, 2, 0, 0, (CABINET_OPENED, POWER_LOST), UNKNOWN, NOWHERE, {}),
    (PRESENT, 2, 0, 1, (), DONE, BIN, {"retained": True}),
    (CAPTURE, 1, 0, 1, (), DONE, BIN, {"retained": True}),
    (CAPTURE, 2, 0, 1, (), DONE, BIN, {"retained": True}),
    (CAPTURE, 1, 0, 1, (POWER_LOST,), DONE, BIN, {"retained": True}),
    (CAPTURE, 1, 0, 0, (), DONE, CUSTOMER, {"taken": "inferred"}),
    (CAPTURE, 1, 0, 0, (POWER_LOST,), UNKNOWN, NOWHERE, {}),
    (CAPTURE, 2, 0, 0, (), UNKNOWN, NOWHERE, {}),
    (CAPTURE, 1, 1, 0, (), NO_EFFECT, MOUTH, {}),
    (CAPTURE, 1, 2, 0, (), NO_EFFECT, TRANSPORT, {}),
    (CAPTURE, 2, 1, 0, (), NO_EFFECT, MOUTH, {}),
    (CAPTURE, 2, 2, 0, (), NO_EFFECT, TRANSPORT, {}),
    (AWAIT_TAKEN, 1, 1, 0, (), NO_EFFECT, MOUTH, {}),
    (AWAIT_TAKEN, 1, 0, 0, (), DONE, CUSTOMER, {"taken": "inferred"}),
    (AWAIT_TAKEN, 1, 0, 0, (POWER_LOST,), DONE, CUSTOMER, {"taken": "inferred"}),
    (AWAIT_TAKEN, 1, 0, 0, (MOVED_BY_HAND,), UNKNOWN, NOWHERE, {}),
    (AWAIT_TAKEN, 1, 0, 1, (), FAILED, BIN, {"retained": True}),
    (AWAIT_TAKEN, 1, 2, 0, (), UNKNOWN, TRANSPORT, {}),
]


def verdict(act: str, before: int, after: int, gained: int, notes: tuple[str, ...] = ()) -> Verdict:
    return judge(act, Readings(before, 2, 0, B), Readings(after, 1, 0, B + gained), notes)


@pytest.mark.rule("PHY-8")
@pytest.mark.parametrize(("act", "before", "after", "gained", "notes", "outcome", "item", "facts"), ROWS)
def test_each_row(
    act: str,
    before: int,
    after: int,
    gained: int,
    notes: tuple[str, ...],
    outcome: Outcome,
    item: Whereabouts,
    facts: dict[str, object],
) -> None:
    seen = verdict(act, before, after, gained, notes)
    readings = {"st0": after, "st1": 1, "st2": 0, "bin": B + gained}
    assert (seen.outcome, seen.item) == (outcome, item)
    assert seen.facts == {**facts, "readings": readings}


@pytest.mark.rule("PHY-7")
def test_what_no_row_covers_is_unknown_and_every_unknown_shuts_the_lane() -> None:
    rows = {row[:4] for row in ROWS if not row[4]}
    acts, notes = (DRAW, PRESENT, CAPTURE, AWAIT_TAKEN), ((), (POWER_LOST,), (MOVED_BY_HAND,), (CABINET_OPENED,))
    for act, before, after, gained, noted in itertools.product(acts, range(3), range(3), range(-2, 4), notes):
        seen = verdict(act, before, after, gained, noted)
        assert seen.lane_shut == (seen.outcome is UNKNOWN)
        if gained not in (0, 1) or (gained == 1 and after):
            assert seen.outcome is UNKNOWN, (act, before, after, gained)
        if seen.outcome is NO_EFFECT:
            assert gained == 0
            assert (act, before, after, gained) in rows or before not in {row[1] for row in ROWS if row[0] == act}


@pytest.mark.parametrize("code", ["10", "12", "43", "42", "51"])
def test_a_draw_that_ends_in_these_errors_left_the_card_in_the_transport(code: str) -> None:
    seen = judge_error(DRAW, code)
    assert seen is not None
    assert (seen.outcome, seen.item, seen.lane_shut) == (FAILED, TRANSPORT, True)


@pytest.mark.parametrize("act", [PRESENT, CAPTURE, AWAIT_TAKEN])
@pytest.mark.parametrize("code", ["10", "12", "13", "14", "41", "43", "51"])
def test_a_stuck_card_in_any_other_act_is_for_a_person(act: str, code: str) -> None:
    seen = judge_error(act, code)
    assert seen is not None
    assert (seen.outcome, seen.item, seen.lane_shut) == (UNKNOWN, TRANSPORT, True)


@pytest.mark.parametrize("act", [DRAW, PRESENT, CAPTURE])
@pytest.mark.parametrize("code", ["00", "02", "16", "40", "45", "50", "A0", "A1", "B0", "ZZ"])
def test_a_refusal_is_settled_by_readings(act: str, code: str) -> None:
    assert judge_error(act, code) is None


@pytest.mark.parametrize(
    "readings", [{}, {"st0": 0, "st1": 2, "st2": 0}, {"st0": True, "st1": 2, "st2": 0, "bin": 1}, {"st0": "0"}]
)
def test_a_foreign_arming_is_refused(readings: dict[str, object]) -> None:
    with pytest.raises(DeviceRefused, match="invalid_arming"):
        Readings.of(Arming(readings))
