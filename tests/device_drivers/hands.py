"""A person at a machine as a script: what is done when something is asked for, and what was asked and told.

Knows keys of sentences; what a hand does is the test's affair.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from device_drivers.commissioning import StoppedByHandError


class Hands:
    """A `device_drivers.commissioning.Guide`. `deeds` maps a key to what is done; `agrees` answers `may_move`."""

    def __init__(self, deeds: Mapping[str, Callable[..., Awaitable[None]]], *, agrees: bool = True) -> None:
        self._deeds, self._agrees = deeds, agrees
        self.asked: list[str] = []
        self.told: list[tuple[str, dict[str, object]]] = []
        self.stops_at = ""

    def tell(self, key: str, **places: object) -> None:
        self.told.append((key, places))

    async def have_done(self, key: str, **places: object) -> None:
        self.asked.append(key)
        if key == self.stops_at:
            raise StoppedByHandError
        if key in self._deeds:
            await self._deeds[key](**places)

    async def may_move(self, key: str, **places: object) -> bool:
        self.asked.append(key)
        if self._agrees and key in self._deeds:
            await self._deeds[key](**places)
        return self._agrees
