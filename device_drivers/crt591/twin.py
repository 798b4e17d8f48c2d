"""The card dispenser in XFS4IoT words (CardReader and Storage), and its counters.

Knows readings, one error code and the vocabulary; must not ask the unit anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from device_drivers.crt591.codes import explain
from device_drivers.crt591.conversation import LineCounters
from device_drivers.crt591.evidence import STUCK, Readings
from device_drivers.crt591.profile import Crt591Profile
from device_drivers.device import Json, Twin

_STACKER = {0: "empty", 1: "low", 2: "ok"}
_MEDIA = {0: "notPresent", 1: "present", 2: "present"}


@dataclass(frozen=True, slots=True)
class State:
    """What a unit told of itself: readings, or the error code it answers with instead."""

    readings: Readings | None = None
    code: str = ""


def describe(
    state: State, profile: Crt591Profile, identity: Mapping[str, str], line_counters: Mapping[str, int]
) -> Twin:
    """The twin of one look at the unit."""
    known = {name: text for name, text in identity.items() if text}
    if state.readings is None:
        error = explain(state.code)
        # It answers and cannot work, so it is never told as plainly online.
        device = "hardwareError" if error.device == "online" else error.device
        media = "jammed" if state.code in STUCK else "unknown"
        return Twin(device, error.reason, media, {}, known, line_counters)
    now = state.readings
    return Twin("online", _reason(now), _MEDIA[now.st0], _storage(now, profile), known, line_counters)


def counters(line: LineCounters, garbage_bytes: int) -> dict[str, int]:
    """The twin's counters, since the driver was made."""
    return {
        "garbageBytes": garbage_bytes,
        "badFrames": line.bad_frames,
        "naks": line.naks,
        "resends": line.resends,
        "lateReplies": line.late_replies,
        "floods": line.floods,
    }


def _reason(now: Readings) -> str:
    if now.st2 == 1:
        return "error_bin_full"
    return "stacker_empty" if now.st1 == 0 else ""


def _storage(now: Readings, profile: Crt591Profile) -> dict[str, Mapping[str, Json]]:
    bin_level = "full" if now.st2 == 1 else "high" if now.bin >= profile.bin_high_count else "ok"
    return {
        "stacker": {"type": "dispense", "status": "ok", "replenishmentStatus": _STACKER[now.st1]},
        "errorBin": {"type": "retain", "status": "ok", "replenishmentStatus": bin_level, "count": now.bin},
    }
