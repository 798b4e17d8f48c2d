"""Which steps of a scene an order gets, and which device does each: what is not wanted or not to be had is left out.

Knows scenes, parameters and the branch's devices; writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cloud_bridge.messages.words import Code
from edge_agent.custody import stock
from edge_agent.journal.journal import Tx
from edge_agent.orders.desk import Desk, Place, Rejected
from edge_agent.orders.reading import shut_lanes
from edge_agent.orders.recipe import Scene, SceneStep

SHUT_IS_LIKE = 10_000  # open orders: a shut lane counts as very busy


@dataclass(frozen=True, slots=True)
class Seat:
    """What a step asks for: a role, and the place where it must be, if the order names one. One device per seat."""

    role: str
    at: str | None = None


@dataclass(slots=True)
class Bound:
    """The steps that the order gets, in turn, each with its device; and those that it does not get, with the reason."""

    steps: list[tuple[SceneStep, Place]] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)


def bind(desk: Desk, tx: Tx, scene: Scene, parameters: Mapping[str, Any], busy: Mapping[str, int]) -> Bound:
    """`busy`: open orders by device. Raises Rejected: a device is missing that it needs, or nothing at all is left."""
    bound = Bound()
    wanted = [step for step in scene.step if step.when is None or parameters[step.when]]
    seats = {step.name: Seat(step.role, _named(parameters, step.place)) for step in wanted}
    steps_of = {seat: [step for step in wanted if seats[step.name] == seat] for seat in seats.values()}
    articles = {seat: {str(parameters[s.article]) for s in steps if s.article} for seat, steps in steps_of.items()}
    places = {seat: _place(desk, tx, scene, seat, steps, articles[seat], busy) for seat, steps in steps_of.items()}
    for step in scene.step:
        place = places[seats[step.name]] if step in wanted else None
        if step not in wanted:
            bound.left_out.append({"step": step.name, "reason": "not_wanted"})
        elif place is None or step.act not in place.acts:
            bound.left_out.append({"step": step.name, "reason": "no_device_for_role"})
        else:
            bound.steps.append((step, place))
    if not bound.steps:
        raise Rejected(Code.INVALID, "nothing_left", scene=scene.name, left_out=bound.left_out)
    return bound


def _named(parameters: Mapping[str, Any], name: str | None) -> str | None:
    """The place that a parameter names, as it is written in the configuration."""
    value = parameters[name] if name else None
    return f"{value:g}" if isinstance(value, int | float) else value


def _place(
    desk: Desk, tx: Tx, scene: Scene, seat: Seat, mine: list[SceneStep], articles: set[str], busy: Mapping[str, int]
) -> Place | None:
    """The device for that seat with the fewest open orders, of those that have what is wanted.

    None when there is none and nothing depends on it.
    """
    needed = {act for step in mine if not step.optional for act in (step.act, step.undo) if act}
    of_role = [place for place in desk.branch.places if place.role == seat.role and seat.at in {None, place.at}]
    fit = [place for place in of_role if needed <= set(place.acts)]
    if not fit and needed:
        facts: dict[str, Any] = {"role": seat.role, "scene": scene.name}
        facts |= {"acts": sorted(needed)} if of_role else {}
        facts |= {"place": seat.at} if seat.at is not None else {}
        reason = ("role_lacks_acts" if of_role else "role_missing") + ("_at" if seat.at is not None else "")
        raise Rejected(Code.NO_DEVICE_FOR_ROLE, reason, **facts)
    if fit and articles:
        fit = [place for place in fit if all(stock.free(tx, place.device, article) for article in articles)]
        if not fit:
            raise Rejected(Code.NO_STOCK, "no_stock", articles=sorted(articles))
    shut = shut_lanes(tx)
    load = {p.device: busy.get(p.device, 0) + (SHUT_IS_LIKE if p.device in shut else 0) for p in fit}
    lacking = {p.device: sum(step.act not in p.acts for step in mine) for p in fit}
    return min(fit, key=lambda p: (lacking[p.device], load[p.device], p.device), default=None)
