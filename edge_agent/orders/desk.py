"""What every handler of an instruction has at hand: the branch as it is configured, the clock, and how to refuse.

Knows no instruction and no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cloud_bridge.messages import Code
from device_drivers.device import ActSpec
from edge_agent.clock import Clock
from edge_agent.orders.scenes import Scene

JOURNAL_CHANGED = "branchgate.journal.changed.v1"


class Rejected(Exception):
    """Why an instruction is refused: a code of INS-4 and a sentence that says what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Place:
    """A device of the branch as intake knows it: its role and the acts that it offers."""

    device: str
    role: str
    acts: Mapping[str, ActSpec]


@dataclass(frozen=True, slots=True)
class Branch:
    """What intake must know of the branch."""

    id: str
    scenes: Mapping[str, Scene]
    places: tuple[Place, ...]
    max_open: int


@dataclass(frozen=True, slots=True)
class Desk:
    """Handed to each handler."""

    branch: Branch
    clock: Clock
    journal: str  # the journal's id
