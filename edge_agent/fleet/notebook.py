"""Where a driver's once-told evidence is kept: in the journal, before the driver asks its next question (PHY-5).

Knows one device's notes; what they mean is the driver's affair.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from device_drivers.device import Arming, Verdict
from edge_agent.journal.journal import Journal, Tx
from edge_agent.orders import course
from edge_agent.orders.reading import memory_text, notes_after
from edge_agent.orders.record import add_note, remember
from edge_agent.orders.rows import AttemptRow

MARK = "_mark"  # carried inside an Arming's readings: the newest note when the attempt was armed


def marked(attempt: AttemptRow) -> Arming:
    """The attempt's arming with the mark that `notes_since` looks for."""
    return Arming({**attempt.arming.readings, MARK: attempt.mark})


class DeviceNotebook:
    """Implements `device_drivers.device.Notebook` for one device."""

    def __init__(self, journal: Journal, device: str) -> None:
        self._journal = journal
        self._device = device

    async def note(self, kind: str, facts: Mapping[str, Any], memory: Mapping[str, Any] | None = None) -> None:
        """Durable when it returns."""

        def work(tx: Tx) -> None:
            add_note(tx, self._device, kind, facts)
            if memory:
                remember(tx, self._device, memory)

        await self._journal.write(work)

    async def notes_since(self, arming: Arming) -> list[str]:
        mark = int(arming.readings.get(MARK, 0))
        return await self._journal.read(lambda tx: notes_after(tx, self._device, mark))

    async def memory(self) -> Mapping[str, Any]:
        """Asked for several times in each act; read once, and followed from commit to commit."""
        text = self._journal.kept(("memory", self._device), lambda tx: memory_text(tx, self._device))
        memory: dict[str, Any] = json.loads(text)
        return memory

    async def remember(self, memory: Mapping[str, Any]) -> None:
        await self._journal.write(lambda tx: remember(tx, self._device, memory))

    async def proved(self, attempt: str, verdict: Verdict) -> None:
        await self._journal.write(lambda tx: course.prove(tx, attempt, verdict))
