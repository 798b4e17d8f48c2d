"""What every finding must be like once it is told: in the language asked for, and with its remedy."""

from __future__ import annotations

import re

from edge_agent.findings import Problem, Saying
from edge_agent.texts import Texts

_RUN = re.compile(r"[A-Za-z]{2,}(?:[ ,:;]+[A-Za-z]{2,})+")  # two words of a sentence, no key, path or code


def assert_told_in_both_languages(problem: Problem) -> None:
    zh, en = problem.words(Texts("zh")), problem.words(Texts("en"))
    assert "请" in zh, zh
    assert re.search(r"\w+.*[:;] \w+ ?\w+", en), en
    assert problem.why == en
    assert re.search(r"[\u4e00-\u9fff]", zh), zh
    assert not english_in(zh, problem), zh


def english_in(zh: str, problem: Problem) -> list[str]:
    """Runs of English words in a Chinese sentence, beyond its key and the values that stand in it."""
    rest = zh.removeprefix(problem.key)
    for value in sorted(_values(problem.saying), key=len, reverse=True):
        rest = rest.replace(value, "…")
    return _RUN.findall(rest)


def _values(saying: Saying) -> list[str]:
    found: list[str] = []
    for name, value in saying.places.items():
        if isinstance(value, Saying):
            found += _values(value)
        elif isinstance(value, tuple):
            found += map(str, value)
        elif isinstance(value, str) and value and name != "english":
            found.append(value)
    return found
