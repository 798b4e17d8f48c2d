"""Commissioning a cabinet: what its contacts read, doors shut and open, items in and out, and how long a door takes.

Knows contacts, doors and one person beside them. Nothing is unlocked that the person did not agree to; each lock once.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Mapping
from typing import Any

from device_drivers.cells.boards import LockBoards
from device_drivers.cells.modules import ModbusModules
from device_drivers.cells.profile import Cell, CellsProfile, Contact, Place
from device_drivers.commissioning import Commissioning, NotAsMeantError
from device_drivers.device import Json
from device_drivers.errors import DeviceUnavailable, OutcomeUnknown
from device_drivers.links.finish import finish_first
from device_drivers.links.link import LinkError

PROVISIONAL = "00"  # until it was seen
LOOK_S = 0.05
OPENS_WITHIN_S = 20.0  # longer than any lock; a door that has not moved by then did not open
LEAST_ACT_S, MARGIN = 2.0, 3.0
Raw = str | bool  # a lock board's state as it stands on the wire, or the bit of an input


async def commission(it: Commissioning) -> Mapping[str, Json]:
    """`locked_feedback`, `act_max_s`, and of each contact of its own whether it is `inverted`."""
    profile = CellsProfile.model_validate({"locked_feedback": PROVISIONAL, **it.profile})
    sight = _Sight(it, profile)
    await sight.connect()
    try:
        return await _Visit(it, profile, sight).all_of_it()
    finally:
        await finish_first(sight.disconnect())


class _Sight:
    """Contacts as they read, without any meaning; and one lock opened once."""

    def __init__(self, it: Commissioning, profile: CellsProfile) -> None:
        self._it, self._profile = it, profile
        self._boards = LockBoards(profile)
        self._modules: ModbusModules | None = None
        if profile.has_modules:
            line = it.find_line(profile.modules or it.address)
            self._modules = ModbusModules(line, profile.units, profile.pulse_ms, profile.modbus)

    async def connect(self) -> None:
        if self._profile.has_boards:
            try:
                self._boards.hold = await self._it.find_line(self._it.address).hold()
            except LinkError as error:
                raise DeviceUnavailable("line_unavailable", str(error)) from error
        if self._modules is not None:
            await self._modules.connect()

    async def disconnect(self) -> None:
        hold, self._boards.hold = self._boards.hold, None
        if hold is not None:
            await hold.let_go()
        if self._modules is not None:
            await self._modules.disconnect()

    async def read(self, place: Place) -> Raw:
        """Raises NotAsMeantError where nobody answers."""
        kind, where, number = place.where
        if kind == "board":
            state = await self._boards.ask(where, number)
            if state is not None:
                return f"{state:02X}"
        elif self._modules is not None and (inputs := await self._modules.inputs(where)) is not None:
            return inputs[number]
        raise NotAsMeantError("board_silent" if kind == "board" else "module_silent", where=where)

    async def doors(self) -> dict[str, Raw]:
        return {cell.id: await self.read(cell.door_contact) for cell in self._profile.cell}

    async def open(self, cell: Cell) -> None:
        """Written once. That nothing answered is no matter here: the door is looked at."""
        kind, where, number = cell.lock.where
        with contextlib.suppress(OutcomeUnknown):
            if kind == "board":
                await self._boards.open(where, number)
            elif self._modules is not None:
                await self._modules.pulse(where, number)


class _Visit:
    """One commissioning from its beginning to its end."""

    def __init__(self, it: Commissioning, profile: CellsProfile, sight: _Sight) -> None:
        self._guide, self._profile, self._sight = it.guide, profile, sight
        self._shut: dict[str, Raw] = {}
        self._took_s: list[float] = []
        self._item_there: dict[tuple[str, int], Raw] = {}  # a board or module -> what it reads with an item

    async def all_of_it(self) -> dict[str, Json]:
        await self._guide.have_done("shut_doors", count=len(self._profile.cell))
        self._shut = await self._sight.doors()
        feedback = self._feedback()
        for cell in self._samples():
            await self._look_at(cell)
        found: dict[str, Json] = {} if feedback is None else {"locked_feedback": feedback}
        if self._took_s:
            found["act_max_s"] = max(LEAST_ACT_S, math.ceil(2 * MARGIN * max(self._took_s)) / 2)
        if contacts := [one for cell in self._profile.cell if (one := self._contacts_of(cell, feedback))]:
            found["cell"] = contacts
        return found

    def _feedback(self) -> str | None:
        """What lock boards answer of doors that are shut: one and the same for all."""
        states = {id_: raw for id_, raw in self._shut.items() if isinstance(raw, str)}
        if not states:
            return PROVISIONAL if self._profile.has_boards else None  # items only: either will do, they are asked
        counts = sorted(set(states.values()), key=list(states.values()).count)
        if len(counts) > 1:
            odd = ", ".join(id_ for id_, raw in states.items() if raw != counts[-1])
            raise NotAsMeantError("doors_differ", cells=odd)
        if counts[0] not in {"00", "11"}:
            raise NotAsMeantError("no_known_state", state=counts[0])
        return counts[0]

    def _samples(self) -> list[Cell]:
        """One cell for each set of boards and modules that a cell's lock, door and item are on."""
        first: dict[tuple[Any, ...], Cell] = {}
        for cell in self._profile.cell:
            places = (cell.lock, cell.door_contact, cell.item)
            first.setdefault(tuple(None if place is None else place.where[:2] for place in places), cell)
        return list(first.values())

    async def _look_at(self, cell: Cell) -> None:
        """Its door opens and alone; an item is put in and taken out; the door is shut again."""
        if await self._guide.may_move("may_open", cell=cell.id):
            began_s = asyncio.get_running_loop().time()
            await self._sight.open(cell)
            self._took_s.append(await self._until_moved(cell, began_s))
        else:
            await self._guide.have_done("open_by_hand", cell=cell.id)
        await self._check_doors(cell, is_open=True)
        if cell.item is not None:
            await self._guide.have_done("put_item_in", cell=cell.id)
            there = await self._sight.read(cell.item)
            await self._guide.have_done("take_item_out", cell=cell.id)
            if await self._sight.read(cell.item) == there:
                raise NotAsMeantError("item_not_seen", cell=cell.id)
            self._item_there[cell.item.where[:2]] = there
        await self._guide.have_done("shut_door", cell=cell.id)
        await self._check_doors(cell, is_open=False)

    async def _until_moved(self, cell: Cell, asked_s: float) -> float:
        """Seconds from the writing until its contact reads otherwise."""
        clock = asyncio.get_running_loop().time
        while await self._sight.read(cell.door_contact) == self._shut[cell.id]:
            if clock() > asked_s + OPENS_WITHIN_S:
                raise NotAsMeantError("door_did_not_open", cell=cell.id, seconds=f"{OPENS_WITHIN_S:g}")
            await asyncio.sleep(LOOK_S)
        took_s = clock() - asked_s
        self._guide.tell("door_opened", cell=cell.id, seconds=f"{took_s:.1f}")
        return took_s

    async def _check_doors(self, cell: Cell, *, is_open: bool) -> None:
        """Every contact reads as with its door shut, but the one of a door that is open."""
        seen = await self._sight.doors()
        moved = {id_ for id_, raw in seen.items() if raw != self._shut[id_]}
        if moved - {cell.id}:
            raise NotAsMeantError("other_doors", cell=cell.id, cells=", ".join(sorted(moved - {cell.id})))
        if (cell.id in moved) != is_open:
            raise NotAsMeantError("door_still_shut" if is_open else "door_still_open", cell=cell.id)

    def _contacts_of(self, cell: Cell, feedback: str | None) -> dict[str, Json]:
        """Its members that say which way its own contacts are wired; nothing where it has none."""
        found: dict[str, Json] = {}
        if cell.door is not None:
            found["door"] = {"inverted": not _is_closed(self._shut[cell.id], feedback)}
        if cell.item is not None:
            found["item"] = {"inverted": not _is_closed(self._item_of(cell.item), feedback)}
        return {"id": cell.id, **found} if found else {}

    def _item_of(self, item: Contact) -> Raw:
        return self._item_there[item.where[:2]]


def _is_closed(raw: Raw, feedback: str | None) -> bool:
    """As the driver reads a contact that is not inverted."""
    return raw if isinstance(raw, bool) else raw == feedback
