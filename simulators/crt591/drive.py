"""The motor of one unit: a motion from its beginning to its end, and all that can stop it between.

Knows stages, progress and metal; what the host is told of it at the end is its owner's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from simulators.crt591.frames import Command
from simulators.crt591.gate import Gate
from simulators.crt591.mechanics import Mechanics, Move, Note, Place
from simulators.crt591.motion import RESET, RESET_COUNTING, Job, stages
from simulators.crt591.options import Options
from simulators.faults import Armed
from simulators.machine import Agenda, Detail, Kind

MOTION_ERRORS = {"jam": "10", "sensor_error": "12", "cannot_reach_ic": "43", "motor_error": "51"}
JAM, SEQUENCE, TAKEN, BY_HAND, EMPTY, OVERFLOW = "10", "02", "40", "45", "A0", "50"

Tell = Callable[[Kind, str, Detail, float], None]


class Drive:
    """At most one motion at a time. `at_end` hears of each that came to its end, `cut_power` of a planned power cut."""

    def __init__(self, options: Options, agenda: Agenda, metal: Mechanics, armed: Armed, tell: Tell) -> None:
        self._options, self._agenda, self._metal, self._armed, self._tell = options, agenda, metal, armed, tell
        self.gate = Gate(options.customer, agenda, metal, partial(tell, "show"), self._pulling)
        self.job: Job | None = None
        self.initialised = False
        self.latched: str | None = None  # an error that refuses every move until the next reset
        self.at_end: Callable[[Job, float], None]
        self.cut_power: Callable[[float | None, float], None]

    def begin(self, command: Command, now: float, *, answers: bool) -> None:
        """Start a 30 or 32 command that nothing speaks against."""
        job = self.job = Job(command, stages(command, self._metal, self._options), now, answers)
        if command.cm == RESET:
            self.initialised = False  # until the reset has come to its end
        if any(stage.move is not Move.STAY for stage in job.stages):
            self._meet_faults(job, now)
        self._begin_stage(job)

    def stop(self, now: float) -> Job | None:
        """Motion ends here and now, and nobody is told; the motion that it was."""
        job = self.job
        self._break_off(now)
        self.job = None
        return job

    def disturb(self, by: Command, now: float) -> None:
        """A command came in the middle of a motion: it is not answered, and the motion is spoilt."""
        job = self.job
        if job is None:
            return
        if not job.stopped:
            stuck = self._break_off(now)
            job.error = JAM if stuck else SEQUENCE
            self.latched = JAM if stuck else self.latched
        detail = {"during": job.command.name, "by": by.name, "error": job.error, **self.whereabouts()}
        self._tell("show", "disturbed", detail, now)

    def lose_card(self, now: float) -> bool:
        """A hand takes the card out of gate or path."""
        if self._metal.place is None:
            return False
        place = str(self._metal.place)
        if self.job is not None:
            self.job.stopped, self.job.error = True, BY_HAND
        self._tell("show", "card_removed", {"serial": self._metal.remove(), "from": place}, now)
        return True

    def forget(self) -> None:
        """What goes with the power."""
        self.initialised, self.latched = False, None
        self._metal.counting = False

    def whereabouts(self) -> Detail:
        """Serial number and place of the card outside stacker and bin."""
        place = self._metal.place
        return {"serial": self._metal.serial, "place": None if place is None else str(place)}

    # --- the course of one motion -----------------------------------------------------------------------------

    def _meet_faults(self, job: Job, now: float) -> None:
        for name, code in MOTION_ERRORS.items():
            fault = self._armed.take(name, now)
            if fault is not None:
                self._later(job, self._share(job, fault.args["at_fraction"]), partial(self._fail, code))
        cut = self._armed.take("power_loss", now)
        if cut is not None:
            self._later(job, self._share(job, cut.args["at_fraction"]), partial(self.cut_power, cut.args["off_s"]))

    @staticmethod
    def _share(job: Job, fraction: float) -> float:
        return job.began_s + fraction * (job.ends_s - job.began_s)

    def _begin_stage(self, job: Job) -> None:
        begin_s, lasts_s = job.stage_began_s, job.stage.duration_s
        if job.stage.move is Move.CAPTURE and self.gate.customer.grabs_at_last_moment:
            self._later(job, begin_s + self._options.grip_at / 2 * lasts_s, self.gate.take)
        self._later(job, begin_s + self._options.effect_at * lasts_s, self._effect)
        self._later(job, begin_s + lasts_s, self._end_of_stage)

    def _later(self, job: Job, when_s: float, do: Callable[[float], Any]) -> None:
        def if_it_still_runs(at_s: float) -> None:
            if self.job is job:
                do(at_s)

        self._agenda.at(when_s, if_it_still_runs)

    def _effect(self, now: float) -> None:
        job = self.job
        if job is None or job.stopped:
            return
        move = job.stage.move
        job.effects_done += 1
        lost = move not in {Move.DRAW, Move.STAY} and self._metal.serial is None
        notes = self._metal.finish(job.stage)
        self._note(notes, now)
        if lost or (move is Move.DRAW and not notes):
            job.give_up(TAKEN if lost else EMPTY)
        elif move is Move.CAPTURE and self._metal.counting and self._metal.counter == 0:
            job.error = OVERFLOW
        if job.command.cm == RESET:
            self._reset_done(job.command.pm, now)

    def _reset_done(self, pm: int, now: float) -> None:
        self.initialised, self.latched = True, None
        self._metal.counting = pm in RESET_COUNTING
        self._tell("show", "reset", {"pm": f"{pm:02X}"}, now)

    def _end_of_stage(self, now: float) -> None:
        job = self.job
        if job is None:
            return
        if job.next_stage(now):
            self._begin_stage(job)
        else:
            self.job = None
            self.at_end(job, now)

    def _fail(self, code: str, now: float) -> None:
        """The card stays where it is now, the motor strains on, the answer comes at the usual end."""
        if self.job is not None and not self.job.stopped:
            self._break_off(now)
            self.job.error = self.latched = code

    def _break_off(self, now: float) -> bool:
        """Stop where it is; True when that leaves a card between two places."""
        job = self.job
        if job is None or job.stopped:
            return False
        job.stopped = True
        if job.stage_effective or job.stage.move is Move.STAY or job.progress(now) < self._options.grip_at:
            return False
        self._note(self._metal.break_off(job.stage), now)
        return self._metal.place is Place.PATH

    def _pulling(self, now: float) -> bool:
        job = self.job
        inwards = job is not None and not job.stopped and job.stage.move in {Move.CAPTURE, Move.SHIFT}
        return inwards and job is not None and job.progress(now) >= self._options.grip_at

    def _note(self, notes: list[Note], now: float) -> None:
        by = {} if self.job is None else {"by": self.job.command.name}
        for kind, act, detail in notes:
            self._tell(kind, act, {**detail, **by}, now)
            if act == "card_presented":
                self.gate.present(now)
