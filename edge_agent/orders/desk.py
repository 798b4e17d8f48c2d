"""What every handler of an instruction has at hand: the branch as it is configured, the clock, and how to refuse.

Knows no instruction and no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloud_bridge.messages.words import Code
from cloud_bridge.rejection import sentence
from device_drivers.device import ActKind, ActSpec
from edge_agent.clock import Clock
from edge_agent.orders.forms import Bodies
from edge_agent.orders.recipe import Scene
from edge_agent.orders.templates import Shelf, shipped_templates
from edge_agent.texts import Texts

JOURNAL_CHANGED = "branchgate.journal.changed.v1"


class Rejected(Exception):
    """Why an instruction is refused: a code of INS-4, which case of it, and what belongs into that one's sentence.

    `reason` is a text of the family `rejection`, so that each reader has it in his own language.
    """

    def __init__(self, code: Code, reason: str, message: str = "", /, **facts: Any) -> None:
        """`message`: what is told in English in place of the catalogue's sentence."""
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.facts = facts
        self._message = message

    def members(self) -> dict[str, Any]:
        """Its part of the reply."""
        told = self._message or sentence(Texts("en"), self.reason, self.facts)
        facts = {"facts": self.facts} if self.facts else {}
        return {"code": self.code.value, "reason": self.reason, **facts, "message": told}


@dataclass(frozen=True, slots=True)
class Place:
    """A device of the branch as intake knows it: its role, the acts that it offers, where it is at work, its cells."""

    device: str
    role: str
    acts: Mapping[str, ActSpec]
    at: str = ""  # the window or counter that it belongs to; empty: to none in particular
    cells: Mapping[str, bool] = field(default_factory=dict)  # each cell, and whether it shows its item

    @property
    def holds_articles(self) -> bool:
        """Whether something may lie in it, or in its mouth: a screen shows and a counter observes, nothing more."""
        return bool(self.cells) or any(act.kind is not ActKind.IDEMPOTENT for act in self.acts.values())


@dataclass(frozen=True, slots=True)
class Branch:
    """What intake must know of the branch."""

    id: str
    scenes: Mapping[str, Scene]
    places: tuple[Place, ...]
    max_open: int
    templates: Shelf = field(default_factory=shipped_templates)


@dataclass(frozen=True, slots=True)
class Caller:
    """Through which door a wish came, and the people whose credentials were checked for this very wish."""

    door: str
    proven: tuple[str, ...] = ()  # /people/{id}
    waits_for_another: bool = False  # the second of two people is somebody at the centre
    wants_proof: bool = False  # people show credentials here: a name that is only declared changes nothing


CENTRE = Caller("centre")
AT_THE_BOX = Caller("local")  # over the socket beside the journal


@dataclass(frozen=True, slots=True)
class Desk:
    """Handed to each handler."""

    branch: Branch
    clock: Clock
    journal: str  # the journal's id
    bodies: Bodies = field(default_factory=Bodies)
    caller: Caller = CENTRE

    @property
    def on_site(self) -> bool:
        """Whether whoever asks stands at a door of the branch, not behind the broker."""
        return self.caller.door != CENTRE.door
