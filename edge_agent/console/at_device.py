"""One device of this box's branch, asked from a command line: by its own driver where no agent works, never beside one.

Knows settings, the lock and drivers by their contract; moves nothing. See `upkeep.doctor.devices` for what it spares.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud_bridge.topics import NAME
from device_drivers.catalog import kind_of
from device_drivers.device import Driver, Listener, Observer, Twin
from device_drivers.errors import DeviceUnavailable
from device_drivers.kinds import Wiring
from device_drivers.links.address import open_address
from device_drivers.links.line import Lines
from device_drivers.links.link import Link
from device_drivers.links.tap import Passing, TapLink
from edge_agent import settings
from edge_agent.console.door import hand_in, instruction
from edge_agent.settings import DevicePart, Settings
from edge_agent.upkeep.doctor.devices import Slate, past_of
from edge_agent.upkeep.doctor.running import kept_out

AGAIN_S = 5.0
NOT_TRUSTED = "not_trusted"


def person(environ: Mapping[str, str] = os.environ) -> str:
    """Who stands at the box, as the system knows them: declared, not proven. Behind sudo, who called it."""
    name = next((environ[one] for one in ("SUDO_USER", "LOGNAME", "USER") if environ.get(one)), "")
    return f"/people/{name}" if NAME.match(name) else "/people/console"


class NoDevice(LookupError):
    """No device of that name; `known` are those that there are."""

    def __init__(self, known: list[str]) -> None:
        super().__init__(", ".join(known))
        self.known = known


class OpenAct(Exception):
    """An act of it is open: what it tells only once belongs to who settles that (PHY-5)."""

    def __init__(self, attempt: str) -> None:
        super().__init__(attempt)
        self.attempt = attempt


class NotTrusted(Exception):
    """The agent does this for root and its own user only."""


class AgentWorks(Exception):
    """Somebody holds the folder, mostly an agent: the device is its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self.folder = folder


@dataclass(frozen=True, slots=True)
class Place:
    """A device and its branch."""

    settings: Settings
    device: DevicePart

    def at_door(self, noun: str, **data: Any) -> dict[str, Any]:
        """What the running agent says. Raises NoDoor, NotTrusted."""
        asked = instruction(self.settings.branch.id, noun, {"device": self.device.id, **data}, person())
        reply = hand_in(self.settings.door_folder(), asked)
        if reply.get("problem") == NOT_TRUSTED:
            raise NotTrusted
        return reply

    @property
    def acts(self) -> frozenset[str]:
        """What its kind can be asked to do."""
        return kind_of(self.device.kind).acts

    def agent_works(self) -> bool:
        with kept_out(self.settings.journal.folder) as free:
            return not free


def find(config: Path, device: str) -> Place:
    """Raises BadConfig, NoDevice."""
    loaded = settings.load(config)
    for part in loaded.device:
        if part.id == device:
            return Place(loaded, part)
    raise NoDevice([part.id for part in loaded.device])


@dataclass(slots=True)
class Asked:
    """What it said."""

    twin: Twin
    noted: list[str]


async def ask(
    place: Place,
    *,
    show: Callable[[Passing], None] = lambda _: None,
    for_s: float = 0.0,
    settling: Callable[[float], None] = lambda _: None,
    open_link: Callable[[str], Link] = open_address,
) -> Asked:
    """Connects, waits what PHY-1 owes it, and asks; again and again until `for_s` have passed since the first answer.

    `settling` is told the seconds of silence. Raises AgentWorks, OpenAct, DeviceError.
    """
    with kept_out(place.settings.journal.folder) as free:
        if not free:
            raise AgentWorks(place.settings.journal.folder)
        past = past_of(place.settings.journal.folder, [place.device])[place.device.id]
        if past.open_act:
            raise OpenAct(past.open_act)
        slate = Slate(past.memory)
        driver = _driver(place.device, slate, Lines(lambda address: TapLink(open_link(address), show)))
        try:
            await driver.connect()
            settling(driver.settle_s)
            await asyncio.sleep(driver.settle_s)
            return Asked(await _look(driver, for_s), slate.noted)
        finally:
            await driver.disconnect()


async def _look(driver: Driver, for_s: float) -> Twin:
    twin = await driver.probe()
    with suppress(TimeoutError, DeviceUnavailable):
        async with asyncio.timeout(for_s):
            while True:
                if isinstance(driver, Listener):
                    await driver.listen()
                    continue
                await asyncio.sleep(min(AGAIN_S, for_s))
                twin = await driver.probe()
                if isinstance(driver, Observer):
                    await driver.observe()
    return twin


def _driver(part: DevicePart, slate: Slate, lines: Lines) -> Driver:
    kind = kind_of(part.kind)
    profile = kind.profile.model_validate(part.profile)
    return kind.make(Wiring(part.id, part.address, profile, slate, lines.line))
