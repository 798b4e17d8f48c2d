"""Asking the agent on this machine about its people, over its door.

Knows wishes and answers; must not know how passwords are asked for, nor how anything is shown.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_agent import settings
from edge_agent.audit.opened import open_to_read
from edge_agent.console.door import NoDoor, hand_in, instruction
from edge_agent.orders.rows import OF_ORDER
from edge_agent.people.code import OneTimeCode
from edge_agent.settings import Settings

__all__ = ["House", "NoDoor", "Refused"]


class Refused(Exception):
    """The agent says no: a code of the catalogue's family `people` with its places, or a problem of its own."""

    def __init__(self, code: str, places: dict[str, str], problem: str = "") -> None:
        super().__init__(problem or code)
        self.code = code
        self.places = places
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Hello:
    """What the agent tells whoever comes: whether people here show passwords, and which devices hold something."""

    wants_proof: bool
    altered: bool
    holding: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class House:
    """The branch of one branch.toml: its id, the folders of its agent's socket and of its journal."""

    branch: str
    door: Path
    journal: Path

    @classmethod
    def of(cls, config: Path) -> House:
        """Raises BadConfig."""
        loaded = settings.load(config)
        return cls.of_settings(loaded)

    @classmethod
    def of_settings(cls, loaded: Settings) -> House:
        return cls(loaded.branch.id, loaded.door_folder(), loaded.journal.folder)

    def hello(self) -> Hello:
        """Raises NoDoor, Refused."""
        told = self.wish("hello")
        return Hello(told["wants_proof"], told["altered"], tuple(told["holding"]))

    def declare(self, noun: str, data: dict[str, Any], people: Sequence[str], subject: str | None) -> dict[str, Any]:
        """An instruction with names that nobody proved, as a branch without people takes it. Raises NoDoor, Refused."""
        answer = hand_in(
            self.door, instruction(self.branch, noun, {**data, "people": list(people)}, people[0], subject)
        )
        if "problem" in answer:
            raise Refused("", {}, answer["problem"])
        return answer

    def wish(self, wish: str, **members: Any) -> dict[str, Any]:
        """`result` of the answer, or the instruction's reply. Raises NoDoor, Refused."""
        answer = hand_in(self.door, json.dumps({"wish": wish, **members}).encode())
        if "refused" in answer:
            raise Refused(answer["refused"], answer["places"])
        if "problem" in answer:
            raise Refused("", {}, answer["problem"])
        found: dict[str, Any] = answer.get("result") or answer["reply"]
        return found

    def code(self) -> str:
        """The one-time code, for whoever may read its file; empty else."""
        try:
            return OneTimeCode(self.journal).kept()
        except OSError:
            return ""

    def attempt(self, order: str, step: str) -> str | None:
        """The newest attempt of a step. Raises NoJournal, sqlite3.Error."""
        with closing(open_to_read(self.journal)) as db:
            sql = f"SELECT armings FROM steps WHERE {OF_ORDER} AND name = ?"  # noqa: S608  # a constant
            row = db.execute(sql, (order, step)).fetchone()
        return f"{order}/{step}/{row[0]}" if row else None
