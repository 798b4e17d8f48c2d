"""A banknote counter, sans-io; see `simulators.machine.Machine`. It takes no bytes and sends a frame for each note.

Knows its hopper, its stacker and the batch between two hands; the ledger shows each note as it really is, whatever was
told of it. Source: devices.md sections 5.1 and 5.2; mechanics where no source speaks are the nastier guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from simulators.banknotes.faults import FAULTS
from simulators.banknotes.options import NOTES_MAX, Options, parse_bundle
from simulators.banknotes.records import Note, fsn_file, live_frame
from simulators.faults import Armed, Fault, parse_fault
from simulators.machine import Action, Agenda, ControlError, Effect, Kept, Kind, Plug, Send, Unplug, verb_of
from simulators.plan import Plan

_KEYS: dict[str, set[str]] = {
    "put": {"notes"},
    "take": set(),
    "free": set(),
    "fault": {"name", "args"},
    "clear": set(),
    "power": {"on"},
    "plug": set(),
    "state": set(),
}


class BanknoteCounter:
    """`hopper` waits to be counted, `stacker` was; `stopped` says what hands are needed for."""

    def __init__(self, device: str, options: Options | None = None, plan: Plan | None = None) -> None:
        self.device, self.options, self._plan = device, options or Options(), plan
        self.hopper: list[Note] = []
        self.stacker: list[Note] = []
        self.stopped = ""
        self.powered = True
        self.batches = self.passed = self.made = 0  # batches ended, notes passed, notes ever made
        self._told: list[Note] = []  # of this batch, as it was told
        self._running = False
        self._epoch = 0  # a run that was stopped does not go on
        self._armed = Armed()
        self._agenda = Agenda()
        self._out: list[Action] = []

    # --- a machine ------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        """It listens to nobody."""
        self._run(now)

    def next_time(self) -> float | None:
        """When `advance` must be called at the latest."""
        return self._agenda.next_time()

    def advance(self, now: float) -> list[Action]:
        """What happened and what leaves up to `now`, in order."""
        self._run(now)
        done, self._out[:] = list(self._out), []
        return done

    def snapshot(self) -> dict[str, Any]:
        """Notes stay where they are while this process is away; the batch goes on with the next one."""
        places = {"hopper": self.hopper, "stacker": self.stacker, "told": self._told}
        plain: dict[str, Any] = {name: [note.plain() for note in notes] for name, notes in places.items()}
        plain |= {"stopped": self.stopped, "powered": self.powered, "running": self._running}
        return plain | {"batches": self.batches, "passed": self.passed, "made": self.made}

    def restore(self, saved: Mapping[str, Any], now: float) -> None:
        """Go on from a snapshot."""
        self.hopper, self.stacker, self._told = (
            [Note(**note) for note in saved[name]] for name in ("hopper", "stacker", "told")
        )
        self.stopped, self.powered = str(saved["stopped"]), bool(saved["powered"])
        self.batches, self.passed, self.made = (int(saved[name]) for name in ("batches", "passed", "made"))
        if saved["running"] and self.powered:
            self._start(now)

    def control(self, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        """`put` a bundle, `take` what was counted, `free` it; `fault`, `clear`, `power`, `plug`, `state`."""
        self._run(now)
        self._do(verb_of(request, _KEYS, self.device), request, now)
        return {
            "hopper": len(self.hopper),
            "stacker": len(self.stacker),
            "stopped": self.stopped,
            "running": self._running,
            "powered": self.powered,
            "batches": self.batches,
            "armed": self._armed.names(),
        }

    def _do(self, verb: str, request: Mapping[str, Any], now: float) -> None:
        if verb == "put":
            self._put(parse_bundle(request.get("notes"), self.made), now)
        elif verb in {"take", "free"}:
            self._take(verb, now)
        elif verb == "fault":
            self.strike(parse_fault(request.get("name"), request.get("args"), FAULTS), now)
        elif verb == "clear":
            self._armed.clear()
        elif verb == "power":
            self._power(now, on=request.get("on") is True)
        elif verb == "plug":
            self._out.append(Plug())

    # --- hands ----------------------------------------------------------------------------------------------------

    def _put(self, notes: list[Note], now: float) -> None:
        """A bundle into the hopper: it begins to count by itself."""
        if len(self.hopper) + len(notes) > NOTES_MAX:
            raise ControlError(f"a hopper takes {NOTES_MAX} notes at most")
        self.made += len(notes)
        self.hopper += notes
        self._tell("show", "bundle_put", {"notes": len(notes), "sum": sum(note.value for note in notes)}, now)
        if not self._running and not self.stopped and self.powered:
            self._start(now)

    def _take(self, verb: str, now: float) -> None:
        """What was counted is taken out; `free` takes everything out and clears what it stopped for."""
        notes = list(self.stacker)
        self.stacker.clear()
        if verb == "free":
            notes += self.hopper
            self.hopper.clear()
            self._halt("")
            self._told.clear()
        elif self.stopped == "full":
            self.stopped = ""
        self._tell("show", "notes_taken", {"notes": len(notes), "by": verb}, now)
        if self.hopper and not self._running and not self.stopped and self.powered:
            self._start(now)

    # --- counting -------------------------------------------------------------------------------------------------

    def _start(self, now: float) -> None:
        self._running = True
        self._epoch += 1
        self._agenda.at(now + self.options.note_s, partial(self._next, self._epoch))

    def _halt(self, why: str) -> None:
        self._running, self.stopped = False, why
        self._epoch += 1

    def _next(self, epoch: int, now: float) -> None:
        """One note passes, or the batch has ended."""
        if epoch != self._epoch:
            return
        if not self.hopper or (self.options.stops_at and len(self._told) >= self.options.stops_at):
            self._end_batch(now)
            return
        self.passed += 1
        self._occasion("note", self.passed, now)
        if epoch != self._epoch:  # it lost its power just now
            return
        if self._armed.take("jam", now) is not None:
            self._halt("jam")
            self._tell("show", "note_jammed", self.hopper[0].plain(), now)
            return
        double = self._armed.take("double_feed", now) if len(self.hopper) > 1 else None
        self._pass(self.hopper.pop(0), now, double)
        if not self.stopped:
            self._start(now)

    def _pass(self, note: Note, now: float, double: Fault | None) -> None:
        self.stacker.append(note)
        shown = note
        if double is not None:
            under = self.hopper.pop(0)
            self.stacker.append(under)
            seen = double.args["seen"]
            shown = Note(note.value, "unrecognized", "", note.currency) if seen else note
            self._tell("show", "notes_passed_double", {"notes": [note.plain(), under.plain()], "seen": seen}, now)
        elif self._armed.take("suspect", now) is not None:
            shown = Note(note.value, "suspect", note.serial, note.currency)
        self._told.append(shown)
        number = len(self._told)
        sent = self._send(shown, number, now)
        self._tell("show", "note_passed", {**note.plain(), "number": number, "told": shown.cash, "sent": sent}, now)
        if double is not None and double.args["seen"]:
            self._halt("double_feed")

    def _send(self, note: Note, number: int, now: float) -> bool:
        """The frame, with what the wire does to it; whether it left whole."""
        if self._armed.take("note_missed", now) is not None:
            return False
        frame = live_frame(note, number if self.options.numbered else 0, self.options.machine, self.options.byte_order)
        if (noise := self._armed.take("noise", now)) is not None:
            self._out.append(Send(noise.args["hex"]))
        if (cut := self._armed.take("frame_cut", now)) is not None:
            self._out.append(Send(frame[: int(cut.args["after"])]))
            return False
        if self._armed.take("wrong_check", now) is not None:
            self._out.append(Send(frame[:-1] + b"\x00"))
            return False
        self._out.append(Send(frame))
        return True

    def _end_batch(self, now: float) -> None:
        self._halt("full" if self.hopper else "")
        self.batches += 1
        name = f"{self.device}-{self.batches}.fsn"
        if self.options.fsn:
            self._out.append(Kept(name, fsn_file(self._told, self.options.machine), "fsn"))
        value = sum(note.shown for note in self._told if note.cash != "suspect")
        detail = {"batch": self.batches, "count": len(self._told), "sum": value, "notes": len(self.stacker)}
        self._tell("show", "batch_counted", {**detail, "file": name if self.options.fsn else ""}, now)
        self._told.clear()
        self._occasion("batch", self.batches, now)

    # --- faults ---------------------------------------------------------------------------------------------------

    def strike(self, fault: Fault, now: float) -> None:
        """Let a fault happen, or wait for its occasion."""
        if fault.name == "unplug":
            self._out.append(Unplug(fault.args["for_s"]))
        elif fault.name == "power_loss":
            self._power(now, on=False)
            if fault.args["off_s"] is not None:
                self._agenda.at(now + fault.args["off_s"], lambda at_s: self._power(at_s, on=True))
        else:
            self._armed.add(fault, now)

    def _power(self, now: float, *, on: bool) -> None:
        """Without power the batch is forgotten; the notes are where they are, and somebody must take them out."""
        if self.powered == on:
            return
        self.powered = on
        self._tell("show", "power_restored" if on else "power_lost", {}, now)
        if not on:
            self._told.clear()
            self._halt("notes_inside" if self.hopper or self.stacker else "")

    def _occasion(self, what: str, nth: int, now: float) -> None:
        for fault in self._plan.due(what, nth, self.device) if self._plan else []:
            self.strike(fault, now)

    def _run(self, now: float) -> None:
        if self._plan is not None and not self._plan.started:
            for after_s, device, fault in self._plan.start():
                if device in {None, self.device}:
                    self._agenda.at(now + after_s, partial(self.strike, fault))
        self._agenda.run(now)

    def _tell(self, kind: Kind, act: str, detail: dict[str, Any], now: float) -> None:
        self._out.append(Effect(now, self.device, kind, act, detail))
