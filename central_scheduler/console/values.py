"""What people type, made into values: broker addresses, parameters, moments, names.

Knows forms only; each mistake is a Problem that says what to write instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from central_scheduler.console.problem import Exit, Problem
from cloud_bridge.topics import NAME

ORDER = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$")  # messages.OrderId
_SPAN = re.compile(r"^(\d{1,9})(s|m|h|d)$")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PARAM = re.compile(r"^([A-Za-z][A-Za-z0-9_]{0,63})=(.*)$", re.DOTALL)
MAX_PERSON = 80  # with its /people/ in front it stays within the contract's 100


def broker(given: str) -> tuple[str, int]:
    """`host:port`, `host`, `[v6]:port` -> host, port (1883 unless said)."""
    found = re.fullmatch(r"(?:mqtt://)?(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]+)(?::(\d{1,5}))?/?", given)
    port = int(found[2] or 1883) if found else 0
    if found is None or not 0 < port < 65_536 or len(found[1]) > 253:
        raise Problem(Exit.USAGE, "bad_broker", given=given)
    return found[1].strip("[]"), port


def parameters(given: Iterable[str]) -> dict[str, Any]:
    """`take_s=20 note=abc` -> {"take_s": 20, "note": "abc"}: JSON numbers and flags are read as such, else text."""
    values: dict[str, Any] = {}
    for item in given:
        found = _PARAM.match(item)
        if found is None or found[1] in values:
            raise Problem(Exit.USAGE, "bad_param", given=item)
        values[found[1]] = _value(found[2])
    return values


def no_texts(given: Iterable[str]) -> dict[str, str]:
    """Those of `parameters` that were read as numbers or flags, as they were typed."""
    items = (item.partition("=") for item in given)
    return {name: text for name, _, text in items if not isinstance(_value(text), str)}


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _value(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text
    finite = not isinstance(value, float) or abs(value) != float("inf")
    return value if isinstance(value, bool | int | float | str) and finite else text


def moment(given: str | None, now: datetime, *, ahead: bool) -> datetime | None:
    """`10m` from `now`, or RFC 3339 with its zone. `ahead`: it must not be over."""
    if given is None:
        return None
    try:
        found = _SPAN.match(given)
        when = now + timedelta(seconds=int(found[1]) * _UNIT_S[found[2]]) if found else datetime.fromisoformat(given)
        if when.tzinfo is None:
            raise ValueError("a moment without zone")
        when = when.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem(Exit.USAGE, "bad_moment", given=given) from None
    if ahead and when <= now:
        raise Problem(Exit.USAGE, "past_moment", given=given)
    return when


def name(given: str, what: str) -> str:
    """A branch, scheduler, scene, step or device: safe as one topic level. `what` is its word, for the sentence."""
    if not NAME.match(given) or given.endswith("\n"):
        raise Problem(Exit.USAGE, "bad_name", given=given, what=what, longest=64)
    return given


def order_id(given: str, what: str) -> str:
    if not ORDER.match(given) or given.endswith("\n"):
        raise Problem(Exit.USAGE, "bad_name", given=given, what=what, longest=100)
    return given


def people(given: Iterable[str], what: str) -> list[str]:
    """Distinct declared names as `/people/{name}`, in the order given."""
    names: dict[str, str] = {}
    for item in given:
        person = " ".join(item.removeprefix("/people/").split())
        if not 0 < len(person) <= MAX_PERSON or not person.isprintable():
            raise Problem(Exit.USAGE, "bad_name", given=item, what=what, longest=MAX_PERSON)
        names.setdefault(person.casefold(), f"/people/{person}")
    return list(names.values())
