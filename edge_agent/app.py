"""The composition root: settings become journal, lanes, link and timekeeper, joined in one TaskGroup of named tasks.

Knows who is handed to whom and the order of starting and stopping; does no work of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from cloud_bridge.bridge import Bridge
from cloud_bridge.ports import StoreFailed
from cloud_bridge.topics import Topics
from device_drivers.catalog import kind_of
from device_drivers.device import HasCells
from device_drivers.kinds import Wiring
from device_drivers.links.address import open_address
from device_drivers.links.line import Lines
from device_drivers.links.link import Link
from edge_agent import watchdog
from edge_agent.beginning import begin, say_removed
from edge_agent.clock import Clock
from edge_agent.clock.kernel import kernel_synchronised, utc_now
from edge_agent.clock.lan import LanWatch
from edge_agent.custody.documents import DocumentParts, Documents
from edge_agent.custody.fetching import Limits
from edge_agent.custody.materials import PrintMaterials
from edge_agent.door import Door
from edge_agent.fleet.lane import Lane
from edge_agent.fleet.materials import Materials, NoMaterials
from edge_agent.fleet.notebook import DeviceNotebook
from edge_agent.fleet.parts import LaneParts
from edge_agent.full_disk import ThriftyIntake
from edge_agent.journal import opening
from edge_agent.journal.journal import CommitHooks, Journal
from edge_agent.observed import LastReadings, ReadingBox
from edge_agent.orders.desk import Branch, Place
from edge_agent.people.counter import Counter
from edge_agent.people.deciding import Deciding
from edge_agent.people.staff import Staff
from edge_agent.settings import Settings
from edge_agent.steward import Steward
from edge_agent.timekeeper import Timekeeper
from edge_agent.upkeep.box import Box, BoxParts
from edge_agent.upkeep.ceiling import Ceiling
from edge_agent.upkeep.recording import Recordings
from edge_agent.upkeep.retention import Retention
from edge_agent.upkeep.wearing import RIDE_S, WearBook
from edge_agent.uplink import About, JournalOutbox, TwinBox

log = logging.getLogger(__name__)
STORE_AGAIN_S = 1.0  # a journal that cannot be read now is tried again; the agent outlives a bad disk
MIGRATION_S = 1800  # asked of systemd: 100,000 orders took 10 s here, and may take minutes on a slow card
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


class Runs(Protocol):
    """A part that is one task."""

    async def run(self) -> None:
        """Until cancelled."""
        ...


@dataclass(slots=True)
class Agent:
    """The parts of a running agent."""

    settings: Settings
    journal: Journal
    clock: Clock
    look: Callable[[], None] = _nothing  # whoever else must know that an order may have come, gone on or ended
    materials: Materials = field(default_factory=NoMaterials)
    lan: LanWatch | None = None  # who asks the time server, where one is configured
    door: Door | None = None  # for those who stand at the box
    staff: Staff | None = None  # the branch's people
    panel: Runs | None = None  # the branch's own HTTP, where it is configured
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)  # the newest twin of each device
    lanes: dict[str, Lane] = field(default_factory=dict)
    twins: TwinBox = field(default_factory=TwinBox)
    readings: ReadingBox = field(default_factory=ReadingBox)
    last_readings: LastReadings = field(default_factory=LastReadings)
    wear: WearBook | None = None
    lines: Lines | None = None  # of all devices, for whoever records what passes on one

    def wake(self, devices: set[str]) -> None:
        for device in devices:
            if device in self.lanes:
                self.lanes[device].wake()
        if removed := devices - set(self.lanes):
            self.journal.post(lambda tx: say_removed(tx, removed))
        self.look()


async def run(settings: Settings, hooks: Hooks = Hooks()) -> None:
    """Runs until SIGTERM, SIGINT or cancellation. Raises BadConfig, JournalLocked, JournalUnusable."""
    while await _run_once(settings, hooks):  # a journal that was damaged, or can be written again: a restart is no
        log.warning("starting anew")  # special path


def _ask_for_patience(folder: Path) -> None:
    """A journal of an older version is written anew first: who is killed over it begins from the start each time."""
    if opening.is_behind(folder / opening.NAME):
        log.warning("the journal of an earlier version is brought to this one; a long one takes minutes")
        watchdog.notify(f"EXTEND_TIMEOUT_USEC={MIGRATION_S * 1_000_000}")


async def _run_once(settings: Settings, hooks: Hooks) -> bool:
    """From opening to closing the journal; whether to begin again."""
    link_settings, tls = settings.link_settings(), settings.documents_tls()
    lan = LanWatch(settings.clock.server(), utc_now) if settings.clock.source == "lan" else None
    clock = Clock(settings.clock.source, synchronised=lan.synchronised if lan else kernel_synchronised)
    async with AsyncExitStack() as stack:
        commit_hooks = CommitHooks(hooks.before_commit, hooks.after_commit)
        reserve_bytes = settings.journal.reserve_mib * 1024 * 1024
        _ask_for_patience(settings.journal.folder)
        journal = await Journal.open(settings.journal.folder, commit_hooks, clock.now, reserve_bytes)
        stack.push_async_callback(journal.close)
        limits = Limits(settings.documents.max_bytes)
        documents = Documents(DocumentParts(journal, clock, settings.journal.folder / "documents", tls, limits))
        materials = PrintMaterials(journal, clock, documents, settings.branch.id, settings.branch.name)
        agent = Agent(settings, journal, clock, documents.look, materials, lan)
        if not journal.read_only:
            await journal.write(lambda tx: begin(tx, journal, clock, settings))
            journal.orphans_told()
        wear = agent.wear = WearBook(journal)
        journal.ride(wear.put_down, RIDE_S)
        stack.push_async_callback(_put_down, wear)
        places = _make_lanes(agent, hooks)
        journal.on_touched(agent.wake)
        scenes, templates = settings.load_scenes(), settings.load_templates()
        branch = Branch(settings.branch.id, scenes, places, settings.orders.max_open, templates)
        about = About(
            settings.branch.id,
            versions(),
            settings.digest(),
            lambda: {d: lane.state for d, lane in agent.lanes.items()},
            wear.told,
        )
        outbox = JournalOutbox(journal, about, clock, agent.readings)
        topics = Topics(settings.branch.id, settings.link.root)
        intake = ThriftyIntake(journal, branch, clock)
        bridge = Bridge(link_settings, topics, intake, outbox)
        agent.staff = await Staff.open(journal, clock, settings.journal.folder)
        deciding = Deciding(agent.staff, intake, clock, branch)
        counter = Counter(agent.staff, deciding)
        agent.door = Door(settings.door_folder(), intake, counter, settings.door.group, _box(agent, bridge, stack))
        if settings.panel.listen is not None:
            agent.panel = _panel(agent, deciding, bridge, outbox)
        return await _run_parts(agent, bridge, outbox, documents)


async def _put_down(wear: WearBook) -> None:
    with contextlib.suppress(StoreFailed):  # at the end of a disk there is nothing to put it on
        await wear.keep()


def _panel(agent: Agent, deciding: Deciding, bridge: Bridge, outbox: JournalOutbox) -> Runs:
    """Loaded only where it is wanted: it takes some megabytes."""
    from edge_agent.panel.branch import House, Link
    from edge_agent.panel.pages.site import pages
    from edge_agent.panel.server import Listen, Panel

    def link() -> Link:
        status = bridge.status
        return Link(status.connected, time.monotonic() - status.since_s)

    async def probe(device: str) -> None:
        await agent.lanes[device].look()

    from edge_agent.upkeep.watching import Watching

    assert agent.lines is not None, "the lanes are made before anybody looks"
    watching = Watching({device.id: device for device in agent.settings.device}, agent.lines)
    part, staff, branch = agent.settings.panel, deciding.staff, deciding.branch.id
    twins, last = (lambda: agent.shown), agent.last_readings.of
    house = House(
        branch, agent.journal, deciding.intake, agent.clock, staff, deciding, outbox, twins, last, link, watching, probe
    )
    more = pages(tls=part.tls_certificate is not None)
    return Panel(house, Listen(*part.address(), part.tls_certificate, part.tls_key), more)


def _make_lanes(agent: Agent, hooks: Hooks) -> tuple[Place, ...]:
    lines = agent.lines = Lines(lambda address: hooks.wrap_link(open_address(address)))
    places: list[Place] = []
    for device in agent.settings.device:
        kind = kind_of(device.kind)
        profile = kind.profile.model_validate(device.profile)
        notebook = DeviceNotebook(agent.journal, device.id)
        driver = kind.make(Wiring(device.id, device.address, profile, notebook, lines.line))
        parts = LaneParts(
            device.id,
            device.kind,
            device.role,
            driver,
            agent.journal,
            agent.clock,
            _twin_sink(agent),
            idle_poll_s=device.idle_poll_s,
            observe_s=device.observe_s or kind.observe_s,
            tell_readings=_reading_sink(agent),
            materials=agent.materials,
        )
        agent.lanes[device.id] = Lane(parts)
        cells = driver.cells if isinstance(driver, HasCells) else {}
        places.append(Place(device.id, device.role, driver.acts, device.place, cells))
    return tuple(places)


def _box(agent: Agent, bridge: Bridge, stack: AsyncExitStack) -> Box:
    assert agent.lines is not None, "the lanes are made before anybody asks of them"
    devices = {device.id: device for device in agent.settings.device}
    recordings = Recordings(agent.settings.journal.folder, devices, agent.lines)
    stack.callback(recordings.close)

    def link() -> dict[str, Any]:
        return asdict(bridge.status)  # asked for each time: its counts are taken together when somebody looks

    parts = BoxParts(agent.settings.branch.id, agent.journal, agent.clock, versions(), link, agent.lanes, recordings)
    return Box(parts)


def _twin_sink(agent: Agent) -> Callable[[str, dict[str, Any]], None]:
    def put(device: str, members: dict[str, Any]) -> None:
        agent.shown[device] = members
        agent.twins.put(device, members)

    return put


def _reading_sink(agent: Agent) -> Callable[[str, dict[str, Any]], None]:
    def put(device: str, members: dict[str, Any]) -> None:
        agent.last_readings.put(device, members)
        agent.readings.put(device, members)

    return put


async def _run_parts(agent: Agent, bridge: Bridge, outbox: JournalOutbox, documents: Documents) -> bool:
    stop, again = asyncio.Event(), asyncio.Event()

    def begin_again() -> None:
        again.set()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lanes = list(agent.lanes.values())
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(lane.run(), name=f"lane {lane.device}") for lane in lanes]
            ceiling = Ceiling(agent.journal, agent.settings.retention.policy(), loop.time)
            steward = Steward(agent.journal, lambda: agent.wake(set(agent.lanes)), begin_again, ceiling)
            tasks.append(group.create_task(steward.run(), name="steward"))
            timekeeper = Timekeeper(agent.journal, agent.clock, agent.wake)
            tasks.append(group.create_task(timekeeper.run(), name="timekeeper"))
            if agent.lan is not None:
                tasks.append(group.create_task(agent.lan.run(), name="time server"))
            kept = timedelta(days=agent.settings.retention.audit_days)
            retention = Retention(agent.journal, agent.clock, kept, wear=agent.wear)
            tasks.append(group.create_task(retention.run(), name="retention"))
            tasks.append(group.create_task(documents.run(), name="documents"))
            if agent.door is not None:
                tasks.append(group.create_task(agent.door.run(), name="door"))
            if agent.panel is not None:
                tasks.append(group.create_task(agent.panel.run(), name="panel"))
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
    return again.is_set()


async def _publish_twins(agent: Agent, bridge: Bridge, outbox: JournalOutbox) -> None:
    while True:
        device, members = await agent.twins.take()
        try:
            bridge.put_twin(device, await outbox.twin(device, members))
        except StoreFailed as error:
            log.error("twin of %s waits: %s", device, error)
            agent.twins.put_back(device, members)
            await asyncio.sleep(STORE_AGAIN_S)
