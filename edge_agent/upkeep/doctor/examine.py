"""The whole examination, area by area, each finding told as it is made.

Knows the order and what makes a further look pointless; each look is a module of its own.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from cloud_bridge.topics import Topics
from cloud_bridge.trial import Step, try_broker
from edge_agent.console.check import Checked, check
from edge_agent.settings import BadConfig, Settings
from edge_agent.texts import Texts
from edge_agent.upkeep.doctor import devices, disk, ports, running, times
from edge_agent.upkeep.doctor.found import Found, Level
from edge_agent.upkeep.doctor.world import User, World

AREAS = ("config", "agent", "clock", "disk", "port", "broker", "device")


async def examine(
    config: Path, texts: Texts, begin: Callable[[str], None] = lambda area: None, world: World = World()
) -> AsyncIterator[Found]:
    """`begin` is told each area before it is looked at."""
    begin("config")
    checked = check(config, texts)
    for found in _configured(checked):
        yield found
    if checked.settings is None:
        yield Found(Level.NOTE, "config", "config_ends_here", str(config))
        return
    settings = checked.settings
    if not checked.findings:
        yield Found(Level.GOOD, "config", "config_good", str(config))
    begin("agent")
    agent = await running.agent(settings.branch.id, settings.journal.folder, settings.door_folder(), world)
    for found in agent.found:
        yield found
    begin("clock")
    async for found in times.clock(settings.clock, str(agent.told.get("clock", "")), world):
        yield found
    begin("disk")
    user = world.agent_user(agent.pid)
    for found in _disk(settings, agent, user, world):
        yield found
    begin("port")
    for found in ports.ports(settings.device, user, agent.pid, world):
        yield found
    begin("broker")
    async for found in broker(settings, world):
        yield found
    begin("device")
    async for found in _devices(settings, agent, world):
        yield found


def _configured(checked: Checked) -> Iterator[Found]:
    for one in checked.findings:
        places = {"code": one.code, "file": one.file, "line": one.line, "what": one.message}
        if one.code != "folder_not_writable":  # by whoever looks; the disk's own area asks for the agent's user
            yield Found(Level(one.level), "config", "config", f"{one.file}:{one.line}", places)


def _disk(settings: Settings, agent: running.Running, user: User, world: World) -> Iterator[Found]:
    guessed = agent.unseen and user.uid == os.geteuid()  # whoever looks is not who runs it: no reason to give it away
    for found in disk.disk(settings.journal, user, world):
        if not (guessed and found.code == "disk_rights"):
            yield found
    for found in disk.journal(settings.journal.folder):
        closed = found.code == "journal_unreadable" and not os.access(settings.journal.folder, os.X_OK)
        yield Found(Level.NOTE, found.area, "journal_unseen", found.where) if closed else found


async def broker(settings: Settings, world: World) -> AsyncIterator[Found]:
    """Each step of the way to the centre."""
    where = f"{settings.link.host}:{settings.link.port}"
    topics = Topics(settings.branch.id, settings.link.root)
    try:
        link = settings.link_settings()
    except BadConfig:  # a password that cannot be read: the configuration's area told it
        yield Found(Level.NOTE, "broker", "broker_untried", where)
        return
    async for step in try_broker(link, topics, world.broker):
        yield _told(step, where)


def _told(step: Step, where: str) -> Found:
    level = Level.GOOD if step.good else Level.ERROR if step.grave else Level.WARNING
    return Found(level, "broker", step.code, where, {n: v for n, v in step.places.items() if n != "where"})


async def _devices(settings: Settings, agent: running.Running, world: World) -> AsyncIterator[Found]:
    if agent.held:
        for found in devices.shown(agent.told.get("devices", {})):
            yield found
        return
    with running.kept_out(settings.journal.folder) as free:
        if not free:  # it was started meanwhile
            yield Found(Level.NOTE, "device", "agent_came")
            return
        async for found in devices.probed(settings.device, settings.journal.folder, world):
            yield found
