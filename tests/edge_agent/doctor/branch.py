"""A branch on a box as the doctor meets it: a folder, a configuration, and senses that say all is well.

Knows what a healthy box looks like; each test spoils one thing of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent.texts import Texts
from edge_agent.upkeep.doctor.examine import examine
from edge_agent.upkeep.doctor.found import Found, Level
from edge_agent.upkeep.doctor.world import User, World
from tests.edge_agent.journal.gate import opened

NOBODY = User("branchgate", 61234, frozenset({61234}))


@dataclass(slots=True)
class Room:
    """What statvfs says."""

    f_bavail: int = 1024 * 1024
    f_frsize: int = 4096
    f_flag: int = 0
    f_files: int = 1000
    f_favail: int = 900


@dataclass(slots=True)
class Sick:
    """One branch; `world` and `room` are what its senses say."""

    folder: Path
    port: int = 1
    devices: str = ""
    more: str = ""
    link: str = ""
    room: Room = field(default_factory=Room)
    senses: dict[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def config(self) -> Path:
        return self.folder / "branch.toml"

    def write(self) -> Path:
        text = f'[branch]\nid = "B1"\n[journal]\nfolder = "{self.data}"\nreserve_mib = 0\n{self.more}\n'
        text += f"[link]\nport = {self.port}\n{self.link}\n{self.devices}"
        self.config.write_text(text, encoding="utf-8")
        return self.config

    def begin(self) -> None:
        """A journal as an agent leaves it."""

        async def fill() -> None:
            async with opened(self.data):
                pass

        asyncio.run(fill())
        self.data.chmod(0o700)

    @property
    def world(self) -> World:
        nobody = self.folder / "proc"
        nobody.mkdir(exist_ok=True)
        senses: dict[str, Any] = {
            "synchronised": lambda: True,
            "room": lambda _: self.room,
            "proc": nobody,
            "report": self.folder / "none" / "report",
            "user": lambda _: User("me", os.geteuid(), frozenset((os.getegid(), *os.getgroups()))),
        }
        return World(**(senses | self.senses))

    async def look(self, begin: Callable[[str], None] = lambda area: None) -> list[Found]:
        return [one async for one in examine(self.write(), Texts("en"), begin, self.world)]


def ill(found: list[Found]) -> list[str]:
    """The codes of what is wrong, each with a remedy in both languages."""
    wrong = [one for one in found if one.level in (Level.WARNING, Level.ERROR)]
    for one in wrong:
        if one.code != "config":
            assert one.remedy(Texts("zh"))
            assert one.remedy(Texts("en"))
        assert one.words(Texts("zh")) != one.words(Texts("en")) or one.code == "config"
    return [str(one.places["code"]) if one.code == "config" else one.code for one in wrong]
