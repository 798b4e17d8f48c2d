"""One code scanner on a line of its own: what is shown to it goes out at once, and nobody can ask it anything. Sans-io.

Knows prefix, end and its faults; must not know what a code is for. See `simulators.machine.Machine`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from device_drivers.scanner.protocol import encode
from simulators.faults import Armed, Fault, parse_fault
from simulators.machine import Action, Agenda, ControlError, Effect, Plug, Send, Unplug, verb_of
from simulators.plan import Plan
from simulators.scanner.faults import FAULTS

_KEYS = {"scan": {"code"}, "fault": {"name", "args"}, "clear": set(), "plug": set(), "state": set()}
MAX_CODE = 4096


class Scanner:
    """`prefix` and `end` stand around each code. A code is shown by the control request `scan`."""

    def __init__(self, device: str, prefix: bytes, end: bytes, plan: Plan | None) -> None:
        self.device = device
        self._prefix, self._end, self._plan = prefix, end, plan
        self._agenda, self._armed, self._out = Agenda(), Armed(), list[Action]()
        self._glued = b""
        self.scans = 0
        self.ignored_bytes = 0

    def receive(self, data: bytes, now: float) -> None:
        """It understands nothing."""
        self.ignored_bytes += len(data)

    def next_time(self) -> float | None:
        """When `advance` must be called at the latest."""
        return self._agenda.next_time()

    def advance(self, now: float) -> list[Action]:
        """What happened and what leaves up to `now`, in order."""
        self._begin(now)
        self._agenda.run(now)
        done, self._out = self._out, []
        return done

    def snapshot(self) -> dict[str, Any]:
        """It remembers nothing but how often it was used."""
        return {"scans": self.scans}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """What was on its way when the process died is lost."""
        self.scans = int(saved["scans"])

    def control(self, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Do one request of the control interface. Raises ControlError."""
        self._begin(now)
        self._agenda.run(now)
        verb = verb_of(request, _KEYS, self.device)
        if verb == "scan":
            self._scan(_code_in(request), now)
        elif verb == "fault":
            self._strike(parse_fault(request.get("name"), request.get("args"), FAULTS), now)
        elif verb == "clear":
            self._armed.clear()
        elif verb == "plug":
            self._out.append(Plug())
        return {"device": self.device, "scans": self.scans, "faults": self._armed.names()}

    # -- scanning ------------------------------------------------------------------------------------------------------

    def _scan(self, code: str, now: float) -> None:
        self.scans += 1
        for fault in self._plan.due("scan", self.scans, self.device) if self._plan else []:
            self._strike(fault, now)
        self._out.append(Effect(now, self.device, "show", "scanned", {"code": code, "scan": self.scans}))
        wire = self._spoilt(encode(code.encode(), prefix=self._prefix, end=self._end), now)
        repeat = self._armed.take("repeat", now)
        if self._armed.take("glued", now) is not None:
            self._glued += wire
            return
        wire, self._glued = self._glued + wire, b""
        slow = self._armed.take("slow", now)
        for n in range(repeat.args["times"] if repeat else 1):
            self._send(wire, now + (n * repeat.args["every_s"] if repeat else 0.0), slow)

    def _spoilt(self, wire: bytes, now: float) -> bytes:
        if self._armed.take("half", now) is not None:
            wire = wire[: max(1, len(wire) // 2)]
        garbage = self._armed.take("garbage", now)
        return garbage.args["hex"] + wire if garbage else wire

    def _send(self, wire: bytes, when_s: float, slow: Fault | None) -> None:
        pieces = [wire[n : n + 1] for n in range(len(wire))] if slow else [wire]
        for n, piece in enumerate(pieces):
            self._agenda.at(when_s + (n * slow.args["byte_s"] if slow else 0.0), partial(self._emit, piece))

    def _emit(self, piece: bytes, now: float) -> None:
        self._out.append(Send(piece))

    def _strike(self, fault: Fault, now: float) -> None:
        if fault.name == "unplug":
            self._out.append(Unplug(fault.args["for_s"]))
        elif fault.name == "flood":
            count = max(1, int(fault.args["for_s"] / max(0.01, fault.args["every_s"])))
            for n in range(count):
                wire = encode(b"RUBBISH-%d" % n, prefix=self._prefix, end=self._end)
                self._agenda.at(now + n * fault.args["every_s"], partial(self._emit, wire))
        else:
            self._armed.add(fault, now)

    def _begin(self, now: float) -> None:
        if self._plan is None or self._plan.started:
            return
        for after_s, device, fault in self._plan.start():
            if device in {None, self.device}:
                self._agenda.at(now + after_s, partial(self._strike, fault))


def _code_in(request: Mapping[str, Any]) -> str:
    code = request.get("code")
    if not isinstance(code, str) or not 0 < len(code) <= MAX_CODE:
        raise ControlError(f"'code' must be a text of 1 to {MAX_CODE} letters, not {code!r}")
    return code
