"""A cabinet as it can be seen and pulsed: the reading of each cell, and one lock opened once.

Knows which contact belongs to which cell and what its states mean; must not know acts, orders or evidence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

from device_drivers.cells.boards import LockBoards
from device_drivers.cells.evidence import UNREADABLE, Reading
from device_drivers.cells.profile import Cell, CellsProfile, Contact
from device_drivers.device import Json
from device_drivers.errors import DeviceUnavailable

STEADY_TRIES = 8  # looks at a contact that keeps changing, before it is called unsteady
Sleep = Callable[[float], Awaitable[None]]


class Modules(Protocol):
    """Modbus modules beside or instead of lock boards."""

    async def connect(self) -> None:
        """Raises DeviceUnavailable."""
        ...

    async def disconnect(self) -> None: ...

    async def inputs(self, unit: int) -> tuple[bool, ...] | None:
        """The eight inputs; None: this unit does not answer. Raises DeviceUnavailable: the line is lost."""
        ...

    async def answers(self, unit: int) -> bool:
        """Whether this relay board is there; its coils are not read. Raises DeviceUnavailable: the line is lost."""
        ...

    async def pulse(self, unit: int, channel: int) -> None:
        """Closes one relay for a time that the board keeps; written once. Raises as `Cabinet.open`."""
        ...

    @property
    def counters(self) -> Mapping[str, int]: ...


class Unsteady(Exception):
    """A cell that never read the same twice; `last` is its newest reading."""

    def __init__(self, last: Reading) -> None:
        super().__init__(str(last))
        self.last = last


class Cabinet:
    """Reads and pulses; the line is held by whoever made it."""

    def __init__(
        self, profile: CellsProfile, boards: LockBoards, modules: Modules | None, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._profile, self._boards, self._modules, self._sleep = profile, boards, modules, sleep
        self.cells: Mapping[str, Cell] = {cell.id: cell for cell in profile.cell}

    async def open(self, cell_id: str) -> dict[str, Json]:
        """Pulses its lock once; what the board said of it, which proves nothing: one look at a contact may be a bounce.

        Raises DeviceUnavailable before the frame is written, OutcomeUnknown after.
        """
        lock = self.cells[cell_id].lock
        if lock.board is not None and lock.lock is not None:
            state = await self._boards.open(lock.board, lock.lock)
            return {"feedback": f"{state:02X}"}
        assert lock.unit is not None and lock.channel is not None  # noqa: PT018 - the profile has one pair or the other
        await self._having_modules().pulse(lock.unit, lock.channel)
        return {"pulse_ms": self._profile.pulse_ms}

    async def answers(self, cell_id: str) -> bool:
        """Whether the board of its lock is there; one that reads its door was heard just now. Raises as `look_at`."""
        cell = self.cells[cell_id]
        kind, where, number = cell.lock.where
        if kind == "unit":
            return await self._having_modules().answers(where)
        return cell.door_contact.where[:2] == (kind, where) or await self._boards.ask(where, number) is not None

    async def look(self) -> dict[str, Reading]:
        """All cells; those whose contacts do not answer are UNREADABLE. Raises DeviceUnavailable when none does."""
        return await self._look(self.cells.values())

    async def look_at(self, cell_id: str) -> Reading:
        """One cell. Raises DeviceUnavailable only where the line is lost."""
        return (await self._look([self.cells[cell_id]], may_be_dark=True))[cell_id]

    async def steady(self, cell_id: str) -> Reading:
        """One cell that read the same twice, `steady_s` apart. Raises Unsteady."""
        before = await self.look_at(cell_id)
        for _ in range(STEADY_TRIES):
            await self._sleep(self._profile.steady_s)
            now = await self.look_at(cell_id)
            if now == before:
                return now
            before = now
        raise Unsteady(before)

    async def _look(self, cells: Iterable[Cell], *, may_be_dark: bool = False) -> dict[str, Reading]:
        seen: dict[tuple[str, int], tuple[bool, ...] | None] = {}  # each module is asked once for all its inputs
        found = {cell.id: await self._read(cell, seen) for cell in cells}
        if not may_be_dark and not any(reading.readable for reading in found.values()):
            raise DeviceUnavailable("no_answer", "no board and no module answers")
        return found

    async def _read(self, cell: Cell, seen: dict[tuple[str, int], tuple[bool, ...] | None]) -> Reading:
        closed = await self._contact(cell.door_contact, seen)
        item = None if cell.item is None or closed is None else await self._contact(cell.item, seen)
        if closed is None or (cell.item is not None and item is None):
            return UNREADABLE
        return Reading(not closed, item)

    async def _contact(self, contact: Contact, seen: dict[tuple[str, int], tuple[bool, ...] | None]) -> bool | None:
        """Whether it is closed; None: nobody answers for it."""
        kind, where, number = contact.where
        if kind == "unit":
            if (kind, where) not in seen:
                seen[kind, where] = await self._having_modules().inputs(where)
            inputs = seen[kind, where]
            return None if inputs is None or number >= len(inputs) else inputs[number] != contact.inverted
        if seen.get((kind, where), ()) is None:
            return None  # a board that was silent just now is not asked for each of its locks
        state = await self._boards.ask(where, number)
        if state is None:
            seen[kind, where] = None
            return None
        return (f"{state:02X}" == self._profile.locked_feedback) != contact.inverted

    def _having_modules(self) -> Modules:
        assert self._modules is not None  # whoever made this looked whether the profile names one
        return self._modules
