"""One thing that the doctor saw: how grave it is, a stable code, where, and the places of its sentence and remedy.

Knows the form of a finding (families `doctor` and `doctor_remedy` of the catalogue); must not know what is looked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from edge_agent.findings import shown
from edge_agent.texts import Texts


class Level(StrEnum):
    """How grave it is."""

    GOOD = "good"
    NOTE = "note"  # to know; nothing is wrong
    WARNING = "warning"  # it works, and will not always
    ERROR = "error"  # it does not work


@dataclass(frozen=True, slots=True)
class Found:
    """`where` names a device, a file or a server; empty where the area says it."""

    level: Level
    area: str  # config, clock, disk, journal, agent, port, device, broker
    code: str
    where: str = ""
    places: Mapping[str, object] = field(default_factory=dict)

    @property
    def grave(self) -> bool:
        return self.level is Level.ERROR

    def words(self, texts: Texts) -> str:
        return texts(f"doctor.{self.code}", where=self.where, **self._told(texts))

    def remedy(self, texts: Texts) -> str:
        """What to do; empty where nothing is wrong, or where the sentence says it already (a finding of `check`)."""
        if self.level in (Level.GOOD, Level.NOTE) or self.code == "config":
            return ""
        return texts(f"doctor_remedy.{self.code}", where=self.where, **self._told(texts))

    def _told(self, texts: Texts) -> dict[str, object]:
        return {name: shown(value, texts) for name, value in self.places.items()}

    def as_json(self, texts: Texts) -> dict[str, Any]:
        members: dict[str, Any] = {"level": self.level.value, "area": self.area, "code": self.code}
        members |= {"where": self.where} if self.where else {}
        if self.code == "config":
            members["code"] = str(self.places["code"])
            members |= {"file": self.places["file"], "line": self.places["line"]}
        return members | {"message": self.words(texts), "remedy": self.remedy(texts)}
