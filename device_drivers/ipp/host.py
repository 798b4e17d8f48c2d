"""An instant of this host that a later process can compare with: which boot, and how many seconds into it.

Knows Linux's boot id and boot clock; must not know wall-clock time, which nothing is proved by.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Instant:
    """`seconds` of the boot clock (suspended time counts) in the boot named `boot`; empty when it has no name."""

    boot: str
    seconds: float


def instant() -> Instant:
    """Now."""
    try:
        boot = BOOT_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        boot = ""
    return Instant(boot, time.clock_gettime(time.CLOCK_BOOTTIME))
