"""The screen on the wall as a model: what needs people, each machine and its lane, who is waited for, and the link.

Pure: journal rows and twins in, a screen out. Nothing of anybody is in it: no order, no customer, no person's name, no
serial number. A hall may read it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_agent.orders.rows import OrderRow, StepRow
from edge_agent.panel.pages.machines import Machine, machine
from edge_agent.panel.pages.now import House, Notice, notices, waiting_for
from edge_agent.panel.pages.reading import Question, Wait

MOST_ASKED, MOST_NOTICES, MOST_MACHINES = 4, 5, 12  # nobody turns the pages of a wall
_WORST_FIRST = {"bad": 0, "off": 1, "busy": 2, "good": 3}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, without whose order it is."""

    step: tuple[str, str, str]  # order, name and act: whence its title comes, none of which is shown
    reason: str
    device: str
    since: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One machine and what its lane does."""

    machine: Machine
    step: tuple[str, str, str] | None  # what is done at this moment
    waiting: int  # orders that wait for it


@dataclass(frozen=True, slots=True)
class Wall:
    """The whole screen. What is left out for want of room is counted."""

    asked: tuple[Asked, ...]
    notices: tuple[Notice, ...]
    lanes: tuple[Lane, ...]
    waits: tuple[tuple[str, int], ...]  # who is waited for, and by how many orders
    needs: int  # how many things need people
    machines: int

    @property
    def hidden(self) -> int:
        return self.needs - len(self.asked) - len(self.notices)


def wall(
    questions: Sequence[Question],
    waits: Sequence[Wait],
    running: Sequence[tuple[OrderRow, StepRow | None]],
    twins: Iterable[Mapping[str, Any]],
    house: House,
) -> Wall:
    """Questions that only may be decided are no need: their machine goes on by itself."""
    machines = sorted((machine(twin) for twin in twins), key=lambda one: (_WORST_FIRST[one.look], one.device))
    urgent = [question for question in questions if question.urgent]
    told = [_of_nobody(notice) for notice in notices(house, machines)]
    asked = tuple(Asked(_step(q.step), q.order.reason or q.step.reason, q.step.device, q.since) for q in urgent)
    under_way = {step.device: _step(step) for _, step in running if step is not None}
    before = Counter(wait.order.device for wait in waits if wait.order.device)
    lanes = tuple(Lane(one, under_way.get(one.device), before[one.device]) for one in machines)
    ids = {question.order.id for question in urgent}
    whom = Counter(waiting_for(wait) for wait in waits if wait.order.id not in ids)
    return Wall(
        asked[:MOST_ASKED],
        tuple(told[:MOST_NOTICES]),
        lanes[:MOST_MACHINES],
        tuple(sorted(whom.items())),
        len(urgent) + len(told),
        len(machines),
    )


def _step(step: StepRow) -> tuple[str, str, str]:
    return step.order_id, step.name, step.act


def _of_nobody(notice: Notice) -> Notice:
    """A person who is locked out is no name for a wall."""
    return Notice(notice.kind, "" if notice.kind == "locked" else notice.about, notice.reason, part=notice.part)
