"""Commissioning: what of a profile only the machine itself can tell is seen at it, with a person beside it.

Knows what is handed to a kind's commissioning and who is asked; must not know any kind, screens or files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from device_drivers.device import Json
from device_drivers.links.line import SharedLine


class Guide(Protocol):
    """The person at the machine. Sentences are the catalogue's: `commission.{key}` with its places."""

    def tell(self, key: str, **places: object) -> None:
        """Says what was seen."""
        ...

    async def have_done(self, key: str, **places: object) -> None:
        """Asks for something to be done, and returns when it was. Raises StoppedByHandError."""
        ...

    async def may_move(self, key: str, **places: object) -> bool:
        """Asks before anything moves; the answer is on disk when this returns. What is not agreed to is no."""
        ...


class StoppedByHandError(Exception):
    """The person broke off."""


class NotAsMeantError(Exception):
    """The machine does not show what it would if it were wired as the profile says: `commission.{key}`."""

    def __init__(self, key: str, **places: object) -> None:
        super().__init__(f"{key} {places}")
        self.key = key
        self.places = places


@dataclass(frozen=True, slots=True)
class Commissioning:
    """One device without an agent: its profile as it is written, whole or not, and the way to its lines."""

    address: str
    profile: Mapping[str, Json]
    find_line: Callable[[str], SharedLine]
    guide: Guide
