"""Where a driver's once-told evidence is kept: in the journal, before the driver asks its next question (PHY-5).

Knows one device's notes; what they mean is the driver's affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from device_drivers.device import Arming
from edge_agent.journal.journal import Journal
from edge_agent.orders.record import AttemptRow, add_note, notes_after

MARK = "_mark"  # carried inside an Arming's readings: the newest note when the attempt was armed


def marked(attempt: AttemptRow) -> Arming:
    """The attempt's arming with the mark that `notes_since` looks for."""
    return Arming({**attempt.arming.readings, MARK: attempt.mark})


class DeviceNotebook:
    """Implements `device_drivers.device.Notebook` for one device."""

    def __init__(self, journal: Journal, device: str) -> None:
        self._journal = journal
        self._device = device

    async def note(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Durable when it returns."""
        await self._journal.write(lambda tx: add_note(tx, self._device, kind, facts))

    async def notes_since(self, arming: Arming) -> list[str]:
        mark = int(arming.readings.get(MARK, 0))
        return await self._journal.read(lambda tx: notes_after(tx, self._device, mark))
