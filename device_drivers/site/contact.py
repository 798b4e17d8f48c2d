"""One contact that bounces: which level it has settled to.

Pure: time is handed in. Knows two levels; must not know what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Contact:
    """`level` is None until it has held still once."""

    settle_s: float
    level: bool | None = None
    bounces: int = 0  # changes that did not last
    _seen: bool | None = None
    _since_s: float = 0.0

    def look(self, level: bool, now_s: float) -> bool:  # noqa: FBT001 - a contact's level
        """Takes one look; whether it has settled to another level than before by it."""
        if level != self._seen:
            if self._seen is not None and self._seen != self.level:
                self.bounces += 1
            self._seen, self._since_s = level, now_s
        if level == self.level or now_s - self._since_s < self.settle_s:
            return False
        self.level = level
        return True
