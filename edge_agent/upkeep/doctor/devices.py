"""Each device asked how it is: by its driver's probe where no agent runs, else by what the running agent shows.

Knows drivers by their contract and bytes by their number; moves nothing. A device with an open act is not asked: what
it tells only once belongs to the agent that will settle the act (PHY-5).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device_drivers.catalog import kind_of
from device_drivers.device import Arming, Driver, Twin, Verdict
from device_drivers.errors import DeviceError
from device_drivers.kinds import Wiring
from device_drivers.links.line import Lines
from device_drivers.links.tap import Passing, TapLink
from edge_agent.audit.opened import NoJournal, open_to_read
from edge_agent.clock.kernel import utc_now
from edge_agent.findings import Detail, Word
from edge_agent.journal.tx import Tx
from edge_agent.orders.reading import lane_of, memory_of, unsettled_attempts
from edge_agent.settings import DevicePart
from edge_agent.upkeep.doctor.found import Found, Level
from edge_agent.upkeep.doctor.world import World

AREA = "device"
WELL = frozenset({"online", "deviceBusy"})
LIMIT_S = 60.0  # a probe behind its settling; twice what the slowest profile that ships needs
MAX_ERROR = 200  # of what a driver that fails says
NOT_OPENED = "line_unavailable"
LOST = frozenset({"line_lost", "line_closed"})
NONSENSE = frozenset({"nonsense", "line_noisy", "line_floods"})


class Slate:
    """A `Notebook` of one probe: what the journal remembers can be read, what is written is kept here and told."""

    def __init__(self, memory: Mapping[str, Any]) -> None:
        self._memory = dict(memory)
        self.noted: list[str] = []

    async def note(self, kind: str, facts: Mapping[str, Any], memory: Mapping[str, Any] | None = None) -> None:
        self.noted.append(kind)
        self._memory |= memory or {}

    async def notes_since(self, arming: Arming) -> list[str]:
        return list(self.noted)

    async def memory(self) -> Mapping[str, Any]:
        return self._memory

    async def remember(self, memory: Mapping[str, Any]) -> None:
        self._memory |= memory

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        self.noted.append(verdict.reason)


@dataclass(slots=True)
class Heard:
    """How many bytes came on a line, whoever they were for."""

    bytes: int = 0
    units: int = 0  # devices that are asked over it

    def __call__(self, passing: Passing) -> None:
        self.bytes += len(passing.data) if passing.direction == "read" else 0


@dataclass(frozen=True, slots=True)
class Past:
    """What the journal says of a device before it is asked."""

    memory: Mapping[str, Any] = field(default_factory=dict)
    open_act: str = ""


def past_of(folder: Path, devices: Sequence[DevicePart]) -> dict[str, Past]:
    """By device. A journal that cannot be read says of each that it may have an open act."""
    try:
        with closing(open_to_read(folder)) as db:
            tx = Tx(db, utc_now)
            return {device.id: _past(tx, device.id) for device in devices}
    except NoJournal:
        return {device.id: Past() for device in devices}
    except (sqlite3.Error, OSError, UnicodeDecodeError, ValueError):
        return {device.id: Past(open_act="?") for device in devices}


def _past(tx: Tx, device: str) -> Past:
    lane, attempts = lane_of(tx, device), unsettled_attempts(tx, device)
    return Past(memory_of(tx, device), attempts[0].id if attempts else (lane.attempt or lane.holder or ""))


async def probed(devices: Sequence[DevicePart], folder: Path, world: World) -> AsyncIterator[Found]:
    """All at once, each as it is done: one that is silent keeps none of the others waiting."""
    heard: dict[str, Heard] = {}
    for device in devices:
        heard.setdefault(device.address, Heard()).units += 1

    def make_link(address: str) -> TapLink:
        return TapLink(world.open_address(address), heard.setdefault(address, Heard()))

    lines, past = Lines(make_link), past_of(folder, devices)
    tasks = [
        asyncio.create_task(_probe(device, past[device.id], lines, heard), name=f"doctor {device.id}")
        for device in devices
    ]
    try:
        for done in asyncio.as_completed(tasks):
            for found in await done:
                yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _probe(device: DevicePart, past: Past, lines: Lines, heard: Mapping[str, Heard]) -> list[Found]:
    if past.open_act:
        return [Found(Level.WARNING, AREA, "device_open_act", device.id, {"attempt": past.open_act})]
    slate = Slate(past.memory)
    try:
        driver = _made(device, slate, lines)
        async with asyncio.timeout(LIMIT_S + driver.settle_s):
            found = [_seen(device.id, await _asked(driver))]
    except DeviceError as error:
        found = [_failed(device, error, heard.get(device.address, Heard()))]
    except TimeoutError:
        found = [Found(Level.ERROR, AREA, "device_slow", device.id, {"seconds": f"{LIMIT_S:g}"})]
    except Exception as error:  # noqa: BLE001  # a stranger's driver may raise anything: the others are asked all the same
        said = f"{type(error).__name__}: {error}"[:MAX_ERROR]
        found = [Found(Level.ERROR, AREA, "device_driver_failed", device.id, {"kind": device.kind, "error": said})]
    noted = [Found(Level.NOTE, AREA, "device_noted", device.id, {"kind": Word("reason", one)}) for one in slate.noted]
    return found + noted


def _made(device: DevicePart, slate: Slate, lines: Lines) -> Driver:
    kind = kind_of(device.kind)
    profile = kind.profile.model_validate(device.profile)
    return kind.make(Wiring(device.id, device.address, profile, slate, lines.line))


async def _asked(driver: Driver) -> Twin:
    try:
        await driver.connect()
        await asyncio.sleep(driver.settle_s)  # PHY-1: it may still be moving, or hold bytes for a dead connection
        return await driver.probe()
    finally:
        await driver.disconnect()


def _failed(device: DevicePart, error: DeviceError, heard: Heard) -> Found:
    places: dict[str, object] = {"address": device.address, "kind": device.kind, "bytes": heard.bytes}
    places |= {"reason": Word("reason", error.reason), "detail": Detail(error.detail, error)}
    if error.reason == NOT_OPENED:
        return Found(Level.ERROR, AREA, "device_no_line", device.id, places)
    if error.reason in LOST and not heard.bytes:
        return Found(Level.ERROR, AREA, "device_line_lost", device.id, places)
    garbage = error.reason in NONSENSE or (heard.bytes and heard.units == 1)  # else others on its line may have spoken
    return Found(Level.ERROR, AREA, "device_garbage" if garbage else "device_silent", device.id, places)


def _seen(device: str, twin: Twin) -> Found:
    return _judged(device, twin.device, twin.reason, twin.identity)


def _judged(device: str, state: str, reason: str, identity: Mapping[str, str]) -> Found:
    places: dict[str, object] = {
        "state": Word("device_state", state),
        "reason": Word("reason", reason) if reason else "-",
    }
    if state == "starting":
        return Found(Level.NOTE, AREA, "device_starting", device)
    if state not in WELL:
        code = "device_offline" if state in ("offline", "powerOff", "noDevice") else "device_not_well"
        return Found(Level.ERROR, AREA, code, device, places)
    if reason and state == "online":
        return Found(Level.WARNING, AREA, "device_not_well", device, places)
    who = " ".join(identity[name] for name in ("model", "serialNumber", "firmware") if identity.get(name))
    return Found(Level.GOOD, AREA, "device_good", device, {"who": who or "-"})


def shown(told: Mapping[str, Mapping[str, Any]]) -> list[Found]:
    """By the twins of the running agent: its ports are its own."""
    return [
        _judged(device, str(twin.get("state", "starting")), str(twin.get("reason", "")), twin.get("identity", {}))
        for device, twin in sorted(told.items())
    ]
