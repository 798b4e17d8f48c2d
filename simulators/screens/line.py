"""A line with one or more screens: the machine that the outside world talks to, sans-io.

Knows whose frame it is, faults, and the time that an answer takes; bytes are a `Wire`'s affair, letters a `Glass`'s.
See `simulators.machine.Machine`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from simulators.faults import Armed, Fault
from simulators.machine import Action, Agenda, ControlError, Send, Unplug
from simulators.plan import Plan
from simulators.screens.controls import do
from simulators.screens.glass import Glass, Pages

ANSWER_S = 0.02


@dataclass(frozen=True)
class Told:
    """What one frame tells: to whom (None: every screen), what to show (None: nothing), what is answered."""

    address: int | None
    pages: Pages | None
    answer: bytes = b""
    no: bytes = b""  # the answer of a screen that refuses
    detail: Mapping[str, Any] = field(default_factory=dict)


class Wire(Protocol):
    """How bytes become what screens are told."""

    def feed(self, data: bytes, now: float) -> list[Told]: ...

    def spoilt(self, answer: bytes) -> bytes:
        """The answer with a wrong checksum."""
        ...

    @property
    def noise_bytes(self) -> int: ...


@dataclass
class Unit:
    """One screen: its glass, its armed faults, and how slowly it answers."""

    glass: Glass
    answer_s: float = ANSWER_S
    frames: int = 0
    armed: Armed = field(default_factory=Armed)
    epoch: int = 0  # a newer loss of power ends an older one's return


class ScreenLine:
    """`units` maps each address to its screen."""

    def __init__(self, units: Mapping[int, Unit], wire: Wire, plan: Plan | None, out: list[Action]) -> None:
        """`out` is the list that the units' glasses emit to."""
        self.units, self.wire = dict(units), wire
        self.line_armed = Armed()  # of the line, not of one screen: echo
        self.agenda = Agenda()
        self._plan, self._out = plan, out

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the host, in any slices."""
        self._begin(now)
        self.agenda.run(now)
        if self.line_armed.take("echo", now) is not None:
            self._out.append(Send(data))
        for told in self.wire.feed(data, now):
            for address, unit in self.units.items():
                if told.address in {None, address} and unit.glass.powered:
                    self._hear(unit, told, now)

    def _hear(self, unit: Unit, told: Told, now: float) -> None:
        unit.frames += 1
        for fault in self._plan.due("frame", unit.frames, unit.glass.device) if self._plan else []:
            self.strike(unit, fault, now)
        if not unit.glass.powered:
            return  # it was lost with this very frame
        silence = unit.armed.take("silence", now)
        if silence is not None and not silence.args["executes"]:
            return
        refuses = bool(told.no) and unit.armed.take("nak", now) is not None
        if told.pages is not None and not refuses:
            unit.glass.show(told.pages, now, **told.detail)
        answer = told.no if refuses else told.answer
        if silence is None and answer and told.address is not None:  # nobody answers to everybody's address
            self._answer(unit, answer, now)

    def _answer(self, unit: Unit, answer: bytes, now: float) -> None:
        if unit.armed.take("wrong_crc", now) is not None:
            answer = self.wire.spoilt(answer)
        if (garbage := unit.armed.take("garbage", now)) is not None:
            answer = garbage.args["hex"] + answer
        late = unit.armed.take("late_answer", now)
        due_s = now + unit.answer_s + (late.args["delay_s"] if late else 0.0)
        self.agenda.at(due_s, partial(self._send, unit, answer))

    def _send(self, unit: Unit, answer: bytes, now: float) -> None:
        if unit.glass.powered:
            self._out.append(Send(answer))

    def next_time(self) -> float | None:
        """When `advance` must be called at the latest."""
        return self.agenda.next_time()

    def advance(self, now: float) -> list[Action]:
        """What happened and what leaves up to `now`, in order."""
        self._begin(now)
        self.agenda.run(now)
        done, self._out[:] = list(self._out), []
        return done

    def snapshot(self) -> dict[str, Any]:
        """What is lit outlives this process."""
        return {unit.glass.device: unit.glass.snapshot() for unit in self.units.values()}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """Go on from a snapshot; a screen that was dark stays so until `power`."""
        for unit in self.units.values():
            if unit.glass.device in saved:
                unit.glass.restore(saved[unit.glass.device])

    def control(self, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Do one request of the control interface."""
        self._begin(now)
        self.agenda.run(now)
        return do(self, request, now)

    def unit_of(self, device: object) -> Unit:
        """The screen of that name, or the only one. Raises ControlError."""
        by_name = {unit.glass.device: unit for unit in self.units.values()}
        if device is None and len(by_name) == 1:
            return next(iter(by_name.values()))
        if not isinstance(device, str) or device not in by_name:
            raise ControlError(f"'device' must be one of {', '.join(by_name)}, not {device!r}")
        return by_name[device]

    def emit(self, action: Action) -> None:
        """An action of the line itself."""
        self._out.append(action)

    def strike(self, unit: Unit, fault: Fault, now: float) -> None:
        """Let a fault happen, or wait for its occasion."""
        if fault.name == "power_loss":
            unit.glass.power_off(now)
            unit.epoch += 1
            if fault.args["off_s"] is not None:
                self.agenda.at(now + fault.args["off_s"], partial(self._back, unit, unit.epoch))
        elif fault.name == "unplug":
            self.emit(Unplug(fault.args["for_s"]))
        else:
            (self.line_armed if fault.name == "echo" else unit.armed).add(fault, now)

    def _back(self, unit: Unit, epoch: int, now: float) -> None:
        if unit.epoch == epoch:
            unit.glass.power_on(now)

    def _begin(self, now: float) -> None:
        if self._plan is None or self._plan.started:
            return
        for after_s, device, fault in self._plan.start():
            for unit in self.units.values():
                if device in {None, unit.glass.device}:
                    self.agenda.at(now + after_s, partial(self.strike, unit, fault))
