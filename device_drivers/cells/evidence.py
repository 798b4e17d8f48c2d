"""The evidence table of a cell: what its door and its item show after an opening, a taking or a closing.

Knows only plain readings of one cell; must not ask, wait or know a line. The item is the truth (evidence.md): what a
lock or a relay says of itself is never looked at here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from device_drivers.device import Json, Outcome, Verdict, Whereabouts

OPEN, AWAIT_TAKEN, SECURE = "open_cell", "await_taken", "secure_cell"
BLIND = "cell_blind"


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a cell. `item` None: it has no item sensor; `door_open` None: its contacts do not answer."""

    door_open: bool | None
    item: bool | None = None

    @property
    def readable(self) -> bool:
        return self.door_open is not None

    @property
    def told(self) -> dict[str, Json]:
        """In words, for facts and twins."""
        door = "unknown" if self.door_open is None else "open" if self.door_open else "closed"
        item = "unknown" if self.item is None else "present" if self.item else "absent"
        return {"door": door, "item": item}


UNREADABLE = Reading(None)


def judge_open(now: Reading) -> Verdict:
    """What a settled reading says of an opening; NO_EFFECT needs a second equal one `act_max_s` apart."""
    if not now.readable:
        return unknown("cell_unreadable", now)
    if now.item is None:
        return unknown(BLIND, now)
    if not now.item:
        return _with(Verdict(Outcome.DONE, "opened", Whereabouts.CUSTOMER, {"taken": "inferred"}), now)
    if now.door_open:
        return presented(now)
    return _with(Verdict(Outcome.NO_EFFECT, "not_opened", Whereabouts.STOCK), now)


def presented(now: Reading) -> Verdict:
    """The door stands open before the customer."""
    return _with(Verdict(Outcome.DONE, "opened", Whereabouts.MOUTH, {"presented": True}), now)


def judge_taking(now: Reading, *, witnessed: bool) -> Verdict | None:
    """What a steady reading says of the customer; None: it goes on. A door closed on the item needs a second look."""
    if not now.readable:
        return None
    if now.item is None:
        return None if now.door_open else unknown(BLIND, now)
    if now.door_open:
        return None
    return taken(now, witnessed=witnessed) if not now.item else _with(_not_taken(), now)


def taken(now: Reading, *, witnessed: bool) -> Verdict:
    """The item has left its cell."""
    facts = {"taken": "witnessed" if witnessed else "inferred"}
    return _with(Verdict(Outcome.DONE, "taken", Whereabouts.CUSTOMER, facts), now)


def at_limit(now: Reading, *, witnessed: bool) -> Verdict:
    """The customer's time is over and the door was not closed."""
    if not now.readable:
        return unknown("cell_unreadable", now)
    if now.item is None:
        return unknown(BLIND, now)
    return _with(_not_taken(), now) if now.item else taken(now, witnessed=witnessed)


def _not_taken() -> Verdict:
    return Verdict(Outcome.FAILED, "not_taken", Whereabouts.MOUTH)


def judge_closing(now: Reading) -> Verdict | None:
    """What a steady reading says of an item that was left: back behind its door, or taken after all; None: wait."""
    if not now.readable:
        return None
    if now.item is None:
        return None if now.door_open else unknown(BLIND, now)
    if not now.item:
        return taken(now, witnessed=False)
    return None if now.door_open else _with(Verdict(Outcome.DONE, "put_back", Whereabouts.STOCK), now)


def left_open(now: Reading) -> Verdict:
    """Nobody closed the door within its time."""
    if not now.readable:
        return unknown("cell_unreadable", now)
    return unknown("door_left_open", now, Whereabouts.MOUTH if now.item else Whereabouts.UNKNOWN)


def unsteady(now: Reading) -> Verdict:
    """Contacts that were to read the same twice kept changing."""
    return unknown("unsteady_readings", now)


def unknown(reason: str, now: Reading, item: Whereabouts = Whereabouts.UNKNOWN) -> Verdict:
    """For a person, with this one cell shut."""
    return _with(Verdict(Outcome.UNKNOWN, reason, item, lane_shut=True), now)


def _with(verdict: Verdict, now: Reading) -> Verdict:
    facts: Mapping[str, Json] = {**verdict.facts, **now.told}
    return Verdict(verdict.outcome, verdict.reason, verdict.item, facts, verdict.lane_shut)
