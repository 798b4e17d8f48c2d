"""The driver of a cabinet: opens one cell, watches its item until it is taken or put back, and says what came of it.

Knows cells and their evidence; must not know orders, articles, nor what else is on its line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from device_drivers.cells import evidence, twin
from device_drivers.cells.boards import LockBoards
from device_drivers.cells.cabinet import Cabinet, Modules, Sleep, Unsteady
from device_drivers.cells.evidence import AWAIT_TAKEN, OPEN, SECURE, Reading
from device_drivers.cells.profile import CellsProfile
from device_drivers.cells.vigil import Vigil
from device_drivers.cells.watching import PATIENCE_S, Eyes
from device_drivers.device import ActKind, ActSpec, Arming, Json, Notebook, Outcome, Twin, Verdict
from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError

FRESH_S = 0.5  # readings of an arming older than this are looked at again before the lock is pulsed
DOOR_POLL_S = 0.05  # how often a door is looked at that was just unlocked


class CellCabinet:
    """A `device.Driver` for all cells of one cabinet."""

    def __init__(
        self,
        device_id: str,
        line: SharedLine,
        profile: CellsProfile,
        notebook: Notebook,
        *,
        modules: Modules | None = None,
        is_tcp: bool = False,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`line` is the lock boards'; `modules` speak over their own."""
        self.device_id = device_id
        self._line, self._profile, self._notebook = line, profile, notebook
        self._modules, self._is_tcp, self._sleep = modules, is_tcp, sleep
        self._boards = LockBoards(profile)
        self._cabinet = Cabinet(profile, self._boards, modules, sleep)
        self._vigil = Vigil()
        self._eyes = Eyes(profile, self._cabinet, self._vigil, notebook, sleep)
        self._armed_at_s = 0.0
        self._has_looked = False  # at all cells since the line was taken hold of
        self._acts = {spec.name: spec for spec in _acts(profile)}

    @property
    def acts(self) -> Mapping[str, ActSpec]:
        """open_cell, await_taken, secure_cell."""
        return self._acts

    @property
    def cells(self) -> Mapping[str, bool]:
        """Each cell, and whether it shows its item."""
        return {cell.id: cell.item is not None for cell in self._profile.cell}

    @property
    def settle_s(self) -> float:
        """act_max_s, on TCP with drain_s."""
        return self._profile.settle_s(is_tcp=self._is_tcp)

    async def connect(self) -> None:
        """Takes hold of the line. Raises DeviceUnavailable."""
        await self.disconnect()
        self._vigil.remember(await self._notebook.memory())
        self._eyes.begin_anew()
        self._has_looked = False
        if self._profile.has_boards:
            try:
                self._boards.hold = await self._line.hold()
            except LinkError as error:
                raise DeviceUnavailable("line_unavailable", str(error)) from error
        if self._modules is not None:
            await self._modules.connect()

    async def disconnect(self) -> None:
        """Lets go of the line; harmless when not connected."""
        if self._modules is not None:
            await self._modules.disconnect()
        hold, self._boards.hold = self._boards.hold, None
        if hold is not None:
            await hold.let_go()

    async def probe(self) -> Twin:
        """Looks at every cell; tells what happened unasked. Raises DeviceUnavailable when nothing answers.

        Books follow what this shows: what is news was seen twice, and a cell that kept changing shows nothing.
        """
        seen = await self._cabinet.look()
        believed = await self._eyes.believed(seen if self._has_looked else await self._eyes.twice(seen))
        self._has_looked = True
        await self._eyes.tell(self._vigil.look(believed))
        return twin.describe({cell: believed.get(cell, evidence.UNREADABLE) for cell in seen}, self._counters())

    async def recover(self) -> None:
        """A cabinet keeps no errors of its own."""

    async def arm(self, act: str, params: Mapping[str, Json]) -> Arming:
        """Item there, all doors closed, its lock's board there. Raises DeviceRefused, DeviceUnavailable."""
        self._spec(act)
        cell = self._cell(params)
        named = {"cell": cell, **{key: params[key] for key in ("article", "serial") if key in params}}
        if act != OPEN:
            return Arming(named)
        now = await self._steady(cell)
        self._check(cell, now)
        await self._check_others(cell)
        if not await self._cabinet.answers(cell):
            raise DeviceRefused("lock_silent", f"cell {cell}")
        self._armed_at_s = asyncio.get_running_loop().time()
        self._vigil.opened = cell
        return Arming({**named, **now.told}, self._vigil.memory)

    async def act(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Pulses the lock once. Raises OutcomeUnknown; DeviceUnavailable, DeviceRefused: nothing was sent."""
        if self._spec(act).name != OPEN:
            raise DeviceRefused("invalid_act", f"{act} moves nothing; it is watched", waits_for="never")
        cell = self._cell(arming.readings)
        if asyncio.get_running_loop().time() > self._armed_at_s + FRESH_S:
            now = await self._cabinet.look_at(cell)
            if {key: arming.readings.get(key) for key in now.told} != now.told:
                raise DeviceRefused("unexpected_readings", f"cell {cell}: {now.told}")
            await self._check_others(cell)
        told = await self._cabinet.open(cell)
        try:
            verdict = await self._await_open(cell)
        except DeviceUnavailable as error:
            raise OutcomeUnknown(error.reason, f"after opening {cell}: {error.detail}") from error
        return _naming(verdict, arming, told)

    async def watch(
        self, act: str, params: Mapping[str, Json], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        """Looks every `poll_s`. Raises DeviceUnavailable when the line is lost."""
        if self._spec(act).kind is not ActKind.WATCH:
            raise DeviceRefused("invalid_act", f"{act} is no watch", waits_for="never")
        cell = self._cell(arming.readings)
        look = self._eyes.taking if act == AWAIT_TAKEN else self._eyes.closing
        verdict = await look(cell, asyncio.get_running_loop().time() + (limit_s or self._profile.close_s))
        return _naming(verdict, arming)

    async def reconcile(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """The evidence table, once settled; 'not opened' takes two equal readings. Raises DeviceUnavailable."""
        cell = self._cell(arming.readings)
        await self._cabinet.look()  # a cabinet that is not there at all is waited for, not judged
        try:
            if self._spec(act).kind is ActKind.WATCH:
                now = await self._patiently(cell)
                judge = evidence.at_limit(now, witnessed=False) if act == AWAIT_TAKEN else evidence.judge_closing(now)
                return _naming(judge or evidence.left_open(now), arming)
            return _naming(await self._not_or_done(cell), arming)
        except Unsteady as error:
            return _naming(evidence.unsteady(error.last), arming)

    # -- what is looked at ---------------------------------------------------------------------------------------------

    async def _await_open(self, cell: str) -> Verdict:
        """The door seen open, twice; what is not seen in `act_max_s` is settled by the two readings of `reconcile`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._profile.act_max_s
        while loop.time() < until:
            if (await self._cabinet.look_at(cell)).door_open:
                try:
                    now = await self._cabinet.steady(cell)
                except Unsteady:
                    continue
                if now.door_open:
                    return evidence.judge_open(now) if now.item is not None else evidence.presented(now)
            await self._sleep(DOOR_POLL_S)
        raise OutcomeUnknown("door_not_seen", f"cell {cell} was not seen open")

    async def _not_or_done(self, cell: str) -> Verdict:
        now = await self._patiently(cell)
        verdict = evidence.judge_open(now)
        if verdict.outcome is not Outcome.NO_EFFECT:
            return verdict
        await self._sleep(self._profile.act_max_s)
        return evidence.judge_open(await self._patiently(cell))

    async def _patiently(self, cell: str) -> Reading:
        """A steady reading; one that shows nothing only when it did so for `PATIENCE_S`. Raises Unsteady."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_S
        while not (now := await self._cabinet.steady(cell)).readable and loop.time() < until:
            await self._sleep(1.0)
        return now

    # -- what must be so before a lock is pulsed -----------------------------------------------------------------------

    async def _steady(self, cell: str) -> Reading:
        try:
            return await self._cabinet.steady(cell)
        except Unsteady as error:
            raise DeviceRefused("unsteady_readings", f"cell {cell}: {error}") from error

    def _check(self, cell: str, now: Reading) -> None:
        facts = {"cell": cell, **now.told}
        if not now.readable:
            raise DeviceRefused("cell_unreadable", f"cell {cell}", facts=facts)
        if now.item is False:
            raise DeviceRefused("item_missing", f"cell {cell}", facts=facts, waits_for="never")
        if now.door_open:
            raise DeviceRefused("door_open", f"cell {cell}", facts=facts)

    async def _check_others(self, cell: str) -> None:
        seen = await self._cabinet.look()
        if is_open := [other for other, reading in seen.items() if other != cell and reading.door_open]:
            raise DeviceRefused("door_open", f"cells {', '.join(is_open)}", facts={"cells": is_open})

    def _cell(self, params: Mapping[str, Json]) -> str:
        cell = params.get("cell")
        if not isinstance(cell, str) or cell not in self._cabinet.cells:
            known = ", ".join(self._cabinet.cells)
            raise DeviceRefused("cell_unknown", f"{cell!r}; there are {known}", waits_for="never")
        return cell

    def _spec(self, act: str) -> ActSpec:
        if act not in self._acts:
            raise DeviceRefused("unknown_act", f"{act!r}; a cabinet offers {', '.join(self._acts)}", waits_for="never")
        return self._acts[act]

    def _counters(self) -> dict[str, int]:
        return {**self._boards.counters, **(self._modules.counters if self._modules else {})}


def _naming(verdict: Verdict, arming: Arming, more: Mapping[str, Json] | None = None) -> Verdict:
    """The verdict with its cell and what lay in it: a doubt shuts that cell, not the cabinet (PHY-7)."""
    named = {key: arming.readings[key] for key in ("cell", "article", "serial") if key in arming.readings}
    facts = {**verdict.facts, **named, **(more or {})}
    cell = str(arming.readings.get("cell", ""))
    return Verdict(verdict.outcome, verdict.reason, verdict.item, facts, verdict.lane_shut, cell=cell)


def _acts(profile: CellsProfile) -> tuple[ActSpec, ...]:
    kind = ActKind.POSITIONAL if all(cell.item for cell in profile.cell) else ActKind.BLIND
    return (
        ActSpec(OPEN, kind, "Unlocks one cell by one pulse; its door springs open.", profile.act_max_s),
        ActSpec(AWAIT_TAKEN, ActKind.WATCH, "Watches a cell until its item was taken and its door closed.", 0.0),
        ActSpec(SECURE, ActKind.WATCH, "Watches a cell until its door is closed on the item left behind.", 0.0),
    )
