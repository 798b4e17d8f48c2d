"""How values are shown: times as the branch's wall shows them, spans and facts.

Pure; knows no language but for what both write alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloud_bridge.digests import shortened


def clock(time: str, now: datetime, seconds: str = ":%S") -> str:
    """Contract text -> `10:02:33` of the branch, of another day with its date; what cannot be read as it is."""
    try:
        then, today = datetime.fromisoformat(time).astimezone(), now.astimezone()
    except ValueError:
        return time
    year = "" if then.year == today.year else "%Y-"
    return then.strftime(("" if then.date() == today.date() else f"{year}%m-%d ") + f"%H:%M{seconds}")


def day(time: str) -> str:
    """Contract text -> `2026-03-02 10:02:33`."""
    try:
        return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return time


def between(earlier: str, later: str) -> float | None:
    """Seconds; None where the clock was set back between them: nothing is ordered by it."""
    try:
        seconds = (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
    except ValueError:
        return None
    return seconds if seconds >= 0 else None


def lasted(seconds: float | None) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def plain(value: Any) -> str:
    """A fact as one line."""
    if isinstance(value, bool) or value is None:
        return {True: "✓", False: "✗", None: "–"}[value]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return shortened(str(value))
    if isinstance(value, Mapping):
        return " · ".join(plain(one) for one in value.values())
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value)
    return json.dumps(value, ensure_ascii=False, default=str)
