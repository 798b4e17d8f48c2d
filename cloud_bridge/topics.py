"""The topics of one branch (contract §2). Knows names only; nothing is published or subscribed here."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_ROOT = "branchgate/v1"
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")  # ids: safe as one topic level


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic of a branch, by its noun."""

    branch: str
    root: str = DEFAULT_ROOT

    @property
    def session(self) -> str:
        """Up, retained: birth, heartbeat, death."""
        return f"{self.root}/{self.branch}/session"

    @property
    def instructions(self) -> str:
        """Down: one instruction each."""
        return f"{self.root}/{self.branch}/instructions"

    @property
    def replies(self) -> str:
        """Up: one reply to each instruction."""
        return f"{self.root}/{self.branch}/replies"

    @property
    def events(self) -> str:
        """Up: everything that happened, gap-free."""
        return f"{self.root}/{self.branch}/events"

    def device(self, device: str) -> str:
        """Up, retained: the twin of one device."""
        return f"{self.root}/{self.branch}/devices/{device}"

    def readings(self, device: str) -> str:
        """Up, may be shed: what one device observes."""
        return f"{self.root}/{self.branch}/readings/{device}"

    @property
    def doctor(self) -> str:
        """To itself: what `branchgate doctor` sends to see whether a message comes round; nothing else listens."""
        return f"{self.root}/{self.branch}/doctor"
