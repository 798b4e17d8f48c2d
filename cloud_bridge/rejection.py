"""Why a branch said no, in its reader's own language: from `reason` and `facts` of a reply, else from its `message`.

Knows how facts become words; the catalogue is handed in (families `rejection` and `finding`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

# Facts that are themselves words of the contract, and the family of texts that tells them.
_FAMILIES = {"order_state": "order_state", "step_state": "step_state", "cell_state": "shelf"}


class Words(Protocol):
    """One language of a catalogue."""

    def __call__(self, key: str, /, **places: object) -> str:
        """The text of a key, its places filled in. Raises KeyError."""
        ...

    def word(self, family: str, code: str) -> str:
        """The text of a code; the code itself when there is none."""
        ...


def sentence(words: Words, reason: str | None, facts: Mapping[str, Any], message: str = "") -> str:
    """What is wrong and what to do. A reason of a newer branch, or none at all, leaves what the branch wrote."""
    if not reason:
        return message
    try:
        return words(f"rejection.{reason}", **{name: _shown(name, fact, words) for name, fact in facts.items()})
    except KeyError:
        return message or reason


def told(words: Words, reply: Mapping[str, Any]) -> str:
    """The sentence of a rejection's data, as it came from a branch."""
    facts = reply.get("facts")
    reason, message = reply.get("reason"), str(reply.get("message") or "")
    return sentence(words, reason and str(reason), facts if isinstance(facts, dict) else {}, message)


def _shown(name: str, fact: Any, words: Words) -> str:
    if isinstance(fact, dict) and name == "left_out":
        return words("rejection.one_left_out", step=fact["step"], reason=words.word("reason", str(fact["reason"])))
    if isinstance(fact, dict) and "finding" in fact:
        places = {place: _one_of(value, words) for place, value in fact.items() if place != "finding"}
        return words(f"finding.{fact['finding']}", **places)
    if isinstance(fact, list | tuple):
        return ", ".join(_shown(name, one, words) for one in fact) or words("console.none")
    if isinstance(fact, bool | int | float):
        return f"{fact:.15g}" if isinstance(fact, float) else str(fact)
    return words.word(_FAMILIES[name], str(fact)) if name in _FAMILIES else str(fact)


def _one_of(value: Any, words: Words) -> str:
    if not isinstance(value, list | tuple):
        return _shown("", value, words)
    *some, last = value or ("-",)
    return words("console.or", some=", ".join(map(str, some)), last=last) if some else str(last)
