"""A disk that is full on demand, for a journal that keeps a small reserve: no room but what that gives up.

Knows the journal's hooks and its reserve; must not know what is written.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge_agent.journal import reserve
from edge_agent.journal.journal import CommitHooks

SIZE = 64 * 1024


@dataclass(slots=True)
class Tight:
    """`full`: commits fail while the reserve lies there, and there is no room to make it. `taken`: no room at all."""

    folder: Path
    full: bool = False
    taken: bool = False
    refused: int = 0

    def before(self) -> None:
        if self.full and (self.taken or (self.folder / reserve.NAME).exists()):
            self.refused += 1
            raise OSError(errno.ENOSPC, "No space left on device")

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        free = reserve.free_bytes
        monkeypatch.setattr(reserve, "free_bytes", lambda folder: 0 if self.full else free(folder))

    @property
    def hooks(self) -> CommitHooks:
        return CommitHooks(self.before)
