from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.people.counting import SLACK, Counter, Passed, can_pass, passed
from device_drivers.people.registers import MAPS, Map, join

TOP = 1 << 32


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (None, 7, Passed(None)),  # the first look counts nothing
        (7, 7, Passed(0)),
        (7, 12, Passed(5)),
        (TOP - 1, 0, Passed(1, "wrapped")),
        (TOP - 3, 6, Passed(9, "wrapped")),
        (5000, 0, Passed(0, "went_back")),
        (5000, 12, Passed(12, "went_back")),
        (5000, 4999, Passed(None, "went_back")),  # set to something by hand: nobody knows
        (0, 101, Passed(None, "jumped")),
        (0, 65536, Passed(None, "jumped")),  # the words are in the other order
        (TOP - 3, 98, Passed(98, "went_back")),  # a wrap would be 101: more than can have passed
    ],
)
def test_two_looks(before: int | None, now: int, found: Passed) -> None:
    assert passed(before, now, bits=32, most=100) == found


def test_a_narrow_counter_wraps_only_within_half_its_width() -> None:
    assert passed(65_530, 4, bits=16, most=1_000_000) == Passed(10, "wrapped")
    assert passed(20_000, 4, bits=16, most=1_000_000) == Passed(4, "went_back")


def test_a_preset_counter() -> None:
    assert passed(5000, 1003, bits=32, most=100, preset=1000) == Passed(3, "went_back")
    assert passed(5000, 3, bits=32, most=100, preset=1000) == Passed(None, "went_back")


def test_what_can_pass() -> None:
    assert can_pass(0, 5) == SLACK
    assert can_pass(10, 2.5) == 25 + SLACK


def test_a_total_goes_on_over_everything() -> None:
    counter = Counter(0, 32)
    flags = [counter.look(raw, most=100).flag for raw in (TOP - 2, TOP - 1, 3, 3, 0, 2, 70_000, 70_001)]
    assert flags == ["", "", "wrapped", "", "went_back", "", "jumped", ""]
    assert counter.total == 1 + 4 + 0 + 2 + 1


def test_a_jump_is_told_until_it_counts_again() -> None:
    counter = Counter(0, 32, raw=0)
    seen = []
    for raw in (65_536, 65_536, 131_072, 131_073):
        counter.look(raw, most=10)
        seen.append(counter.jumped)
    assert seen == [True, True, True, False]


@pytest.mark.parametrize(
    "memory",
    [
        None,
        "x",
        {},
        {"channel": 1, "bits": 32, "raw": 5, "total": 5},
        {"channel": 0, "bits": 16, "raw": 5, "total": 5},
        {"channel": 0, "bits": 32, "raw": None, "total": 5},
        {"channel": 0, "bits": 32, "raw": TOP, "total": 5},
        {"channel": 0, "bits": 32, "raw": 5, "total": "5"},
    ],
)
def test_a_memory_of_something_else_is_none(memory: object) -> None:
    assert Counter.of(0, 32, memory) == Counter(0, 32)


@given(
    st.integers(0, TOP - 1),
    st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=40),
    st.sampled_from([16, 32]),
)
def test_nothing_is_lost_nor_counted_twice(start: int, steps: list[tuple[int, bool]], bits: int) -> None:
    """Whatever passes, wraps and restarts between: the total is what passed, while looks come often enough."""
    truth, raw = 0, start % (1 << bits)
    counter = Counter(0, bits)
    counter.look(raw, most=300)
    for people, restart in steps:
        truth += people
        raw = (raw + people) % (1 << bits)
        if restart:
            counter = Counter.of(0, bits, counter.memory())
        assert counter.look(raw, most=300).flag in ("", "wrapped")
        assert counter.total == truth


@given(st.integers(301, 30_000), st.integers(0, 300))
def test_a_cleared_counter_is_flagged_and_never_counts_more_than_passed(before: int, since: int) -> None:
    counter = Counter(0, 32, raw=before, total=before)
    found = counter.look(since, most=300)
    assert found == Passed(since, "went_back")
    assert counter.total == before + since


@given(st.integers(0, TOP - 1), st.integers(0, TOP - 1), st.integers(0, 1 << 20), st.sampled_from([16, 32]))
def test_no_two_looks_count_more_than_can_have_passed(before: int, now: int, most: int, bits: int) -> None:
    width = 1 << bits
    found = passed(before % width, now % width, bits=bits, most=most)
    assert found.delta is None or 0 <= found.delta <= most
    assert (found.flag == "") == (found.delta is not None and now % width >= before % width)


# -- registers ---------------------------------------------------------------------------------------------------------

PUBLISHED = (0x0028, 0x005A, 0x0053, 0x0055)  # devices.md section 5.6, vector 3


def test_the_published_words_in_both_orders() -> None:
    module = MAPS["m7084"]
    assert module.value(PUBLISHED, 0, [0, 1], "low_first") == 0x005A0028
    assert module.value(PUBLISHED, 1, [0, 1], "low_first") == 0x00550053
    assert module.value(PUBLISHED, 0, [0, 1], "high_first") == 0x0028005A
    assert join([2, 1], "low_first") == 1 * 65536 + 2  # ADAM-605x: 40002 x 65536 + 40001


def test_one_question_brings_what_is_asked_and_what_is_between() -> None:
    assert MAPS["m7084"].span(range(8)) == (0, 16)  # vector 1: all 16 registers
    assert MAPS["m7084"].span([0]) == (0, 2)  # vector 2
    assert MAPS["m7084"].span([3, 1]) == (2, 6)
    assert Map("input", 5300, 1, 32).span([0, 4]) == (5300, 5)
    assert Map("holding", 0, 1, 32).value([7, 8, 9], 4, [2, 4], "low_first") == 9
