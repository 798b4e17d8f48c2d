"""A SHA-256 as people are shown it: its beginning tells two apart; the whole stands in JSON and in details.

Knows the form only; must not know what was digested.
"""

from __future__ import annotations

import re
from typing import TypeGuard

SHOWN = 12  # characters; 48 bits: no two sheets of a branch look alike
_DIGEST = re.compile(r"^[0-9a-f]{64}\Z")


def is_digest(value: object) -> TypeGuard[str]:
    """Whether it is a whole SHA-256 in hexadecimal digits."""
    return isinstance(value, str) and _DIGEST.match(value) is not None


def shortened(value: str) -> str:
    """A digest's beginning, marked as cut; any other text as it is."""
    return f"{value[:SHOWN]}…" if is_digest(value) else value
