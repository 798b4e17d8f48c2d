"""A line with Modbus units of several kinds on it: the machine that the outside world talks to, sans-io.

Knows which unit a frame is for, when an answer leaves and what the wire does to it; a unit's deeds are its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from simulators.faults import Armed, Fault, FaultTable, parse_fault
from simulators.machine import Action, Agenda, ControlError, Plug, Send, Unplug, verb_of
from simulators.modbus.faults import LINE_FAULTS, UNIT_FAULTS
from simulators.modbus.frames import Asked, Framing
from simulators.modbus.requests import refused, serve
from simulators.modbus.unit import Shell, Unit
from simulators.plan import Plan

VERBS: dict[str, set[str]] = {"fault": {"name", "args"}, "clear": set(), "power": {"on"}, "plug": set(), "state": set()}
BABBLE_S = 0.01  # between two pieces of it


class ModbusLine:
    """See `simulators.machine.Machine` for how to drive it. Frames for an address that nobody has are silence."""

    def __init__(self, framing: Framing, plan: Plan | None = None) -> None:
        self.units: dict[int, Unit] = {}
        self._by_name: dict[str, Unit] = {}
        self._framing, self._plan = framing, plan
        self._agenda = Agenda()
        self._out: list[Action] = []
        self._armed = Armed()  # faults of the line
        self._stuck_until_s = self._echo_until_s = self._babble_until_s = 0.0

    def add(self, make: type[Unit], device: str, address: int, options: Mapping[str, Any]) -> Unit:
        """One more unit. Raises ControlError."""
        if not 1 <= address <= 247 or address in self.units:
            raise ControlError(f"{device}: a unit has an address of 1 to 247 that no other on its line has: {address}")
        unit = make(device, address, Shell(self._agenda, self._out.append, self._named, self._count), options)
        self.units[address] = self._by_name[device] = unit
        return unit

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the host, in any slices."""
        self._run(now)
        if now < self._stuck_until_s:
            return
        if now < self._echo_until_s:
            self._out.append(Send(data))
        for asked in self._framing.feed(data, now):
            self._hear(asked, now)

    def next_time(self) -> float | None:
        """When `advance` must be called at the latest."""
        times = [at_s for at_s in (self._agenda.next_time(), self._framing.due_s) if at_s is not None]
        return min(times, default=None)

    def advance(self, now: float) -> list[Action]:
        """What happened and what leaves up to `now`, in order."""
        self._run(now)
        self._agenda.run(now)
        done, self._out[:] = list(self._out), []
        return done

    def snapshot(self) -> dict[str, Any]:
        """What survives the end of this process, as plain JSON values."""
        return {unit.device: unit.snapshot() for unit in self.units.values()}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """Go on from a snapshot; units that it does not know begin new."""
        for unit in self.units.values():
            if unit.device in saved:
                unit.restore(saved[unit.device], now)

    def control(self, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """One request: `fault`, `clear`, `power`, `plug`, `state`, or one of the unit's own."""
        self._run(now)
        self._agenda.run(now)
        verb, fault = request.get("do"), request.get("name")
        if verb == "fault" and fault in LINE_FAULTS:
            verb_of(request, VERBS)
            self._strike_line(parse_fault(fault, request.get("args"), LINE_FAULTS), now)
            return {"armed": self._armed.names()}
        if verb == "clear" and "device" not in request:
            return self._clear_all()
        unit = self._meant(request)
        return self._do(unit, verb_of(request, {**VERBS, **unit.VERBS}), request, now)

    def _do(self, unit: Unit, verb: str, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        if verb in unit.VERBS:
            return unit.do(verb, request, now)
        if verb == "fault":
            table: FaultTable = {**UNIT_FAULTS, **unit.FAULTS}
            self._strike(unit, parse_fault(request.get("name"), request.get("args"), table), now)
        elif verb == "clear":
            unit.armed.clear()
        elif verb == "plug":
            self._out.append(Plug())
        elif verb == "power":
            self._power(unit, on=request.get("on") is True, now=now)
        return {
            **unit.state(),
            "powered": unit.powered,
            "frames": unit.frames,
            "armed": unit.armed.names(),
            "noise_bytes": self._framing.noise_bytes,
        }

    def _clear_all(self) -> dict[str, Any]:
        self._armed.clear()
        self._stuck_until_s = self._echo_until_s = self._babble_until_s = 0.0
        for unit in self.units.values():
            unit.armed.clear()
        return {"armed": []}

    def _meant(self, request: Mapping[str, Any]) -> Unit:
        name = request.get("device")
        if name is None and len(self._by_name) == 1:
            return next(iter(self._by_name.values()))
        return self._named(name)

    def _named(self, name: Any) -> Unit:
        if not isinstance(name, str) or name not in self._by_name:
            raise ControlError(f"'device' must be one of {', '.join(self._by_name)}, not {name!r}")
        return self._by_name[name]

    # --- frames ---------------------------------------------------------------------------------------------------

    def _hear(self, asked: Asked, now: float) -> None:
        """Everybody does what a broadcast says, and nobody answers it."""
        meant: Sequence[Unit] = list(self.units.values())
        if asked.unit:
            meant = [self.units[asked.unit]] if asked.unit in self.units else []
        for unit in meant:
            if unit.powered:
                self._answer(unit, asked, now)

    def _answer(self, unit: Unit, asked: Asked, now: float) -> None:
        unit.frames += 1
        self._count(unit, "frame", unit.frames, now)
        if not unit.powered or unit.armed.take("dead", now) is not None:
            return
        silence = unit.armed.take("silence", now)
        if silence is not None and not silence.args["executes"]:
            return
        no = unit.armed.take("exception", now)
        pdu = serve(unit, asked.pdu, now) if no is None else refused(asked.pdu, no.args["code"])
        if silence is None and asked.unit and unit.powered:
            self._say(unit, asked, pdu, now)

    def _say(self, unit: Unit, asked: Asked, pdu: bytes, now: float) -> None:
        if unit.armed.take("wrong_echo", now) is not None:
            pdu = pdu[:-1] + bytes([pdu[-1] ^ 1])
        if unit.armed.take("wrong_unit", now) is not None:
            asked = Asked(asked.unit % 247 + 1, asked.pdu, asked.tag)
        frame = self._spoilt(unit, self._framing.frame(asked, pdu), now)
        delay_s = unit.options["answer_s"]
        for name in ("late_answer", "slow"):
            if (fault := unit.armed.take(name, now)) is not None:
                delay_s += fault.args["delay_s"]
        self._agenda.at(now + delay_s, partial(self._send, unit, unit.outages, frame))

    def _spoilt(self, unit: Unit, frame: bytes, now: float) -> bytes:
        if unit.armed.take("wrong_crc", now) is not None:
            frame = frame[:-1] + bytes([frame[-1] ^ 0xFF])
        if unit.armed.take("half_answer", now) is not None:
            frame = frame[: len(frame) // 2]
        if unit.armed.take("collision", now) is not None:  # where both drive the pair, what one sends as 0 wins
            frame = bytes(byte & 0x55 for byte in frame) + b"\x00"
        garbage = self._armed.take("garbage", now)
        return frame if garbage is None else garbage.args["hex"] + frame

    def _send(self, unit: Unit, outages: int, frame: bytes, now: float) -> None:
        """What it had to say went with its power, also where that is back by now."""
        if unit.powered and unit.outages == outages and now >= self._stuck_until_s:
            self._out.append(Send(frame))

    # --- time and faults ------------------------------------------------------------------------------------------

    def _run(self, now: float) -> None:
        """Everything up to `now`, frames that a silence has ended in their turn."""
        self._start_plan(now)
        while (at_s := self.next_time()) is not None and at_s <= now:
            self._agenda.run(at_s)
            for asked in self._framing.close(at_s):
                self._hear(asked, at_s)

    def _strike(self, unit: Unit, fault: Fault, now: float) -> None:
        if fault.name in LINE_FAULTS:
            self._strike_line(fault, now)
        elif fault.name == "power_loss":
            self._power(unit, on=False, now=now)
            if fault.args["off_s"] is not None:
                self._agenda.at(now + fault.args["off_s"], lambda at_s: self._power(unit, on=True, now=at_s))
        elif fault.name in unit.FAULTS:
            unit.strike(fault, now)
        elif fault.name == "dead" and fault.args["for_s"] is None:
            unit.armed.add(Fault("dead", {"for_s": float("inf")}), now)
        else:
            unit.armed.add(fault, now)

    def _strike_line(self, fault: Fault, now: float) -> None:
        for_s = fault.args.get("for_s")
        until_s = float("inf") if for_s is None else now + for_s
        if fault.name == "unplug":
            self._out.append(Unplug(for_s))
        elif fault.name == "stuck_bus":
            self._stuck_until_s = until_s
        elif fault.name == "echo":
            self._echo_until_s = until_s
        elif fault.name == "babble":
            self._babble_until_s = until_s
            self._babble(max(1, int(fault.args["bytes_per_s"] * BABBLE_S)), now)
        else:
            self._armed.add(fault, now)

    def _babble(self, count: int, now: float) -> None:
        if now < self._babble_until_s:
            self._out.append(Send(b"\xff" * count))
            self._agenda.at(now + BABBLE_S, partial(self._babble, count))

    def _power(self, unit: Unit, *, on: bool, now: float) -> None:
        if unit.powered == on:
            return
        unit.powered = on
        unit.outages += not on
        unit.tell("show", "power_restored" if on else "power_lost", {}, now)
        (unit.power_back if on else unit.power_lost)(now)

    def _count(self, unit: Unit, what: str, nth: int, now: float) -> None:
        for fault in self._plan.due(what, nth, unit.device) if self._plan else []:
            self._strike(unit, fault, now)

    def _start_plan(self, now: float) -> None:
        if self._plan is None or self._plan.started:
            return
        for after_s, device, fault in self._plan.start():
            if fault.name in LINE_FAULTS:  # once, whichever device it names
                self._agenda.at(now + after_s, partial(self._strike_line, fault))
                continue
            for unit in self.units.values():
                if device in {None, unit.device}:
                    self._agenda.at(now + after_s, partial(self._strike, unit, fault))
