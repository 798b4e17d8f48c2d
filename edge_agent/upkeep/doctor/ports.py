"""The ports that devices are plugged into: there, open to the agent's user, held by nobody else, named for good.

Knows paths, rights and processes; opens nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from device_drivers.links.address import AddressError, parse_address
from device_drivers.links.serial import SerialAddress
from device_drivers.links.usb_address import UsbAddress
from device_drivers.links.usb_errors import UsbTrouble
from edge_agent.settings import DevicePart
from edge_agent.upkeep.doctor.found import Found, Level
from edge_agent.upkeep.doctor.world import User, World, group_name, is_character_device

AREA = "port"
NAMES = (Path("/dev/branchgate"), Path("/dev/serial/by-id"))  # systemd/branchgate.udev; systemd's own rules
WANDERS = ("/dev/ttyUSB", "/dev/ttyACM")  # numbered in the order of plugging in


def ports(devices: Sequence[DevicePart], user: User, agent: int | None, world: World) -> Iterator[Found]:
    """Each serial port once, under the first device that is at it."""
    seen: set[str] = set()
    for device in devices:
        try:
            address = parse_address(device.address)
        except AddressError:  # told by the configuration's check
            continue
        if isinstance(address, UsbAddress):
            yield _usb(device.id, address, world)
        elif isinstance(address, SerialAddress) and address.path not in seen:
            seen.add(address.path)
            yield from _port(device.id, address.path, user, agent, world)


def _port(device: str, path: str, user: User, agent: int | None, world: World) -> Iterator[Found]:
    told: dict[str, object] = {"path": path}
    try:
        there = Path(path).stat()
    except OSError:
        yield Found(Level.ERROR, AREA, "port_missing", device, told | {"known": ", ".join(_known()) or "-"})
        return
    if not is_character_device(there):
        yield Found(Level.ERROR, AREA, "port_no_device", device, told)
        return
    good = True
    if not user.may(there, os.R_OK | os.W_OK):
        told |= {"user": user.name, "group": group_name(there.st_gid), "mode": f"{stat.S_IMODE(there.st_mode):04o}"}
        yield Found(Level.ERROR, AREA, "port_rights", device, told)
        good = False
    others = [one for one in world.holders(Path(path)) if one.pid not in (agent, os.getpid())]
    if others:
        who = ", ".join(f"{one.name} ({one.pid})" for one in others)
        yield Found(Level.ERROR, AREA, "port_held", device, {"path": path, "who": who, "pid": others[0].pid})
        good = False
    if path.startswith(WANDERS):
        yield Found(
            Level.WARNING, AREA, "port_wanders", device, {"path": path, "known": ", ".join(_known(path)) or "-"}
        )
    elif good:
        yield Found(Level.GOOD, AREA, "port_good", device, {"path": path})


def _usb(device: str, address: UsbAddress, world: World) -> Found:
    """By descriptors alone, which no device is opened for: its names are another's to ask."""
    told: dict[str, object] = {"address": f"{address.vendor:04x}:{address.product:04x}"}
    try:
        alike, others = world.usb(address)
    except UsbTrouble as trouble:
        return Found(Level.ERROR, AREA, "usb_unreadable", device, {"why": trouble})
    if not alike:
        return Found(Level.ERROR, AREA, "usb_missing", device, told | {"known": ", ".join(others) or "-"})
    if alike > 1 and not address.serial:
        return Found(Level.ERROR, AREA, "usb_alike", device, told | {"count": alike})
    return Found(Level.GOOD, AREA, "usb_good", device, told)


def _known(of: str = "") -> list[str]:
    """The lasting names that udev gave; of one port, where it is named."""
    found: list[str] = []
    for folder in NAMES:
        try:
            found += [str(name) for name in sorted(folder.iterdir()) if not of or os.path.realpath(name) == of]
        except OSError:
            continue
    return found[:8]
