"""One order as a model: what happened to it in the journal's order, each wait with how long it took.

Pure: rows of its history in, entries out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edge_agent.panel.pages.words import between

_RESTS = frozenset({"waiting", "held", "needs_attention", "scheduled", "accepted"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `noun` is order, step or corrected."""

    seq: int
    time: str
    noun: str
    state: str  # of the family `order_state` or `step_state`
    was: str
    reason: str
    step: str
    act: str
    device: str
    attempt: str
    item: str
    waiting_for: str
    people: tuple[str, ...]
    proven: bool
    facts: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[tuple[str, str, str], ...] = ()  # steps it goes on without: name, family and code of why
    rested_s: float | None = None  # how long it stood so, where it waited and the clock can tell

    @property
    def waited(self) -> bool:
        return self.noun == "order" and self.state in _RESTS


def timeline(history: Iterable[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Oldest first, as the journal numbers them."""
    entries = [_entry(row) for row in history]
    return tuple(_rested(entries, place) for place in range(len(entries)))


def _entry(row: Mapping[str, Any]) -> Entry:
    noun = str(row["type"]).split(".")[1] if ".changed." in row["type"] else "corrected"
    words: dict[str, Any] = {
        name: str(row.get(name) or "") for name in ("reason", "step", "act", "device", "attempt", "item")
    }
    state = str(row.get("to") or row.get("truth") or "")
    return Entry(
        seq=int(row["seq"]),
        time=str(row["time"]),
        noun=noun,
        state=state,
        was=str(row.get("from") or ""),
        waiting_for=str(row.get("waiting_for") or ""),
        people=tuple(one.removeprefix("/people/") for one in row.get("by") or ()),
        proven=bool(row.get("authenticated")),
        without=_without(row.get("facts") or {}),
        facts=_shown(row.get("facts") or {}),
        **words,
    )


def _without(facts: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    left = [one for one in facts.get("left_out") or () if isinstance(one, Mapping)]
    why = [("choice", one["instead"]) if one.get("instead") else ("reason", one.get("reason") or "") for one in left]
    return tuple((str(one.get("step")), family, str(code)) for one, (family, code) in zip(left, why, strict=True))


def _shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts one level deep; what the entry itself shows already is left out."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            flat |= value
        elif name not in ("attempt", "step", "item", "device", "choices", "left_out"):
            flat[name] = value
    return flat


def _rested(entries: Sequence[Entry], place: int) -> Entry:
    entry = entries[place]
    if not entry.waited:
        return entry
    after = next((one for one in entries[place + 1 :] if one.noun == "order"), None)
    if after is None:
        return entry
    members = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    return Entry(**{**members, "rested_s": between(entry.time, after.time)})
