"""One CRT-591 unit: what it answers to each command, what it moves meanwhile, and what comes between.

Knows commands and metal; it is handed the time and a way to emit, and knows nothing of the line's other units.
The dangerous behaviour of the real machine is meant: see docs/simulators.md.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from simulators.crt591 import replies
from simulators.crt591.answers import spoil
from simulators.crt591.frames import Command, Control, failure
from simulators.crt591.mechanics import Mechanics, Move, Note, Place
from simulators.crt591.motion import MOVE, RESET, RESET_COUNTING, Job, moves_metal, stages
from simulators.crt591.options import Options
from simulators.customer import Customer
from simulators.faults import Armed
from simulators.machine import Action, Agenda, Effect, Plug, Send, Unplug

FLOOD_TICK_S = 0.02
MOTION_ERRORS = {"jam": "10", "sensor_error": "12", "cannot_reach_ic": "43", "motor_error": "51"}


class Unit:
    """All calls are made with the time of the line's agenda; everything that leaves goes through `emit`."""

    def __init__(self, device: str, options: Options, agenda: Agenda, emit: Callable[[Action], None]) -> None:
        self.device, self.options = device, options
        self.metal = Mechanics(device, options)
        self.armed = Armed()
        self.customer, self.next_customers = options.customer, list[Customer]()
        self.customers_of: dict[str, Customer] = {}
        self.powered, self.initialised, self.comes_back = True, False, False
        self.entry = False
        self.latched: str | None = None
        self.job: Job | None = None
        self.frames = self.motions = 0
        self.on_count: Callable[[str, int, float], None] = lambda what, nth, now: None
        self._agenda, self._emit = agenda, emit
        self._query: object = None
        self._last_answer: bytes | None = None
        self._power_cycle = 0
        self._standing: object = None  # one for each time that a card comes to stand in the gate

    # --- what the line hands in -------------------------------------------------------------------------------

    def on_command(self, command: Command, now: float) -> None:
        """A good frame for this unit. There is no sequence number: the same frame again is a new command."""
        if not self.powered:
            return
        self.frames += 1
        self.on_count("frame", self.frames, now)
        if not self.powered:  # the plan has just cut the power
            return
        if self.job is not None:
            self._disturb(command, now)
            return
        silence = self.armed.take("silence", now)
        if silence is None and self.armed.take("nak_storm", now):
            self.send(bytes((Control.NAK,)), now + self.options.ack_s)
            return
        self._query, self._last_answer = None, None
        if silence is None and not self.armed.take("no_ack", now):
            self.send(bytes((Control.ACK,)), now + self.options.ack_s)
        if silence is None or silence.args["executes"]:
            self._execute(command, silence is None, now)

    def on_bad_frame(self, now: float) -> None:
        """A frame that must be refused; a unit at work does not even listen to it."""
        if self.powered and self.job is None and not self.armed.lasting("silence", now):
            self.send(bytes((Control.NAK,)), now + self.options.ack_s)

    def on_nak(self, now: float) -> None:
        """The host did not understand: the last answer goes out again, and nothing else happens."""
        if self.powered and self.job is None and self._last_answer is not None:
            self._answer(self._last_answer, now + self.options.ack_s)

    def on_eot(self, now: float) -> None:
        """Stop. Where the card is then depends on how far it had come; there is no answer but EOT."""
        job = self.job
        if not self.powered or job is None:
            return
        self._break_off(now)
        self.job = None
        self.show("stopped", {"during": job.command.name, **self.whereabouts()}, now)
        self.send(bytes((Control.EOT,)), now + self.options.ack_s)

    # --- commands ---------------------------------------------------------------------------------------------

    def _execute(self, command: Command, answers: bool, now: float) -> None:  # noqa: FBT001 - a fact, not a switch
        error = replies.refusal(command)
        if error is None and moves_metal(command, self.metal):
            self.motions += 1
            self.on_count("motion", self.motions, now)
            if not self.powered:
                return
        error = error or self._precondition(command)
        if error is None and command.cm in {RESET, MOVE}:
            self._begin(command, answers, now)
            return
        token = self._query = object()

        def reply(at_s: float) -> None:
            if self._query is token:  # a newer command takes the place of a query still unanswered
                answer = failure(command, error) if error else replies.answer(self, command)
                self._conclude(answer, answers, at_s)

        self._agenda.at(now + self.options.ack_s + self.options.query_s, self._in_this_power_cycle(reply))

    def _precondition(self, command: Command) -> str | None:
        if command.cm != RESET and not self.initialised:
            return "B0"
        if command.cm == MOVE and self.latched:
            return self.latched
        if command.cm not in {RESET, MOVE}:
            return None
        move = stages(command, self.metal, self.options)[0].move
        if move is Move.DRAW and self.metal.stacker_empty:
            return "A0"
        return "A1" if move is Move.CAPTURE and self.metal.bin_full else None

    def _begin(self, command: Command, answers: bool, now: float) -> None:  # noqa: FBT001 - a fact, not a switch
        job = self.job = Job(command, stages(command, self.metal, self.options), now + self.options.ack_s, answers)
        if command.cm == RESET:
            self.initialised = False  # until the reset has come to its end
        if any(stage.move is not Move.STAY for stage in job.stages):
            self._arm_motion_faults(job, now)
        self._begin_stage(job)

    def _arm_motion_faults(self, job: Job, now: float) -> None:
        for name, code in MOTION_ERRORS.items():
            fault = self.armed.take(name, now)
            if fault is not None:
                self._later(job, self._share(job, fault.args["at_fraction"]), lambda at_s, e=code: self._fail(e, at_s))
        cut = self.armed.take("power_loss", now)
        if cut is not None:
            off_s = cut.args["off_s"]
            self._later(job, self._share(job, cut.args["at_fraction"]), lambda at_s: self.power_off(off_s, at_s))

    def _share(self, job: Job, fraction: float) -> float:
        return job.began_s + fraction * (job.ends_s - job.began_s)

    def _begin_stage(self, job: Job) -> None:
        grip_s = job.stage_began_s + self.options.grip_at / 2 * job.stage.duration_s
        if job.stage.move is Move.CAPTURE and self._customer().grabs_at_last_moment:
            self._later(job, grip_s, self.take_card)
        self._later(job, job.stage_began_s + self.options.effect_at * job.stage.duration_s, self._effect)
        self._later(job, job.stage_began_s + job.stage.duration_s, self._end_of_stage)

    def _later(self, job: Job, when_s: float, do: Callable[[float], None]) -> None:
        def if_it_still_runs(at_s: float) -> None:
            if self.job is job:
                do(at_s)

        self._agenda.at(when_s, if_it_still_runs)

    # --- the course of a motion -------------------------------------------------------------------------------

    def _effect(self, now: float) -> None:
        job = self.job
        if job is None or job.stopped:
            return
        job.effects_done += 1
        move = job.stage.move
        lost = move not in {Move.DRAW, Move.STAY} and self.metal.serial is None
        notes = self.metal.finish(job.stage)
        self._note(notes, now)
        if lost or (move is Move.DRAW and not notes):
            job.error = "40" if lost else "A0"
            job.stages = job.stages[: job.index + 1]
        elif move is Move.CAPTURE and self.metal.counting and self.metal.counter == 0:
            job.error = "50"
        if job.command.cm == RESET:
            self._reset_done(job.command.pm, now)

    def _reset_done(self, pm: int, now: float) -> None:
        self.initialised, self.latched, self.entry = True, None, False
        self.metal.counting = pm in RESET_COUNTING
        self.show("reset", {"pm": f"{pm:02X}"}, now)

    def _end_of_stage(self, now: float) -> None:
        job = self.job
        if job is None:
            return
        if job.index + 1 < len(job.stages):
            job.index += 1
            job.stage_began_s = now
            self._begin_stage(job)
            return
        self.job = None
        answer = failure(job.command, job.error) if job.error else replies.answer(self, job.command)
        self._conclude(answer, job.answers, now)

    def _fail(self, error: str, now: float) -> None:
        """A motion fault: the card stays where it is now, the motor strains on, the answer comes at the usual end."""
        if self.job is not None and not self.job.stopped:
            self._break_off(now)
            self.job.error = self.latched = error

    def _disturb(self, command: Command, now: float) -> None:
        """A command that arrives while the unit moves is not answered, and spoils what it is doing."""
        job = self.job
        if job is None:
            return
        if not job.stopped:
            stuck = self._break_off(now)
            job.error = "10" if stuck else "02"
            if stuck:
                self.latched = "10"
        detail = {"during": job.command.name, "by": command.name, "error": job.error, **self.whereabouts()}
        self.show("disturbed", detail, now)

    def _break_off(self, now: float) -> bool:
        """Stop the running motion where it is; True when its card is now between two places."""
        job = self.job
        if job is None or job.stopped:
            return False
        job.stopped = True
        job.stages = job.stages[: job.index + 1]
        if job.stage_effective or job.progress(now) < self.options.grip_at or job.stage.move is Move.STAY:
            return False
        self._note(self.metal.break_off(job.stage), now)
        return self.metal.place is Place.PATH

    # --- power, hands and the customer ------------------------------------------------------------------------

    def power_off(self, off_s: float | None, now: float) -> None:
        """No power: no answers, each card stays where it is, what the unit knew is gone but for its counter."""
        if not self.powered:
            return
        during = self.job.command.name if self.job else None
        self._break_off(now)
        self.job, self._query, self._last_answer = None, None, None
        self.powered, self.initialised, self.entry, self.latched = False, False, False, None
        self.metal.counting = False
        self._power_cycle += 1
        self.show("power_lost", {"during": during, **self.whereabouts()}, now)
        self.comes_back = off_s is not None
        if off_s is not None:
            self._agenda.at(now + off_s, self._in_this_power_cycle(self.power_on))

    def power_on(self, now: float) -> None:
        """Power is back: B0 until a reset."""
        if not self.powered:
            self.powered, self.comes_back = True, False
            self._power_cycle += 1
            self.show("power_restored", {}, now)

    def take_card(self, now: float) -> bool:
        """The customer takes the card out of the gate, unless it is not there or already pulled in."""
        job = self.job
        pulled = job is not None and not job.stopped and job.stage.move in {Move.CAPTURE, Move.SHIFT}
        if pulled and job is not None and job.progress(now) >= self.options.grip_at:
            return False
        if self.metal.place is not Place.GATE:
            return False
        self.show("card_taken", {"serial": self.metal.remove()}, now)
        return True

    def remove_card(self, now: float) -> bool:
        """Somebody takes the card out of gate or path with the cabinet open or by force."""
        if self.metal.place is None:
            return False
        place = self.metal.place
        self.show("card_removed", {"serial": self.metal.remove(), "from": str(place)}, now)
        if self.job is not None:
            self._break_off(now)
            self.job.error = "45"
        return True

    def greet_customer(self, now: float) -> None:
        """A card has come to stand in the gate: its customer makes up their mind."""
        standing = self._standing = object()
        serial = self.metal.serial
        if serial is not None and self.next_customers:
            self.customers_of[serial] = self.next_customers.pop(0)
        after_s = self._customer().takes_after_s(serial or "")
        if after_s is not None:
            self._agenda.at(now + after_s, lambda at_s: self._standing is standing and self.take_card(at_s))

    def _customer(self) -> Customer:
        return self.customers_of.get(self.metal.serial or "", self.customer)

    # --- what leaves ------------------------------------------------------------------------------------------

    def whereabouts(self) -> dict[str, Any]:
        """Serial number and place of the card outside stacker and bin, for people and the ledger."""
        place = self.metal.place
        return {"serial": self.metal.serial, "place": None if place is None else str(place)}

    def _conclude(self, answer: bytes, answers: bool, now: float) -> None:  # noqa: FBT001 - a fact, not a switch
        self._last_answer = answer
        if answers:
            self._answer(answer, now)

    def _answer(self, answer: bytes, now: float) -> None:
        if self.armed.lasting("silence", now):
            return
        for delay_s, piece in spoil(answer, self.armed, now):
            self.send(piece, now + delay_s)

    def send(self, data: bytes, when_s: float) -> None:
        self._agenda.at(when_s, self._in_this_power_cycle(lambda at_s: self._emit(Send(data))))

    def flood(self, for_s: float, bytes_per_s: int, now: float) -> None:
        """Garbage without end for a while, as a unit with a broken transmitter sends it."""
        for tick in range(int(for_s / FLOOD_TICK_S)):
            noise = random.Random(tick).randbytes(max(1, int(bytes_per_s * FLOOD_TICK_S)))
            self.send(noise, now + tick * FLOOD_TICK_S)

    def unplug(self, for_s: float | None) -> None:
        """The line is pulled; the unit goes on."""
        self._emit(Unplug(for_s))

    def plug(self) -> None:
        """The line is put back."""
        self._emit(Plug())

    def _in_this_power_cycle(self, do: Callable[[float], None]) -> Callable[[float], None]:
        cycle = self._power_cycle

        def unless_power_went(at_s: float) -> None:
            if self._power_cycle == cycle:
                do(at_s)

        return unless_power_went

    def _note(self, notes: list[Note], now: float) -> None:
        by = {"by": self.job.command.name} if self.job else {}
        for kind, act, detail in notes:
            self._emit(Effect(now, self.device, kind, act, {**detail, **by}))
            if act == "card_presented":
                self.greet_customer(now)

    def show(self, act: str, detail: Mapping[str, Any], now: float) -> None:
        self._emit(Effect(now, self.device, "show", act, dict(detail)))
