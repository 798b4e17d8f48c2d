"""One CRT-591 unit as the host meets it: what it accepts, refuses and answers, and its power.

Knows commands and when they may come; metal is the drive's, bytes on the line are the transmitter's.
The dangerous behaviour of the real machine is meant: see docs/simulators.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from simulators.crt591 import replies
from simulators.crt591.drive import Drive
from simulators.crt591.frames import Command, Control, failure
from simulators.crt591.mechanics import Mechanics, Move
from simulators.crt591.motion import MOVE, RESET, Job, moves_metal, stages
from simulators.crt591.options import Options
from simulators.crt591.transmitter import Transmitter
from simulators.faults import Armed
from simulators.machine import Action, Agenda, Detail, Effect, Kind


class Unit:
    """All calls carry the time of the line's agenda; everything that leaves goes through `emit`."""

    def __init__(self, device: str, options: Options, agenda: Agenda, emit: Callable[[Action], None]) -> None:
        self.device, self.options = device, options
        self.armed = Armed()
        self.metal = Mechanics(device, options)
        self.wire: Transmitter = Transmitter(agenda, self.armed, emit)
        self.drive: Drive = Drive(options, agenda, self.metal, self.armed, self.tell)
        self.drive.at_end, self.drive.cut_power = self._motion_ended, self.power_off
        self.powered = True
        self.comes_back = False  # the power is off and will be on again by itself
        self.entry = False
        self.frames = self.motions = 0
        self.on_count: Callable[[str, int, float], None] = lambda what, nth, now: None
        self._agenda, self._emit = agenda, emit
        self._query: object = None  # the question that still waits for its answer
        self._outage: object = None
        self._last_answer: bytes | None = None

    def tell(self, kind: Kind, act: str, detail: Detail, now: float) -> None:
        """An effect, for the ledger."""
        self._emit(Effect(now, self.device, kind, act, detail))

    # --- what comes from the host -----------------------------------------------------------------------------

    def on_command(self, command: Command, now: float) -> None:
        """A good frame for this unit. There is no sequence number: the same frame again is a new command."""
        if not self.powered:
            return
        self.frames += 1
        self.on_count("frame", self.frames, now)
        if self.drive.job is not None:
            self.drive.disturb(command, now)
        elif self.powered:  # the fault plan may just have cut it
            self._accept(command, now)

    def on_bad_frame(self, now: float) -> None:
        """A frame that must be refused; a unit at work does not even listen to it."""
        if self.powered and self.drive.job is None and not self.armed.lasting("silence", now):
            self._say(Control.NAK, now)

    def on_nak(self, now: float) -> None:
        """The host did not understand: the last answer goes out again, and nothing else happens."""
        if self.powered and self.drive.job is None and self._last_answer is not None:
            self.wire.answer(self._last_answer, now + self.options.ack_s)

    def on_eot(self, now: float) -> None:
        """Stop. Where the card is then depends on how far it had come; there is no answer but EOT."""
        if not self.powered or (self.drive.job is None and self._query is None):
            return
        job, self._query = self.drive.stop(now), None
        if job is not None:
            self.tell("show", "stopped", {"during": job.command.name, **self.drive.whereabouts()}, now)
        self._say(Control.EOT, now)

    # --- one command ------------------------------------------------------------------------------------------

    def _accept(self, command: Command, now: float) -> None:
        silence = self.armed.take("silence", now)
        if silence is None and self.armed.take("nak_storm", now):
            self._say(Control.NAK, now)
            return
        self._query = self._last_answer = None  # a new command takes the place of a question still open
        if silence is None and self.armed.take("no_ack", now) is None:
            self._say(Control.ACK, now)
        if silence is None or silence.args["executes"]:
            self._execute(command, now, answers=silence is None)

    def _execute(self, command: Command, now: float, *, answers: bool) -> None:
        error = replies.refusal(command)
        if error is None and moves_metal(command, self.metal):
            self.motions += 1
            self.on_count("motion", self.motions, now)
        error = error or self._precondition(command)
        if not self.powered:  # the fault plan may just have cut it
            return
        if error is None and command.cm in {RESET, MOVE}:
            self.drive.begin(command, now + self.options.ack_s, answers=answers)
            return
        query = self._query = object()
        reply = partial(self._reply, command, error, query, answers)
        self._agenda.at(now + self.options.ack_s + self.options.query_s, reply)

    def _precondition(self, command: Command) -> str | None:
        if command.cm != RESET and not self.drive.initialised:
            return "B0"
        if command.cm == MOVE and self.drive.latched:
            return self.drive.latched
        if command.cm not in {RESET, MOVE}:
            return None
        move = stages(command, self.metal, self.options)[0].move
        if move is Move.DRAW and self.metal.stacker_empty:
            return "A0"
        return "A1" if move is Move.CAPTURE and self.metal.bin_full else None

    def _reply(self, command: Command, error: str | None, query: object, answers: object, now: float) -> None:
        if self._query is query:
            self._query = None
            self._conclude(failure(command, error) if error else replies.answer(self, command), answers, now)

    def _motion_ended(self, job: Job, now: float) -> None:
        if job.command.cm == RESET and self.drive.initialised:
            self.entry = False
        answer = failure(job.command, job.error) if job.error else replies.answer(self, job.command)
        self._conclude(answer, job.answers, now)

    def _conclude(self, answer: bytes, answers: object, now: float) -> None:
        self._last_answer = answer
        if answers:
            self.wire.answer(answer, now)

    def _say(self, control: Control, now: float) -> None:
        self.wire.send(bytes((control,)), now + self.options.ack_s)

    # --- power ------------------------------------------------------------------------------------------------

    def power_off(self, off_s: float | None, now: float) -> None:
        """No answers; each card stays where it is; what the unit knew is gone but for its counter."""
        if not self.powered:
            return
        job = self.drive.stop(now)
        self._query, self._last_answer, self.entry = None, None, False
        self.drive.forget()
        self.wire.cut()
        self.powered, self.comes_back = False, off_s is not None
        during = None if job is None else job.command.name
        self.tell("show", "power_lost", {"during": during, **self.drive.whereabouts()}, now)
        outage = self._outage = object()

        def come_back(at_s: float) -> None:
            if self._outage is outage:
                self.power_on(at_s)

        if off_s is not None:
            self._agenda.at(now + off_s, come_back)

    def power_on(self, now: float) -> None:
        """Power is back: B0 until a reset."""
        if not self.powered:
            self.powered, self.comes_back, self._outage = True, False, None
            self.tell("show", "power_restored", {}, now)
