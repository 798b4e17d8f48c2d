"""The rows of orders, steps, attempts and lanes as frozen values, and how each is written in its table.

Knows columns and JSON members; must not know who reads or changes them. Orders, steps and attempts are tuples, because
each is made anew a dozen times for one order, and a tuple costs a third of a dataclass.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from device_drivers.device import Arming
from edge_agent.orders.states import ENDS, Goal, Order, Step


class OrderRow(NamedTuple):
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


class StepRow(NamedTuple):
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
    facts: dict[str, Any]
    armings: int = 0
    allowed: int = 2  # once more after an evidenced no_effect (ORD-3)
    state: Step = Step.PENDING
    reason: str = ""
    item: str = "unknown"
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


class AttemptRow(NamedTuple):
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
# The columns of a table, in the order of its row's members.
ORDER_COLUMNS = ", ".join(OrderRow._fields)
STEP_COLUMNS = ", ".join(StepRow._fields)
ATTEMPT_COLUMNS = ", ".join(AttemptRow._fields)
OF_ORDER = "order_n = (SELECT n FROM orders WHERE id = ?)"  # of steps, attempts and events: given the order's id


def order_in(row: Iterable[Any]) -> OrderRow:
    """Of ORDER_COLUMNS as SQLite holds them."""
    read = OrderRow._make(row)
    return read._replace(
        parameters=json.loads(cast("str", read.parameters)),
        state=Order(read.state),
        goal=Goal(read.goal),
        held=bool(read.held),
        vouched=bool(read.vouched),
    )


def step_in(row: Iterable[Any]) -> StepRow:
    """Of STEP_COLUMNS as SQLite holds them."""
    read = StepRow._make(row)
    return read._replace(
        state=Step(read.state),
        facts=json.loads(cast("str", read.facts)),
        no_return=bool(read.no_return),
        watch=bool(read.watch),
        repeatable=bool(read.repeatable),
        undo_repeatable=bool(read.undo_repeatable),
        undo_always=bool(read.undo_always),
        two_people=bool(read.two_people),
        undo_watch=bool(read.undo_watch),
        awaits_code=bool(read.awaits_code),
    )


def attempt_in(row: Iterable[Any]) -> AttemptRow:
    """Of ATTEMPT_COLUMNS as SQLite holds them."""
    read = AttemptRow._make(row)
    arming = Arming(json.loads(cast("str", read.arming)))
    return read._replace(state=Step(read.state), arming=arming, decided=bool(read.decided))


def attempt_id(step: StepRow, k: int) -> str:
    return f"{step.order_id}/{step.name}/{k}"
