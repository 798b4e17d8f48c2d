"""What a lane is made of: the objects that its composition root hands it.

Knows their types; does nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from device_drivers.device import Driver
from edge_agent.clock import Clock
from edge_agent.fleet.materials import Materials, NoMaterials
from edge_agent.fleet.showing import Publish
from edge_agent.journal.journal import Journal

TellReadings = Callable[[str, dict[str, Any]], None]  # (device, the members of its message): may be shed, never blocks
Sleep = Callable[[float], Coroutine[Any, Any, None]]


def _to_nobody(_device: str, _members: dict[str, Any]) -> None:
    return None


@dataclass(slots=True)
class LaneParts:
    """What a lane is made of."""

    device: str
    kind: str
    role: str
    driver: Driver
    journal: Journal
    clock: Clock
    publish: Publish
    idle_poll_s: float = 5.0
    observe_s: float = 60.0
    tell_readings: TellReadings = _to_nobody
    sleep: Sleep = asyncio.sleep
    jitter: Callable[[], float] = field(default=random.random)
    materials: Materials = field(default_factory=NoMaterials)
