"""The printer with a stamp: prints as a document printer does, and stamps what it has just printed, once, ever.

Knows which sheet lies under the stamp and whether a stamping of it was begun; must not know IPP nor Modbus. What a
stamp did nobody can ask it (PHY-8, blind): whatever is not told at once is for a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from device_drivers.device import ActKind, ActSpec, Arming, Driver, Json, Notebook, Outcome, Twin, Verdict, Whereabouts
from device_drivers.errors import DeviceError, DeviceRefused, DeviceUnavailable
from device_drivers.relay.board import RelayBoard
from device_drivers.relay.protocol import Pulse
from device_drivers.sealed.profile import SealedProfile

STAMP = "stamp"
SHEET, STAMPING = "sheet", "stamping"  # in the memory: the newest print's attempt, and the attempt that stamps it
Sleep = Callable[[float], Awaitable[None]]


class SealedPrinter:
    """A `device.Driver` made of a printer's driver and a relay board; all but the stamp is the printer's."""

    def __init__(
        self,
        device_id: str,
        printer: Driver,
        board: RelayBoard,
        profile: SealedProfile,
        notebook: Notebook,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.device_id = device_id
        self._printer, self._board, self._notebook = printer, board, notebook
        self._profile = profile
        self._sleep = sleep
        stamp = profile.stamp
        self._pulse = Pulse(stamp.unit, stamp.channel, stamp.pulse_ms)
        spec = ActSpec(
            STAMP, ActKind.BLIND, "Lets the stamp come down once on the sheet just printed.", stamp.act_max_s
        )
        self._acts = {**printer.acts, STAMP: spec}

    @property
    def acts(self) -> Mapping[str, ActSpec]:
        """print_document, stamp."""
        return self._acts

    @property
    def settle_s(self) -> float:
        """The stamp may still be moving, or its frame be on its way."""
        return max(self._printer.settle_s, self._profile.stamp.settle_s)

    async def connect(self) -> None:
        """The printer's line; the board's is opened for each exchange. Raises DeviceUnavailable."""
        await self._printer.connect()

    async def disconnect(self) -> None:
        """Harmless when not connected."""
        await self._printer.disconnect()

    async def probe(self) -> Twin:
        """The printer's twin; a board that does not answer is told where the printer has nothing worse."""
        twin = await self._printer.probe()
        try:
            await self._board.relays_on()
        except DeviceError as error:
            if not twin.reason:
                return replace(twin, device="hardwareError", reason=error.reason)
        return twin

    async def recover(self) -> None:
        """The stamp has no errors of its own."""
        await self._printer.recover()

    async def arm(self, act: str, params: Mapping[str, Json]) -> Arming:
        """A stamp needs this order's sheet, printed here and last, never stamped, and its relay at rest."""
        if act != STAMP:
            arming = await self._printer.arm(act, params)
            lies_there = {SHEET: params.get("attempt"), STAMPING: None}
            return replace(arming, memory={**arming.memory, **lies_there})
        sheet = await self._sheet(params)
        if self._pulse.channel in await self._board.relays_on():
            raise DeviceRefused("relay_not_at_rest", f"channel {self._pulse.channel}")
        readings = {"sheet": sheet, "sha256": params["earlier"].get("sha256"), "attempt": params.get("attempt")}
        return Arming(readings, memory={STAMPING: params.get("attempt")})

    async def _sheet(self, params: Mapping[str, Json]) -> str:
        """The print attempt whose sheet lies under the stamp. Raises DeviceRefused."""
        memory = await self._notebook.memory()
        earlier = params.get("earlier")
        printed = earlier.get("attempt") if isinstance(earlier, Mapping) and earlier.get("sha256") else None
        if not isinstance(printed, str) or memory.get(SHEET) != printed:
            lies = memory.get(SHEET)
            raise DeviceRefused("sheet_not_present", f"{lies!r} lies there, not {printed!r}", waits_for="never")
        if memory.get(STAMPING) is not None or params.get("reprint", 0):
            raise DeviceRefused("stamp_not_repeated", f"begun by {memory.get(STAMPING)!r}", waits_for="never")
        return printed

    async def act(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Writes the pulse once. Raises OutcomeUnknown; DeviceUnavailable: nothing was sent."""
        if act != STAMP:
            return await self._printer.act(act, params, arming)
        try:
            await self._board.pulse(self._pulse)
        except (DeviceUnavailable, DeviceRefused):
            await self._notebook.remember({STAMPING: None})  # provably not begun: it may be tried again
            raise
        await self._sleep(self._pulse.ms / 1000)
        facts = {"evidence": "sent", "channel": self._pulse.channel, "ms": self._pulse.ms, **_sheet_of(arming)}
        return Verdict(Outcome.DONE, "stamped", Whereabouts.CUSTOMER, facts)

    async def watch(
        self, act: str, params: Mapping[str, Json], arming: Arming, *, limit_s: float, fresh: bool
    ) -> Verdict:
        """Nothing here can be watched."""
        raise DeviceRefused("invalid_act", f"{act} is no watch", waits_for="never")

    async def reconcile(self, act: str, params: Mapping[str, Json], arming: Arming) -> Verdict:
        """Of a stamp nobody can be asked: a person looks at the sheet."""
        if act != STAMP:
            return await self._printer.reconcile(act, params, arming)
        return Verdict(Outcome.UNKNOWN, "stamp_unproven", facts=_sheet_of(arming), lane_shut=True)


def _sheet_of(arming: Arming) -> dict[str, Json]:
    return {"sheet": arming.readings.get("sha256"), "printed_by": arming.readings.get("sheet")}
