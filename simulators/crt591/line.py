"""A serial line with one or more CRT-591 units on it: the machine that the outside world talks to, sans-io.

Knows which unit a byte is for; what a unit does with it is the unit's affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from simulators.crt591 import controls
from simulators.crt591.frames import BadFrame, Command, Control, Decoder, Item
from simulators.crt591.options import Options
from simulators.crt591.unit import Unit
from simulators.machine import Action, Agenda, ControlError
from simulators.plan import Plan

MAX_UNIT = 0x0F


class Crt591Line:
    """See `simulators.machine.Machine` for how to drive it.

    `units` maps each unit's address (0..15) to its device name and options. Control bytes carry no address: they are
    for the unit that was addressed last.
    """

    def __init__(self, units: Mapping[int, tuple[str, Options]], plan: Plan | None = None) -> None:
        if not units or any(not 0 <= address <= MAX_UNIT for address in units):
            raise ControlError(f"a line has 1 to 16 units with addresses 0 to 15, not {sorted(units)}")
        self._agenda = Agenda()
        self._out: list[Action] = []
        self.units = {
            address: Unit(device, options, self._agenda, self._out.append)
            for address, (device, options) in units.items()
        }
        self._decoder = Decoder(max(options.gap_s for _, options in units.values()))
        self._addressed: Unit | None = None
        self._plan = plan
        for unit in self.units.values():
            unit.on_count = partial(self._count, unit)

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the host, in any slices."""
        self._start_plan(now)
        self._agenda.run(now)
        for item in self._decoder.feed(data, now):
            self._hand_over(item, now)

    def next_time(self) -> float | None:
        """When `advance` must be called at the latest; None while nothing is going on."""
        return self._agenda.next_time()

    def advance(self, now: float) -> list[Action]:
        """What happened and what leaves up to `now`, in order."""
        self._start_plan(now)
        self._agenda.run(now)
        done, self._out[:] = list(self._out), []
        return done

    def snapshot(self) -> dict[str, Any]:
        """What survives the end of this process, as plain JSON values."""
        return {unit.device: controls.snapshot(unit) for unit in self.units.values()}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """Go on from a snapshot; units that it does not know begin new, a motion under way is not resumed."""
        for unit in self.units.values():
            if unit.device in saved:
                controls.restore(unit, saved[unit.device], now)

    def control(self, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Do one request of the control interface."""
        self._start_plan(now)
        self._agenda.run(now)
        answer = controls.do(self._unit_of(request), request, now)
        return {**answer, "noise_bytes": self._decoder.noise_bytes} if request.get("do") == "state" else answer

    def _unit_of(self, request: Mapping[str, Any]) -> Unit:
        by_name = {unit.device: unit for unit in self.units.values()}
        name = request.get("device")
        if name is None and len(by_name) == 1:
            return next(iter(by_name.values()))
        if not isinstance(name, str) or name not in by_name:
            raise ControlError(f"'device' must be one of {', '.join(by_name)}, not {name!r}")
        return by_name[name]

    def _hand_over(self, item: Item, now: float) -> None:
        if isinstance(item, (Command, BadFrame)):
            unit = self._addressed = self.units.get(item.unit)
            if unit is None:
                return
            if isinstance(item, Command):
                unit.on_command(item, now)
            else:
                unit.on_bad_frame(now)
        elif self._addressed is not None and item is Control.NAK:
            self._addressed.on_nak(now)
        elif self._addressed is not None and item is Control.EOT:
            self._addressed.on_eot(now)

    def _count(self, unit: Unit, what: str, nth: int, now: float) -> None:
        for fault in self._plan.due(what, nth, unit.device) if self._plan else []:
            controls.strike(unit, fault, now)

    def _start_plan(self, now: float) -> None:
        if self._plan is None or self._plan.started:
            return
        for after_s, device, fault in self._plan.start():
            for unit in self.units.values():
                if device in {None, unit.device}:
                    self._agenda.at(now + after_s, partial(controls.strike, unit, fault))
