"""The rows of orders, steps, attempts and lanes as frozen values, and how each is written in its table.

Knows columns and JSON members; must not know who reads or changes them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from device_drivers.device import Arming
from edge_agent.orders.states import ENDS, Goal, Order, Step


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as it stands in the journal."""

    id: str
    n: int
    scene: str
    parameters: dict[str, Any]
    priority: int
    not_before: str | None
    deadline: str | None
    state: Order
    waiting_for: str | None
    reason: str
    goal: Goal
    goal_reason: str
    held: bool
    step: str | None
    device: str | None
    boot: str | None = None  # made on site: its times stand on the seconds of this boot (see `times`)
    begins_s: float | None = None
    ends_s: float | None = None
    vouched: bool = True

    @property
    def ended(self) -> bool:
        return self.state in ENDS


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step as it stands in the journal."""

    order_id: str
    name: str
    position: int
    act: str
    device: str
    undo: str | None
    undoes: str | None
    no_return: bool
    limit_s: float | None
    watch: bool
    waits_for: str | None
    armings: int = 0
    allowed: int = 2  # once more after an evidenced no_effect (ORD-3)
    state: Step = Step.PENDING
    reason: str = ""
    item: str = "unknown"
    facts: dict[str, Any] = field(default_factory=dict)
    role: str = ""  # what the scene asked for: another device of it may take over
    repeatable: bool = False  # its act may be done once more after it failed, marked as a repeat (ORD-3)
    undo_repeatable: bool = False  # the same, of the act that undoes it
    undo_always: bool = False  # undone even when its item left the device
    template_form: int | None = None  # what it prints, as accepted with the order (see `forms`)
    document: str | None = None  # the name of the order's document that it prints
    article: str | None = None  # what the cell that it opens must hold
    two_people: bool = False  # armed only once two people released it
    undo_watch: bool = False  # what undoes it moves nothing: it watches
    awaits_code: bool = False  # not begun before its customer's code was scanned

    @property
    def lot(self) -> dict[str, Any]:
        """What lies in the cell that it opens: known before anything moves (ORD-11)."""
        return {key: self.facts[key] for key in ("cell", "article", "serial") if key in self.facts and self.article}

    @property
    def needs_release(self) -> bool:
        """Whether two people must still release it."""
        return self.two_people and RELEASED_BY not in self.facts


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One arming of a step."""

    id: str
    order_id: str
    step: str
    device: str
    act: str
    state: Step
    arming: Arming
    mark: int
    decided: bool = False  # settled by people's word, not by evidence


@dataclass(frozen=True, slots=True)
class LaneRow:
    """What a device's lane remembers: whose item is in the machine, and whether it is shut."""

    device: str
    holder: str | None = None
    shut: bool = False
    reason: str = ""
    attempt: str | None = None


@dataclass(frozen=True, slots=True)
class By:
    """Who decided: declared or proven names, empty for the machine itself."""

    people: tuple[str, ...] = ()
    authenticated: bool = False  # all of them showed their credentials
    proven: tuple[str, ...] = ()  # those who did

    def members(self) -> dict[str, Any]:
        if not self.people:
            return {}
        some = {"proven": list(self.proven)} if self.proven and not self.authenticated else {}
        return {"by": list(self.people), "authenticated": self.authenticated, **some}

    def facts(self) -> dict[str, Any]:
        """The same among the facts of an event of the journal."""
        members = self.members()
        return {"people": members.pop("by", []), **members}


MACHINE = By()
RELEASED_BY = "released_by"  # among a step's facts: the people who released it
ORDER_COLUMNS = (
    "id, n, scene, parameters, priority, not_before, deadline, state, waiting_for, reason, goal, goal_reason, held, "
    "step, device, boot, begins_s, ends_s, vouched"
)
STEP_COLUMNS = (
    "order_id, name, position, act, device, undo, undoes, no_return, limit_s, watch, waits_for, armings, allowed, "
    "state, reason, item, facts, role, repeatable, undo_repeatable, undo_always, template_form, document, article, "
    "two_people, undo_watch, awaits_code"
)
FLAGS = (
    "no_return",
    "watch",
    "repeatable",
    "undo_repeatable",
    "undo_always",
    "two_people",
    "undo_watch",
    "awaits_code",
)
OF_ORDER = "order_n = (SELECT n FROM orders WHERE id = ?)"  # of steps, attempts and events: given the order's id
ATTEMPT_COLUMNS = "id, order_id, step, device, act, state, arming, mark, decided"


def order_in(row: Any) -> OrderRow:
    members = dict(row)
    members["parameters"] = json.loads(members["parameters"])
    members["state"], members["goal"] = Order(members["state"]), Goal(members["goal"])
    members["held"], members["vouched"] = bool(members["held"]), bool(members["vouched"])
    return OrderRow(**members)


def step_in(row: Any) -> StepRow:
    members = dict(row)
    members |= {flag: bool(members[flag]) for flag in FLAGS}
    members["state"], members["facts"] = Step(members["state"]), json.loads(members["facts"])
    return StepRow(**members)


def attempt_in(row: Any) -> AttemptRow:
    members = dict(row)
    members["state"], members["arming"] = Step(members["state"]), Arming(json.loads(members["arming"]))
    members["decided"] = bool(members["decided"])
    return AttemptRow(**members)


def attempt_id(step: StepRow, k: int) -> str:
    return f"{step.order_id}/{step.name}/{k}"
