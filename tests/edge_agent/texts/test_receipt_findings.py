"""What is wrong with a template or its values is the same sentence in logs and at the console, and there in Chinese."""

from __future__ import annotations

import re

import pytest

from device_drivers.receipts import bad_template, unprintable
from device_drivers.receipts.bad_template import Mistake
from edge_agent.findings import Problem, Saying
from edge_agent.texts import Texts, load
from tests.edge_agent.texts.told import assert_told_in_both_languages

REASONS = {"unsupported_data", "value_missing", "too_long"}


def places_of(sentence: str) -> dict[str, object]:
    """Something for each place of a sentence; numbers, so that nothing looks like English."""
    return {
        name: ("'1'", "'2'") if name in {"choices", "known"} else 7 for name in re.findall(r"(?<!{){(\w+)}", sentence)
    }


@pytest.mark.parametrize("code", sorted(bad_template._SENTENCES))
def test_a_mistake_in_a_template_is_told_in_both_languages(code: str) -> None:
    places = places_of(bad_template._SENTENCES[code])
    problem = Problem("f", 1, Saying(code, places))
    if code not in {"other", "toml_other"}:  # these quote what others said, each in its own way
        assert problem.why == Mistake((), code, places).why
    assert_told_in_both_languages(problem)


@pytest.mark.parametrize("code", sorted(unprintable._KINDS))
def test_what_cannot_be_printed_is_told_in_both_languages(code: str) -> None:
    places = places_of(unprintable._KINDS[code][1])
    error = unprintable.unprintable(code, "block 1", **places)
    problem = Problem("f", 1, Saying(error.code, error.places))
    assert str(error) == f"block 1: {problem.why}"
    assert_told_in_both_languages(problem)


def test_every_reason_has_words() -> None:
    assert {reason for reason, _ in unprintable._KINDS.values()} == REASONS
    assert all(f"reason.{reason}" in load(lang) for reason in REASONS for lang in ("zh", "en"))


def test_what_others_raise_is_quoted() -> None:
    error = unprintable.Unprintable("too_long", "sheet", "a command of 9000 bytes")
    told = Saying(error.code, error.places)
    assert "a command of 9000 bytes" in told.words(Texts("zh"))
    assert "a command of 9000 bytes" in told.words(Texts("en"))
