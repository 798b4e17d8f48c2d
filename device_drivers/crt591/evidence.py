"""The evidence table of the card dispenser: readings before and after, and what was noted between, give a verdict.

Knows only plain readings; must not ask, wait or know a line. What no row covers is for a person, with the lane shut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from device_drivers.crt591.codes import explain
from device_drivers.device import Arming, Json, Outcome, Verdict, Whereabouts
from device_drivers.errors import DeviceRefused

DRAW, PRESENT, CAPTURE, AWAIT_TAKEN = "draw_card", "present_card", "capture_card", "await_taken"

POWER_LOST, MOVED_BY_HAND, CABINET_OPENED = "power_lost", "moved_by_hand", "cabinet_opened"
HANDS = frozenset({MOVED_BY_HAND, CABINET_OPENED})  # somebody may have taken the card out of the machine
LOST_TRACK = HANDS | {POWER_LOST}

DRAW_BROKEN = frozenset({"10", "12", "42", "43", "51"})  # the card left its stack and is stuck (42 is 43 in one source)
STUCK = DRAW_BROKEN | {"13", "14", "41"}  # a card is in the way of any further motion

_WITH_CARD = {1: Whereabouts.MOUTH, 2: Whereabouts.TRANSPORT}  # where a card is, by st0

BIN_MAX = 999  # the counter has three digits; at its end a retained card can no longer be told


@dataclass(frozen=True, slots=True)
class Readings:
    """st0 transport (0 none, 1 gate, 2 inside), st1 stacker (0 empty, 1 few, 2 enough), st2 bin full, bin counter."""

    st0: int
    st1: int
    st2: int
    bin: int

    def facts(self) -> dict[str, Json]:
        """As they are stored with an arming or told with a verdict."""
        return asdict(self)

    @classmethod
    def of(cls, arming: Arming) -> Readings:
        """The readings of a stored arming. Raises DeviceRefused when they are not a dispenser's."""
        names = ("st0", "st1", "st2", "bin")
        values = [arming.readings.get(name) for name in names]
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            raise DeviceRefused("invalid_arming", f"an arming holds the numbers {', '.join(names)}, not {values}")
        return cls(*values)  # type: ignore[arg-type]  # each was just seen to be an int


def judge(act: str, before: Readings, after: Readings, notes: Sequence[str]) -> Verdict:
    """What the readings after an act say of it. One reading; `no_effect` needs a second equal one (PHY-1)."""
    gained = after.bin - before.bin
    verdict = None
    if gained == 0:
        verdict = _TABLE[act](before, after, frozenset(notes))
    elif gained == 1 and after.st0 == 0:
        verdict = _in_bin(act)
    return _with(verdict or _uncovered(after), after)


def judge_error(act: str, code: str) -> Verdict | None:
    """What an error code in place of a reading says of an act; None when a reading must tell."""
    reason, facts = explain(code).reason, {"code": code}
    if act == DRAW and code in DRAW_BROKEN:
        return Verdict(Outcome.FAILED, reason, Whereabouts.TRANSPORT, facts, lane_shut=True)
    if code in STUCK:
        return Verdict(Outcome.UNKNOWN, reason, Whereabouts.TRANSPORT, facts, lane_shut=True)
    return None


def unreadable(reason: str, code: str) -> Verdict:
    """The unit answers a question about its state with an error that no row covers."""
    return Verdict(Outcome.UNKNOWN, reason, Whereabouts.UNKNOWN, {"code": code}, lane_shut=True)


def contradiction(after: Readings) -> Verdict:
    """The unit said that it did something and its sensors say that it did not."""
    return _with(Verdict(Outcome.UNKNOWN, "contradiction", Whereabouts.UNKNOWN, lane_shut=True), after)


def unsteady(after: Readings) -> Verdict:
    """Readings that were to be equal kept changing."""
    return _with(Verdict(Outcome.UNKNOWN, "unsteady_readings", Whereabouts.UNKNOWN, lane_shut=True), after)


def other_machine(was: str, now: str) -> Verdict:
    """The address leads to another unit than at the arming; what that one shows says nothing of the attempt."""
    facts = {"serial_number": now, "armed_serial_number": was}
    return Verdict(Outcome.UNKNOWN, "other_machine", Whereabouts.UNKNOWN, facts, lane_shut=True)


def _draw(_before: Readings, after: Readings, notes: frozenset[str]) -> Verdict | None:
    if after.st0 == 2:
        return Verdict(Outcome.DONE, "drawn", Whereabouts.TRANSPORT)
    if after.st0 == 0 and notes & LOST_TRACK:
        return Verdict(Outcome.UNKNOWN, _worst(notes), Whereabouts.UNKNOWN, lane_shut=True)
    if after.st0 == 0:
        return Verdict(Outcome.NO_EFFECT, "not_drawn", Whereabouts.STOCK)
    return None


def _present(_before: Readings, after: Readings, notes: frozenset[str]) -> Verdict | None:
    if after.st0 == 2:
        return Verdict(Outcome.NO_EFFECT, "not_presented", Whereabouts.TRANSPORT)
    if after.st0 == 1:
        return Verdict(Outcome.DONE, "presented", Whereabouts.MOUTH, {"presented": True})
    if notes & HANDS:
        return Verdict(Outcome.UNKNOWN, _worst(notes), Whereabouts.UNKNOWN, lane_shut=True)
    return _inferred()


def _capture(before: Readings, after: Readings, notes: frozenset[str]) -> Verdict | None:
    if after.st0:
        return Verdict(Outcome.NO_EFFECT, "not_captured", _WITH_CARD[after.st0])
    if notes & LOST_TRACK:  # it may lie in the bin uncounted
        return Verdict(Outcome.UNKNOWN, _worst(notes), Whereabouts.UNKNOWN, lane_shut=True)
    return _inferred() if before.st0 == 1 else None  # nobody takes a card from inside the machine


def _await_taken(_before: Readings, after: Readings, notes: frozenset[str]) -> Verdict | None:
    if after.st0 == 1:
        return Verdict(Outcome.NO_EFFECT, "still_in_mouth", Whereabouts.MOUTH)
    if after.st0 == 0 and notes & HANDS:
        return Verdict(Outcome.UNKNOWN, _worst(notes), Whereabouts.UNKNOWN, lane_shut=True)
    return _inferred() if after.st0 == 0 else None


_TABLE = {DRAW: _draw, PRESENT: _present, CAPTURE: _capture, AWAIT_TAKEN: _await_taken}


def _inferred() -> Verdict:
    return Verdict(Outcome.DONE, "taken", Whereabouts.CUSTOMER, {"taken": "inferred"})


def _in_bin(act: str) -> Verdict:
    """One more card in the bin: what capturing wants, an end of presenting, and a failure of the others."""
    if act in (PRESENT, CAPTURE):
        return Verdict(Outcome.DONE, "retained", Whereabouts.BIN, {"retained": True})
    return Verdict(Outcome.FAILED, "retained_by_machine", Whereabouts.BIN, {"retained": True})


def _uncovered(after: Readings) -> Verdict:
    item = _WITH_CARD.get(after.st0, Whereabouts.UNKNOWN)
    return Verdict(Outcome.UNKNOWN, "unexpected_readings", item, lane_shut=True)


def _worst(notes: frozenset[str]) -> str:
    return next(note for note in (MOVED_BY_HAND, CABINET_OPENED, POWER_LOST) if note in notes)


def _with(verdict: Verdict, after: Readings) -> Verdict:
    facts: Mapping[str, Json] = {**verdict.facts, "readings": after.facts()}
    return Verdict(verdict.outcome, verdict.reason, verdict.item, facts, verdict.lane_shut)
