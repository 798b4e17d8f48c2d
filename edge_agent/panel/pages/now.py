"""The page *Now* as a model: what needs people, what waits for whom, the floor with its machines, what happened last.

Pure: journal rows and twins in, a page out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_agent.orders.rows import OrderRow
from edge_agent.panel.pages.machines import Machine, machine
from edge_agent.panel.pages.reading import Question, Wait

TURN = "turn"  # waits for nothing but its turn


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that needs hands or eyes, and is no question about an order. `kind` is a key of the texts."""

    kind: str
    about: str
    reason: str = ""
    link: str = ""
    part: str = ""  # a store or a cell of the machine


@dataclass(frozen=True, slots=True)
class Column:
    """Who is waited for, and by which orders."""

    whom: str
    waits: tuple[Wait, ...]


@dataclass(frozen=True, slots=True)
class House:
    """What is known of the branch itself."""

    store: str = "good"  # good, disk_full, or why nothing can be written
    clock: str = "synced"
    adopted: bool = True
    altered: bool = False  # the register of people
    locked: tuple[str, ...] = ()
    manages: bool = False  # whoever looks may unlock them
    vouches: bool = False  # whoever looks may confirm the time and adopt the journal


@dataclass(frozen=True, slots=True)
class Now:
    """The whole page."""

    questions: tuple[Question, ...]
    notices: tuple[Notice, ...]
    columns: tuple[Column, ...]
    running: tuple[OrderRow, ...]
    machines: tuple[Machine, ...]
    latest: tuple[Mapping[str, Any], ...]

    @property
    def calm(self) -> bool:
        return not self.questions and not self.notices


def now(
    questions: Sequence[Question],
    waits: Sequence[Wait],
    running: Sequence[OrderRow],
    twins: Iterable[Mapping[str, Any]],
    latest: Sequence[Mapping[str, Any]],
    house: House,
) -> Now:
    """Questions that only may be decided stand with the waits as well: they may go on by themselves."""
    floor = tuple(sorted((machine(twin) for twin in twins), key=lambda one: one.device))
    asked = {question.order.id for question in questions if question.urgent}
    return Now(
        tuple(questions),
        tuple(notices(house, floor)),
        _columns(wait for wait in waits if wait.order.id not in asked),
        tuple(running),
        floor,
        tuple(latest),
    )


def notices(house: House, floor: Iterable[Machine]) -> list[Notice]:
    """What needs hands or eyes beside the questions."""
    return [*_of_the_house(house), *_of_machines(floor)]


def _of_the_house(house: House) -> list[Notice]:
    notices = []
    if house.store != "good":
        notices.append(Notice("store", "", house.store))
    if not house.adopted:
        notices.append(Notice("unadopted", "", link="/adopt" if house.vouches else ""))
    if house.clock == "unknown":
        notices.append(Notice("clock", "", link="/clock" if house.vouches else ""))
    if house.altered:
        notices.append(Notice("altered", ""))
    link = "/people" if house.manages else ""
    return [*notices, *(Notice("locked", name, link=link) for name in house.locked)]


def _of_machines(floor: Iterable[Machine]) -> list[Notice]:
    notices = []
    for one in floor:
        link = f"/machines/{one.device}"
        if one.look in ("bad", "off"):
            notices.append(Notice("machine", one.device, one.reason or one.state, link))
        elif one.shut:
            notices.append(Notice("lane", one.device, one.reason, link))
        notices += [Notice("cell", one.device, cell.state, link, cell.name) for cell in one.doubtful]
        notices += [Notice(f"supply_{unit.level}", one.device, link=link, part=unit.name) for unit in one.scarce]
    return notices


def waiting_for(wait: Wait) -> str:
    """Whom, or `held`, or `turn`."""
    return wait.order.waiting_for or ("held" if wait.order.held else TURN)


def _columns(waits: Iterable[Wait]) -> tuple[Column, ...]:
    by_whom: dict[str, list[Wait]] = {}
    for wait in waits:
        by_whom.setdefault(waiting_for(wait), []).append(wait)
    return tuple(Column(whom, tuple(them)) for whom, them in by_whom.items())
