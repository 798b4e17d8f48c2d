"""Whether a line may be opened by hand: not while this box's agent works with it.

Knows a branch.toml that may not be there, and addresses; opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from device_drivers.links.address import AddressError, parse_address
from device_drivers.links.serial import SerialAddress
from edge_agent import settings
from edge_agent.settings import BadConfig
from edge_agent.upkeep.doctor.running import kept_out


@dataclass(frozen=True, slots=True)
class Held:
    """A line that is not spare: whose it is, and the folder that says so."""

    device: str
    folder: Path


def held_by_agent(config: Path, address: str) -> Held | None:
    """Where the agent of that file works, or may, and the line is a device's. Raises AddressError."""
    wanted = _port(address)
    try:
        loaded = settings.load(config)
    except BadConfig:  # not a branch's box, or one that cannot run
        return None
    device = next((one.id for one in loaded.device if _same(one.address, wanted)), "")
    if not device:
        return None
    with kept_out(loaded.journal.folder) as free:
        return None if free else Held(device, loaded.journal.folder)


def _same(address: str, wanted: str) -> bool:
    try:
        return _port(address) == wanted
    except AddressError:
        return False


def _port(address: str) -> str:
    """What is really opened: two settings of one port are one port, and a link is what it leads to."""
    parsed = parse_address(address)
    return str(Path(parsed.path).resolve()) if isinstance(parsed, SerialAddress) else str(parsed)
