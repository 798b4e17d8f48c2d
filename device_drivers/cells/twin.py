"""A cabinet in XFS4IoT words (Storage, devices.md section 6.6): one storage unit for each cell.

Knows readings and the vocabulary; what was loaded into a cell is the custody's affair, not the device's.
"""

from __future__ import annotations

from collections.abc import Mapping

from device_drivers.cells.evidence import Reading
from device_drivers.device import Json, Twin


def describe(seen: Mapping[str, Reading], counters: Mapping[str, int]) -> Twin:
    """The twin of one look at all cells."""
    dark = any(not reading.readable for reading in seen.values())
    is_open = any(reading.door_open for reading in seen.values())
    reason = "door_open" if is_open else "cell_unreadable" if dark else ""
    media = "present" if any(reading.door_open and reading.item for reading in seen.values()) else "notPresent"
    storage = {cell: _unit(reading) for cell, reading in seen.items()}
    return Twin("online", reason, media, storage, {}, counters)


def _unit(reading: Reading) -> dict[str, Json]:
    unit: dict[str, Json] = {"type": "dispense", "capacity": 1, "status": "ok" if reading.readable else "inoperative"}
    if reading.item is not None:
        unit |= {"count": int(reading.item), "replenishmentStatus": "full" if reading.item else "empty"}
    return {**unit, **reading.told}
