"""A serial line with the lock boards of one cabinet: the machine that the outside world talks to, sans-io.

Knows which lock and which contact a frame means, group frames included: the real boards open all at lock 00, and a
repeated frame opens again. See `simulators.machine.Machine` for how to drive it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from simulators.cells import controls
from simulators.cells.chest import Chest
from simulators.cells.frames import OPEN, QUERY, Command, Decoder, answer
from simulators.cells.options import Options
from simulators.crt591.transmitter import Transmitter
from simulators.faults import Armed, Fault
from simulators.machine import Action, Agenda, Effect, Send
from simulators.plan import Plan

BITS = {0x00: 0x11, 0x11: 0x00}


class LockBoards:
    """One board whose locks are the cells, and those whose contacts show the items."""

    def __init__(self, device: str, board: int, options: Options, plan: Plan | None = None) -> None:
        self.device, self.board, self.options = device, board, options
        self.armed = Armed()
        self.agenda = Agenda()
        self._out: list[Action] = []
        self.wire: Transmitter = Transmitter(self.agenda, self.armed, self._out.append)
        self.chest = Chest(device, options, self.agenda, self.armed, self.tell)
        self.chest.on_pulse = lambda nth, now: self._count("pulse", nth, now)
        self.powered = True
        self.frames = 0
        self.dead: dict[int, float] = {}  # board -> until when it is silent
        self._decoder = Decoder()
        self._plan = plan
        self._bounces: Counter[tuple[int, int]] = Counter()
        self._cycle = object()

    def tell(self, kind: Any, act: str, detail: dict[str, Any], now: float) -> None:
        """An effect, for the ledger."""
        self._out.append(Effect(now, self.device, kind, act, detail))

    # -- what comes from the host ------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the host, in any slices."""
        self._begin(now)
        if self.armed.lasting("echo", now):
            self._out.append(Send(data))  # the host's adapter does it, whatever the boards do
        for command in self._decoder.feed(data, now):
            if self.powered and (command.board == self.board or command.board in self.options.item_boards):
                self._serve(command, now)

    def _serve(self, command: Command, now: float) -> None:
        self.frames += 1
        self._count("frame", self.frames, now)
        if not self.powered or self.dead.get(command.board, 0.0) > now:
            return
        silence = self.armed.take("silence", now)
        if silence is not None and not silence.args["executes"]:
            return
        if command.kind == QUERY and command.lock:
            if silence is None:
                self._say(command, now + self.options.answer_s)
        elif command.kind == OPEN and command.board == self.board:
            self._open(command, now, answers=silence is None)

    def _open(self, command: Command, now: float, *, answers: bool) -> None:
        locks = [command.lock] if command.lock else range(1, self.options.cells + 1)
        cycle = self._cycle
        for lock in locks:
            name = f"{lock:02d}"
            if name in self.chest.cells:
                self.chest.pulse(name, now, then=partial(self._opened, command, cycle) if answers else _nothing)

    def _opened(self, command: Command, cycle: object, now: float) -> None:
        if self.powered and self._cycle is cycle and command.lock:  # nobody answers for all of them
            self._say(command, now)

    def _say(self, command: Command, when_s: float) -> None:
        lock = command.lock + (self.armed.take("wrong_lock", when_s) is not None)
        self.wire.answer(answer(command.kind, command.board, lock, self._state(command, when_s)), when_s)

    def _state(self, command: Command, now: float) -> int:
        shows_item = command.board in self.options.item_boards
        number = self.options.cell_of(command.board, command.lock) if shows_item else command.lock
        cell = self.chest.cells.get(f"{number:02d}")
        closed = cell is not None and (cell.serial is not None if shows_item else not cell.is_open)
        state = self.options.locked_feedback if closed else BITS[self.options.locked_feedback]
        if self.armed.lasting("bouncing", now):
            self._bounces[command.board, command.lock] += 1
            state = BITS[state] if self._bounces[command.board, command.lock] % 2 else state
        return state

    # -- the machine ---------------------------------------------------------------------------------------------------

    def next_time(self) -> float | None:
        """When `advance` must be called at the latest; None while nothing is going on."""
        return self.agenda.next_time()

    def advance(self, now: float) -> list[Action]:
        """What happened and what leaves up to `now`, in order."""
        self._begin(now)
        done, self._out[:] = list(self._out), []
        return done

    def snapshot(self) -> dict[str, Any]:
        """What survives the end of this process."""
        return {"cells": self.chest.snapshot(), "pulses": self.chest.pulses}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """Go on from a snapshot; a pulse under way is not resumed."""
        self.chest.restore(saved["cells"], now)
        self.chest.pulses = int(saved["pulses"])

    def control(self, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Do one request of the control interface."""
        self._begin(now)
        answered = controls.do(self, request, now)
        return {**answered, "noise_bytes": self._decoder.noise_bytes} if request.get("do") == "state" else answered

    def power_off(self, off_s: float | None, now: float) -> None:
        """No answers; doors stay as they are, for a lock holds without power."""
        if self.powered:
            self.powered, self._cycle = False, object()
            self.wire.cut()
            self.chest.cut_power()
            self.tell("show", "power_lost", {}, now)
            if off_s is not None:
                self.agenda.at(now + off_s, self.power_on)

    def power_on(self, now: float) -> None:
        if not self.powered:
            self.powered = True
            self.tell("show", "power_restored", {}, now)

    def strike(self, fault: Fault, now: float) -> None:
        """Let a fault happen: at once, or armed for its next occasion."""
        controls.strike(self, fault, now)

    def _count(self, what: str, nth: int, now: float) -> None:
        for fault in self._plan.due(what, nth, self.device) if self._plan else []:
            self.strike(fault, now)

    def _begin(self, now: float) -> None:
        if self._plan is not None and not self._plan.started:
            for after_s, device, fault in self._plan.start():
                if device in {None, self.device}:
                    self.agenda.at(now + after_s, partial(self.strike, fault))
        self.agenda.run(now)


def _nothing(_now: float) -> None:
    return None
