"""A simulated document printer: HTTP in, IPP answered, jobs printed by time. See `simulators.machine.Machine`.

Knows its connection's begin and end besides bytes (`opened`, `closed`): a document cut short is told only by that.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from device_drivers.ipp.protocol import BadMessageError, Message, decode, encode
from simulators.faults import Armed, Fault
from simulators.ipp import controls, http
from simulators.ipp.answers import CREATE_JOB, Office
from simulators.ipp.jobs import Job
from simulators.ipp.mechanism import Mechanism
from simulators.ipp.options import Options
from simulators.machine import Action, Agenda, Effect, Plug, Send, Unplug
from simulators.plan import Plan


class IppPrinter:
    """One printer. One connection at a time; its port calls `opened` and `closed`."""

    def __init__(self, device: str, options: Options, plan: Plan | None = None) -> None:
        self.device, self.options = device, options
        self.agenda = Agenda()
        self.armed = Armed()
        self.mechanism = Mechanism(options, self.agenda, self.tell)
        self.office = Office(device, self.mechanism, self.up_s)
        self.powered = True
        self._booted_s: float | None = None
        self._plan = plan
        self._out: list[Action] = []
        self._requests = http.Requests()
        self._talk = 0  # counts connections: an answer that comes late is not for the next one
        self._cut_after: int | None = None
        self._counts = {"job": 0, "request": 0}

    def opened(self, now: float) -> None:
        """Somebody connected."""
        self._requests = http.Requests()
        self._talk += 1

    def closed(self, now: float) -> None:
        """The connection is gone; what came of a request by then is all that comes."""
        self._talk += 1
        body, self._requests = bytes(self._requests.body), http.Requests()
        try:
            if body and self.powered:
                self.office.cut_short(decode(body), now)
        except BadMessageError:
            return

    def receive(self, data: bytes, now: float) -> None:
        """Bytes of the connection that is there."""
        self._begin(now)
        self.agenda.run(now)
        if not self.powered:
            return
        if (cut := self.armed.take("cut", now)) is not None:
            self._cut_after = cut.args["after"]
        cut_here = self._cut_after is not None and len(data) > self._cut_after
        if self._cut_after is not None:
            data, self._cut_after = data[: self._cut_after], None if cut_here else self._cut_after - len(data)
        self._hear(data, now)
        if cut_here:
            self._out.append(Unplug(0.0))
            self.closed(now)

    def _hear(self, data: bytes, now: float) -> None:
        try:
            bodies = self._requests.feed(data)
        except http.BadRequestError:
            self.emit(Send(http.refusal(400, "Bad Request")))
            return
        if self._requests.said_continue:
            self._requests.said_continue = False
            self.emit(Send(http.CONTINUE))
        for body in bodies:
            self._serve(body, now)

    def _serve(self, body: bytes, now: float) -> None:
        self.count("request", now)
        if self.armed.take("login", now) is not None:
            self.emit(Send(http.refusal(401, "Unauthorized")))
            return
        try:
            request = decode(body)
        except BadMessageError:
            self.emit(Send(http.refusal(400, "Bad Request")))
            return
        silence = self.armed.take("no_answer", now)
        if silence is not None and not silence.args["executes"]:
            return
        if self.armed.take("busy", now) is not None:
            self._answer(self.office.busy(request), now)
            return
        answer = self.office.answer(request, now)
        created = request.code == CREATE_JOB and answer.code == 0
        if created:
            self.count("job", now)
        if silence is None and not (created and self.armed.take("hang_after_create", now)):
            self._answer(answer, now)

    def _answer(self, answer: Message, now: float) -> None:
        garbage = self.armed.take("garbage", now) is not None
        late = self.armed.take("late_answer", now)
        data = http.answer(b"\x02\x00\x00" if garbage else encode(answer), chunked=self.options.chunked)
        delay_s = self.options.answer_s + (late.args["delay_s"] if late is not None else 0.0)
        self.agenda.at(now + delay_s, partial(self._send, data, self._talk))

    def _send(self, data: bytes, talk: int, now: float) -> None:
        if talk == self._talk and self.powered:
            self.emit(Send(data))

    def next_time(self) -> float | None:
        """When `advance` must be called at the latest."""
        return self.agenda.next_time()

    def advance(self, now: float) -> list[Action]:
        """What happened and what leaves up to `now`, in order."""
        self._begin(now)
        self.agenda.run(now)
        done, self._out[:] = list(self._out), []
        return done

    def up_s(self, now: float) -> float:
        """printer-up-time, with its fraction."""
        return now - (now if self._booted_s is None else self._booted_s)

    def restart(self, off_s: float, now: float, *, keeps_history: bool) -> None:
        """Power goes and comes back."""
        self.powered = False
        self.closed(now)
        self.tell("show", "power_lost", {}, now)
        self.mechanism.lose_power(now, keeps_history=keeps_history)
        self.emit(Unplug(None))
        self.agenda.at(now + off_s, self._back)

    def _back(self, now: float) -> None:
        self.powered, self._booted_s = True, now
        self.tell("show", "power_restored", {}, now)
        self.emit(Plug())

    def snapshot(self) -> dict[str, Any]:
        """What survives the end of this process."""
        mechanism = self.mechanism
        return {
            "jobs": [job.saved() for job in mechanism.jobs],
            "next_id": mechanism.next_id,
            "sheets": mechanism.sheets,
            "troubles": list(mechanism.troubles),
            "booted_s": self._booted_s,
        }

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """Go on from a snapshot: the printer itself was never off."""
        mechanism = self.mechanism
        mechanism.jobs = [Job.loaded(job) for job in saved["jobs"]]
        mechanism.next_id, mechanism.sheets = int(saved["next_id"]), int(saved["sheets"])
        mechanism.troubles = list(saved["troubles"])
        self._booted_s = saved["booted_s"]
        mechanism.resume(now)

    def control(self, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Do one request of the control interface."""
        self._begin(now)
        self.agenda.run(now)
        return controls.do(self, request, now)

    def strike(self, fault: Fault, now: float) -> None:
        """Let a fault happen, or wait for its occasion."""
        controls.strike(self, fault, now)

    def tell(self, kind: Any, act: str, detail: dict[str, Any], now: float) -> None:
        self._out.append(Effect(now, self.device, kind, act, detail))

    def emit(self, action: Action) -> None:
        self._out.append(action)

    def count(self, what: str, now: float) -> None:
        """One more job or request: the plan may have something for it."""
        self._counts[what] += 1
        for fault in self._plan.due(what, self._counts[what], self.device) if self._plan else []:
            self.strike(fault, now)

    def _begin(self, now: float) -> None:
        if self._booted_s is None:
            self._booted_s = now
        if self._plan is not None and not self._plan.started:
            for after_s, device, fault in self._plan.start():
                if device in {None, self.device}:
                    self.agenda.at(now + after_s, partial(self.strike, fault))
