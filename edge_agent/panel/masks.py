"""Personal data as those see it who do not serve customers: on pages and over the local API alike.

Knows text, members and one right; what an order's members mean is nobody's affair here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge_agent.panel.gate import Guest
from edge_agent.people.roles import Right

DOTS = "•••"


def serves(guest: Guest) -> bool:
    """Whether they serve customers, and so see who it is that they serve."""
    return guest.who.may(Right.ORDERS)


def masked(text: str) -> str:
    """Enough to tell two apart, not enough to know who: the first character, and the last two of a long one."""
    if not text:
        return ""
    return text[0] + DOTS + (text[-2:] if len(text) > 6 else "")


def veiled(members: Mapping[str, Any]) -> dict[str, Any]:
    """Members with every text of free form masked; numbers and flags say nothing of anybody."""
    return {name: _veiled(value) for name, value in members.items()}


def _veiled(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value
    return masked(value) if isinstance(value, str) else DOTS
