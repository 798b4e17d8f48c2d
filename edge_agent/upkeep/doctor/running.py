"""Whether the agent of this folder runs, and answers: by the lock that it holds and the door that it keeps.

Knows the lock, the door and one question; must not know what a device is.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent import door
from edge_agent.console.door import NoDoor, hand_in, instruction
from edge_agent.findings import Reported, Word, system_error
from edge_agent.upkeep.doctor.found import Found, Level
from edge_agent.upkeep.doctor.world import World

AREA = "agent"
BY = "/people/doctor"


@dataclass(frozen=True, slots=True)
class Running:
    """What is known of it. `told`: its own words; empty where it does not run or does not answer."""

    held: bool
    pid: int | None = None
    told: dict[str, Any] = field(default_factory=dict)
    found: tuple[Found, ...] = ()

    @property
    def unseen(self) -> bool:
        """The folder is not ours to look into: nothing follows from what we ourselves may do there."""
        return any(one.code == "agent_unseen" for one in self.found)


@contextmanager
def kept_out(folder: Path) -> Iterator[bool]:
    """Whether nobody's agent works in this folder; none can begin before the block ends.

    The lock's file is never made here: made by root, the agent's own user could not open it.
    """
    try:
        fd = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # there never was one
        yield True
        return
    except OSError:  # not ours to see: whoever cannot look must not take it that nobody is there
        yield False
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(fd)


async def agent(branch: str, folder: Path, keeps: Path, world: World, ask: Any = hand_in) -> Running:
    """`folder`: the journal's; `keeps`: the door's; `ask`: how something is handed in there."""
    with kept_out(folder) as free:
        pass
    try:
        standing = (keeps / door.NAME).exists()
        (folder / "lock").exists()
    except OSError as error:
        return await _told_at_door(branch, keeps, ask) or Running(True, found=(_unseen(folder, error),))
    if free:
        found = [Found(Level.WARNING, AREA, "agent_not_running", str(folder))]
        if standing:
            found.append(Found(Level.WARNING, AREA, "agent_stale_door", str(keeps / door.NAME)))
        return Running(False, found=tuple(found))
    holder = world.lock_holder(folder / "lock")
    pid = holder.pid if holder else None
    places = {"pid": pid or "?"}
    if holder is not None and holder.by_hand:
        places["program"] = holder.program
        return Running(True, pid, found=(Found(Level.WARNING, AREA, "agent_by_hand", str(folder), places),))
    if not standing:
        return Running(True, pid, found=(Found(Level.WARNING, AREA, "agent_no_door", str(keeps), places),))
    try:
        told = await asyncio.to_thread(ask, keeps, instruction(branch, "box.look", {}, BY))
    except NoDoor as none:
        return Running(
            True, pid, found=(Found(Level.ERROR, AREA, "agent_hung", str(folder), places | {"why": none.why}),)
        )
    if "problem" in told:
        failed = Found(
            Level.ERROR, AREA, "agent_refuses", str(folder), {"why": Word("door_problem", str(told["problem"]))}
        )
        return Running(True, pid, found=(failed,))
    return Running(True, int(told["pid"]), told, tuple(_judged(told)))


def _unseen(folder: Path, error: OSError) -> Found:
    return Found(Level.ERROR, AREA, "agent_unseen", str(folder), {"why": system_error(error)})


async def _told_at_door(branch: str, keeps: Path, ask: Any) -> Running | None:
    """By one whose folder is not ours to look into, where its door is open to us."""
    try:
        told = await asyncio.to_thread(ask, keeps, instruction(branch, "box.look", {}, BY))
    except NoDoor:
        return None
    return None if "problem" in told else Running(True, int(told["pid"]), told, tuple(_judged(told)))


def lost(link: Mapping[str, Any]) -> object:
    """Why it has no connection, as a place of a sentence; "-" where it never had one."""
    word = link.get("last_word")
    return Reported(link["last_error"], Word(*word)) if word else link["last_error"] or "-"


def _judged(told: dict[str, Any]) -> Iterator[Found]:
    link, store = told["link"], told["journal"]["store"]
    if store != "good":
        yield Found(Level.ERROR, AREA, "agent_store", store, {"store": Word("store_state", store)})
    if not told["journal"]["adopted"]:
        yield Found(Level.WARNING, AREA, "agent_not_adopted", "")
    if not link["connected"]:
        yield Found(Level.ERROR, AREA, "agent_no_link", "", {"why": lost(link)})
    yield Found(Level.GOOD, AREA, "agent_good", "", {"pid": told["pid"], "version": told["versions"]["agent"]})
