from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.site.contact import Contact
from device_drivers.site.words import OURS, WORDS, words_of


def test_a_level_counts_once_it_held_still() -> None:
    contact = Contact(0.25)
    looks = [(False, 0.0), (False, 0.25), (True, 0.5), (True, 0.625), (True, 0.75), (True, 0.875), (False, 1.0)]
    assert [contact.look(level, at) for level, at in looks] == [False, True, False, False, True, False, False]
    assert contact.look(False, 1.25)
    assert contact.bounces == 0


def test_what_does_not_last_is_no_change() -> None:
    contact = Contact(0.2)
    contact.look(False, 0.0)
    contact.look(False, 0.2)
    assert not any(contact.look(bool(n % 2), 0.3 + n * 0.1) for n in range(100))
    assert contact.level is False
    assert contact.bounces == 49


def test_without_a_time_each_look_counts() -> None:
    contact = Contact(0.0)
    assert [contact.look(level, 1.0) for level in (True, True, False)] == [True, False, True]


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 0.5)), max_size=60))
def test_it_never_says_what_did_not_hold_still(looks: list[tuple[bool, float]]) -> None:
    contact, now = Contact(0.25), 0.0
    held: list[tuple[bool, float]] = []
    for level, passes in looks:
        now += passes
        if not held or held[-1][0] != level:
            held.append((level, now))
        changed = contact.look(level, now)
        assert not changed or (contact.level is level and now - held[-1][1] >= 0.25)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("cabinetDoor", True),
        ("cabinetDoor_vault2", True),
        ("panicButton", True),
        ("cabinetdoor", False),
        ("cabinetDoor_", False),
        ("cabinetDoor_a_b", False),
        ("", False),
        ("door", False),
    ],
)
def test_names(name: str, known: bool) -> None:
    assert bool(words_of(name)) is known


def test_each_name_has_two_words_at_least() -> None:
    assert min(map(len, WORDS.values())) >= 2
    assert set(WORDS) >= OURS
