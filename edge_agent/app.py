"""The composition root: settings become journal, lanes, link and timekeeper, joined in one TaskGroup of named tasks.

Knows who is handed to whom and the order of starting and stopping; does no work of its own.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from cloud_bridge.bridge import Bridge
from cloud_bridge.ports import StoreFailed
from cloud_bridge.topics import Topics
from device_drivers.catalog import kind_of
from device_drivers.links.address import open_address
from device_drivers.links.line import Lines
from device_drivers.links.link import Link
from edge_agent import watchdog
from edge_agent.clock import Clock
from edge_agent.fleet.lane import Lane, LaneParts
from edge_agent.fleet.notebook import DeviceNotebook
from edge_agent.journal.journal import CommitHooks, Journal, Tx
from edge_agent.orders import course
from edge_agent.orders.desk import JOURNAL_CHANGED, Branch, Place
from edge_agent.orders.intake import Intake
from edge_agent.orders.record import LaneRow, open_orders, set_lane
from edge_agent.orders.requests import adopt
from edge_agent.settings import Settings
from edge_agent.timekeeper import Timekeeper
from edge_agent.uplink import About, JournalOutbox

log = logging.getLogger(__name__)
STORE_AGAIN_S = 1.0  # a journal that cannot be read now is tried again; the agent outlives a bad disk
STOP_LIMIT_S = 40.0  # an act under way comes to its end and is settled (twice 15 s by default); systemd waits longer


def _as_it_is(link: Link) -> Link:
    return link


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Hooks:
    """Where tests look in from outside: around each device link and each commit."""

    wrap_link: Callable[[Link], Link] = _as_it_is
    before_commit: Callable[[], None] = _nothing
    after_commit: Callable[[], None] = _nothing


def versions() -> dict[str, str]:
    """What the birth tells of the software."""
    try:
        agent = version("branchgate")
    except PackageNotFoundError:
        agent = "unpackaged"
    return {"agent": agent, "contract": "1", "python": sys.version.split()[0], "sqlite": sqlite3.sqlite_version}


@dataclass(slots=True)
class Agent:
    """The parts of a running agent."""

    settings: Settings
    journal: Journal
    clock: Clock
    lanes: dict[str, Lane] = field(default_factory=dict)
    twins: asyncio.Queue[tuple[str, dict[str, Any]]] = field(default_factory=asyncio.Queue)

    def wake(self, devices: set[str]) -> None:
        for device in devices:
            if device in self.lanes:
                self.lanes[device].wake()


async def run(settings: Settings, hooks: Hooks = Hooks()) -> None:
    """Runs until SIGTERM, SIGINT or cancellation. Raises BadConfig, JournalLocked, JournalUnusable."""
    link_settings = settings.link_settings()
    clock = Clock(settings.clock.source)
    async with AsyncExitStack() as stack:
        commit_hooks = CommitHooks(hooks.before_commit, hooks.after_commit)
        journal = await Journal.open(settings.journal.folder, commit_hooks, clock.now)
        stack.push_async_callback(journal.close)
        agent = Agent(settings, journal, clock)
        await journal.write(lambda tx: _begin(tx, agent))
        places = _make_lanes(agent, hooks)
        journal.on_touched(agent.wake)
        branch = Branch(settings.branch.id, settings.load_scenes(), places, settings.orders.max_open)
        about = About(
            settings.branch.id,
            versions(),
            settings.digest(),
            lambda: {d: lane.state for d, lane in agent.lanes.items()},
        )
        outbox = JournalOutbox(journal, about, clock)
        topics = Topics(settings.branch.id, settings.link.root)
        bridge = Bridge(link_settings, topics, Intake(journal, branch, clock), outbox)
        await _run_parts(agent, bridge, outbox)


def _begin(tx: Tx, agent: Agent) -> None:
    """Tells that the agent started; adopts a first journal where the configuration says so (ORD-12)."""
    journal = agent.journal
    what = "created" if journal.is_new else "started"
    facts: dict[str, Any] = {"epoch": journal.epoch, "clock": agent.clock.grade().value}
    if journal.orphans:
        facts["orphans"] = journal.orphans
    if journal.quarantined:
        facts["quarantined"] = True
    tx.emit(JOURNAL_CHANGED, None, {"what": what, "facts": facts})
    served = {device.id for device in agent.settings.device}
    for order in open_orders(tx):
        if order.device not in served:  # taken out of the configuration, or renamed
            course.wait(tx, order, "device", "device_removed")
    for orphan in journal.orphans:
        set_lane(tx, LaneRow(orphan["device"], shut=True, reason="journal_lost", attempt=orphan["attempt"]))
    if (
        journal.is_new
        and agent.settings.journal.adoption == "automatic"
        and not journal.orphans
        and not journal.quarantined
    ):
        adopt(tx, [], "/configuration")


def _make_lanes(agent: Agent, hooks: Hooks) -> tuple[Place, ...]:
    lines = Lines(lambda address: hooks.wrap_link(open_address(address)))
    places: list[Place] = []
    for device in agent.settings.device:
        kind = kind_of(device.kind)
        profile = kind.profile.model_validate(device.profile)
        is_tcp = device.address.startswith("tcp:")
        driver = kind.make(
            device.id, lines.line(device.address), profile, DeviceNotebook(agent.journal, device.id), is_tcp
        )
        parts = LaneParts(
            device.id,
            device.kind,
            device.role,
            driver,
            agent.journal,
            agent.clock,
            _twin_sink(agent),
            idle_poll_s=device.idle_poll_s,
        )
        agent.lanes[device.id] = Lane(parts)
        places.append(Place(device.id, device.role, driver.acts))
    return tuple(places)


def _twin_sink(agent: Agent) -> Callable[[str, dict[str, Any]], None]:
    return lambda device, members: agent.twins.put_nowait((device, members))


async def _run_parts(agent: Agent, bridge: Bridge, outbox: JournalOutbox) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lanes = list(agent.lanes.values())
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(lane.run(), name=f"lane {lane.device}") for lane in lanes]
            timekeeper = Timekeeper(agent.journal, agent.clock, agent.wake)
            tasks.append(group.create_task(timekeeper.run(), name="timekeeper"))
            tasks.append(group.create_task(_publish_twins(agent, bridge, outbox), name="twins"))
            link = group.create_task(bridge.run(), name="link")
            tasks.append(
                group.create_task(watchdog.watch(agent.journal, lanes, lambda: not link.done()), name="watchdog")
            )
            watchdog.notify("READY=1")
            log.info(
                "branch %s: agent ready, journal %s, epoch %d",
                agent.settings.branch.id,
                agent.journal.id,
                agent.journal.epoch,
            )
            await stop.wait()
            watchdog.notify("STOPPING=1")
            log.info("stopping")
            await asyncio.gather(*(lane.stop(STOP_LIMIT_S) for lane in lanes))
            for task in tasks:
                task.cancel()
            await bridge.stop()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _publish_twins(agent: Agent, bridge: Bridge, outbox: JournalOutbox) -> None:
    while True:
        device, members = await agent.twins.get()
        while True:
            try:
                bridge.put_twin(device, await outbox.twin(device, members))
                break
            except StoreFailed as error:
                log.error("twin of %s waits: %s", device, error)
                await asyncio.sleep(STORE_AGAIN_S)
