from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.banknotes.batch import FLAWS_MAX, Batch, Counted
from device_drivers.banknotes.checking import Tally
from device_drivers.banknotes.note import Fitness, Note


def note(number: int = 1, value: int = 100, **more: Any) -> Note:
    fitness = more.pop("fitness", Fitness.FIT)
    return Note(value, more.pop("currency", "CNY"), fitness, more.pop("serial", f"AB{number:08d}"), number=number)


def counted(*notes: Note, numbered: bool = False, most: int = 1000) -> Counted:
    batch = Batch(most, numbered)
    for one in notes:
        batch.add(one)
    return batch.end()


def test_a_batch_is_counted_by_denomination() -> None:
    notes = [note(1), note(2), note(3, 50), note(4, 50, fitness=Fitness.SUSPECT), note(5, 20, fitness=Fitness.UNFIT)]
    notes.append(note(6, 0, fitness=Fitness.UNRECOGNIZED, serial=""))
    facts = counted(*notes, numbered=True).facts()
    assert facts == {
        "count": 6,
        "sum": 270,  # the suspect one is no money
        "currency": "CNY",
        "denominations": {
            "0": {"unrecognized": 1},
            "20": {"unfit": 1},
            "50": {"fit": 1, "suspect": 1},
            "100": {"fit": 2},
        },
        "cash": {"fit": 3, "unfit": 1, "suspect": 1, "unrecognized": 1},
        "serials_unread": 1,
        "whole": True,
    }


def test_facts_have_no_serial_number_and_numbers_have() -> None:
    one = counted(note(1, serial="QZ77777777"))
    assert "QZ77777777" not in str(one.facts()) + repr(one)
    assert one.numbers() == [{"serial": "QZ77777777", "value": 100, "cash": "fit"}]


@pytest.mark.parametrize(
    ("numbers", "flaws"),
    [
        ([1, 2, 3], []),
        ([1, 3], [{"flaw": "note_missed", "expected": 2, "number": 3}]),
        ([1, 2, 2], [{"flaw": "note_missed", "expected": 3, "number": 2}]),
        ([4, 5], [{"flaw": "not_from_the_start", "number": 4}]),
        ([0, 0], [{"flaw": "not_from_the_start", "number": 0}, {"flaw": "note_missed", "expected": 1, "number": 0}]),
    ],
)
def test_a_gap_in_the_numbers_makes_it_void(numbers: list[int], flaws: list[dict[str, Any]]) -> None:
    assert list(counted(*map(note, numbers), numbered=True).flaws) == flaws
    assert counted(*map(note, numbers)).whole  # a counter that does not number its notes


def test_bounds_and_mixed_currencies() -> None:
    many = counted(*(note(n) for n in range(1, 9)), most=5)
    assert (len(many.notes), many.flaws[0]) == (5, {"flaw": "too_many_notes", "most": 5})
    mixed = counted(note(1), note(2, currency="USD"))
    assert mixed.flaws == ({"flaw": "currencies_mixed", "currencies": ["CNY", "USD"]},)
    assert counted(note(1, 0, currency="", fitness=Fitness.UNRECOGNIZED), note(2)).whole
    batch = Batch(1, numbered=False)
    for _ in range(100):
        batch.spoil("noise", bytes=1)
    assert len(batch.end().flaws) == FLAWS_MAX


def test_a_note_numbered_one_begins_another_batch() -> None:
    batch = Batch(1000, numbered=True)
    assert not batch.begins_anew(note(1))
    batch.add(note(1))
    assert batch.begins_anew(note(1))
    assert not batch.begins_anew(note(2))
    assert not Batch(1000, numbered=False).begins_anew(note(1))


# -- what an order expects ---------------------------------------------------------------------------------------------


def bundle(first: int, count: int = 5, value: int = 100, **more: Any) -> Counted:
    return counted(*(note(n, value, **more) for n in range(first, first + count)))


def test_the_sum_of_the_bundles_is_the_amount() -> None:
    tally = Tally(1000, "CNY", 2)
    assert (*tally.take("b-1", bundle(1)), tally.complete) == ("", {}, False)
    assert (*tally.take("b-2", bundle(11)), tally.complete) == ("", {}, True)
    assert tally.facts() == {"expected": 1000, "sum": 1000, "currency": "CNY", "batches": ["b-1", "b-2"], "count": 10}


@pytest.mark.parametrize("count", [4, 6])
def test_another_sum_is_refused_with_facts_and_counted_anew(count: int) -> None:
    tally = Tally(500, "CNY", 1)
    total = count * 100
    assert tally.take("b-1", bundle(1, count)) == (
        "notes_sum_differs",
        {"expected": 500, "sum": total, "batches": ["b-1"]},
    )
    again = tally.take("b-2", bundle(1))  # the same notes are no double: nothing of before counts
    assert (again, tally.complete) == (("", {}), True)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"fitness": Fitness.SUSPECT}, "notes_suspect"),
        ({"fitness": Fitness.UNFIT}, "notes_unfit"),
        ({"fitness": Fitness.UNRECOGNIZED, "value": 0}, "notes_unrecognized"),
        ({"currency": "USD"}, "notes_currency"),
    ],
)
def test_what_is_not_paid_out_is_refused(wrong: dict[str, Any], reason: str) -> None:
    tally = Tally(500, "CNY", 1)
    assert tally.take("b-1", bundle(1, **wrong))[0] == reason
    assert tally.take("b-2", bundle(1)) == ("", {})


def test_a_void_batch_and_an_empty_one() -> None:
    tally = Tally(500, "CNY", 1)
    assert tally.take("b-1", counted(note(3), numbered=True))[0] == "notes_void"
    assert tally.take("b-2", counted())[0] == "notes_currency"


def test_the_same_bundle_put_in_again_is_no_second_bundle() -> None:
    tally = Tally(1000, "CNY", 2)
    assert tally.take("b-1", bundle(1)) == ("", {})
    assert tally.take("b-2", bundle(3)) == ("note_counted_twice", {"count": 3})
    assert tally.take("b-3", bundle(6)) == ("", {})
    assert tally.complete
    assert Tally(200, "CNY", 1).take("b", counted(note(1), note(1)))[0] == "note_counted_twice"


@given(st.lists(st.lists(st.sampled_from([1, 5, 10, 20, 50, 100]), max_size=6), min_size=1, max_size=4))
def test_only_the_whole_amount_completes(bundles: list[list[int]]) -> None:
    number = iter(range(1, 100))
    made = [counted(*(note(next(number), value) for value in values)) for values in bundles]
    expected = sum(map(sum, bundles))
    tally = Tally(expected, "CNY", len(made))
    taken = [tally.take(f"b-{i}", one)[0] for i, one in enumerate(made)]
    if all(bundles):
        assert tally.complete
        assert taken == [""] * len(made)
    else:
        assert not tally.complete  # nothing was in one of them
    wrong = Tally(expected + 1, "CNY", len(made))
    for i, one in enumerate(made):
        wrong.take(f"b-{i}", one)
        assert not wrong.complete
