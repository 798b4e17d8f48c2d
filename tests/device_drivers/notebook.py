"""A notebook that lives as long as a test: what a driver remembers and notes, through any number of its restarts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from device_drivers.device import Arming, Json, Verdict


class NotWrittenError(Exception):
    """The disk is full."""


class Notes:
    """A `device.Notebook`."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.noted: list[tuple[str, dict[str, Any]]] = []
        self.failures = 0  # so many notes cannot be written

    async def note(self, kind: str, facts: Mapping[str, Json], memory: Mapping[str, Json] | None = None) -> None:
        if self.failures:
            self.failures -= 1
            raise NotWrittenError
        self.noted.append((kind, dict(facts)))
        await self.remember(memory or {})

    async def notes_since(self, arming: Arming) -> list[str]:
        return [kind for kind, _ in self.noted]

    async def memory(self) -> Mapping[str, Json]:
        return dict(self.kept)

    async def remember(self, memory: Mapping[str, Json]) -> None:
        self.kept |= memory
        self.kept = {name: value for name, value in self.kept.items() if value is not None}

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        raise AssertionError("nothing here is proved late")
