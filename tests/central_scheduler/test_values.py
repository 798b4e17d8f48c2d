"""What people type: forms that are taken, and forms that are refused with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central_scheduler.console import values
from central_scheduler.console.problem import Problem
from central_scheduler.console.screen import harmless
from cloud_bridge.envelope import Envelope

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("127.0.0.1:1883", ("127.0.0.1", 1883)),
        ("broker.bank.example", ("broker.bank.example", 1883)),
        ("[::1]:99", ("::1", 99)),
        ("mqtt://h:5/", ("h", 5)),
    ],
)
def test_brokers(given_: str, expected: tuple[str, int]) -> None:
    assert values.broker(given_) == expected


@pytest.mark.parametrize("given_", ["", ":1", "h:", "h:0", "h:65536", "h:x", "a b", "::1", "h:1:2", "h" * 300, "h\n:1"])
def test_no_brokers(given_: str) -> None:
    with pytest.raises(Problem):
        values.broker(given_)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("take_s=20", 20),
        ("a=2.5", 2.5),
        ("a=true", True),
        ("a=abc", "abc"),
        ("a=", ""),
        ('a="20"', "20"),
        ("a=NaN", "NaN"),
        ("a=1e999", "1e999"),
        ("a=null", "null"),
        ("a=[1]", "[1]"),
        ("a=b=c", "b=c"),
        ("a=" + "[" * 9999, "[" * 9999),
        ("a=" + "9" * 9999, "9" * 9999),
    ],
)
def test_parameters(given_: str, expected: Any) -> None:
    (value,) = values.parameters([given_]).values()
    assert (value, type(value)) == (expected, type(expected))


@given(texts=st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30), max_size=4))
def test_any_parameters_can_be_sent_or_are_refused(texts: list[str]) -> None:
    try:
        parameters = values.parameters(texts)
    except Problem:
        return
    words = {"id": "1", "source": "s", "type": "t", "time": NOW, "branch": "b", "data": parameters}
    Envelope.model_validate(words).to_bytes()


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("10m", NOW + timedelta(minutes=10)),
        ("0s", NOW),
        ("2026-03-01T20:00:00+08:00", NOW),
        ("2026-03-01T12:00:00Z", NOW),
    ],
)
def test_moments(given_: str, expected: datetime) -> None:
    assert values.moment(given_, NOW, ahead=False) == expected


def test_no_moment_is_none() -> None:
    assert values.moment(None, NOW, ahead=True) is None


@given(text=st.text(max_size=30))
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    try:
        moment = values.moment(text, NOW, ahead=True)
    except Problem:
        return
    assert moment is not None
    assert moment > NOW


def test_people_are_distinct_whatever_their_spelling() -> None:
    assert values.people(["li.na", "/people/LI.NA", " li.na "], "by") == ["/people/li.na"]
    assert values.people(["李娜", "王伟"], "by") == ["/people/李娜", "/people/王伟"]


@pytest.mark.parametrize("given_", ["", "/people/", " ", "x" * 81, "a\x1bb"])
def test_nobody(given_: str) -> None:
    with pytest.raises(Problem):
        values.people([given_], "by")


@pytest.mark.parametrize("given_", ["a/b", "", "a\n", "-a", "a" * 65, "#", "+"])
def test_names_are_safe_as_one_topic_level(given_: str) -> None:
    with pytest.raises(Problem):
        values.name(given_, "branch")


@given(text=st.text())
def test_nothing_harmful_reaches_a_terminal(text: str) -> None:
    assert all(character.isprintable() for character in harmless(text))
