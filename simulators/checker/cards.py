"""Gives each counted act of a device to one attempt, in order, and blames what fits to none.

Knows what an attempt may have caused by what was told of it;
sheets carry their attempt's name and are joined elsewhere.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simulators.checker.cells import of_another
from simulators.checker.verdict import Attempt, Report, Violation
from simulators.checker.words import ACT_OF, CELL_OPENED, UNSETTLED, Json, Names, serial_of


def _ways(attempt: Attempt) -> list[Names]:
    """The runs of acts that an attempt may have caused, as it was told; the likeliest first."""
    own = (ACT_OF.get(attempt.act, attempt.act),)
    kept = (*own, "card_captured") if attempt.act != "capture_card" else own  # the machine retained the card by itself
    if attempt.by_people or attempt.state in UNSETTLED or attempt.state == "failed":
        return [own, kept, ("card_captured",), ()] if attempt.item == "bin" else [own, ()]
    if attempt.state == "no_effect":
        return [(), own] if attempt.act == "open_cell" else [()]  # closed again on its item: judged in `cells`
    if attempt.act == "capture_card" and (attempt.item == "customer" or "taken" in attempt.facts):
        return [()]  # the customer was quicker
    return [kept, own, ("card_captured",)] if attempt.item == "bin" else [own]


@dataclass(frozen=True, slots=True)
class _Path:
    """A way of assigning the first acts to the first attempts; `cards` is each open order's card."""

    cost: float
    attempts: int
    acts: int
    cards: frozenset[tuple[str, str]]
    before: _Path | None
    blames: tuple[Violation, ...] = ()
    taken: int = 0  # acts given to the attempt just decided


def assign(attempts: list[Attempt], acts: list[Json], report: Report) -> None:
    """Gives each act of one device to an attempt, in order, with as few violations as can be, and blames those."""
    last_use = {attempt.order: index for index, attempt in enumerate(attempts)}
    start = _Path(0, 0, 0, frozenset(), None)
    heap: list[tuple[float, int, int, _Path]] = [(0.0, 0, 0, start)]
    seen: set[tuple[int, int, frozenset[tuple[str, str]]]] = set()
    ticket = 0
    while heap:
        _, _, _, path = heapq.heappop(heap)
        if (path.attempts, path.acts, path.cards) in seen:
            continue
        seen.add((path.attempts, path.acts, path.cards))
        if path.attempts == len(attempts) and path.acts == len(acts):
            _settle(path, attempts, acts, report)
            return
        for onward in _onward(path, attempts, acts, last_use):
            ticket += 1
            heapq.heappush(heap, (onward.cost, -(onward.attempts + onward.acts), ticket, onward))


def _onward(path: _Path, attempts: list[Attempt], acts: list[Json], last_use: Mapping[str, int]) -> Iterator[_Path]:
    if path.attempts < len(attempts):
        attempt = attempts[path.attempts]
        for cost, way, blame in _judged_ways(attempt):
            run = acts[path.acts : path.acts + len(way)]
            if tuple(act["act"] for act in run) == way:
                yield _step(path, attempt, run, cost, blame, last=last_use[attempt.order] == path.attempts)
    if path.acts < len(acts):
        act = acts[path.acts]
        after = f"after attempt {attempts[path.attempts - 1].id}" if path.attempts else "before any attempt"
        what = f"{act['act']} {serial_of(act) or ''} on {act['device']}"
        text = f"ledger #{act['n']}: {what} belongs to no attempt ({after})"
        yield _Path(path.cost + 1, path.attempts, path.acts + 1, path.cards, path, (Violation("stray_act", text),))


def _judged_ways(attempt: Attempt) -> Iterator[tuple[float, Names, Violation | None]]:
    """What it may have caused for nothing, then what it may only have caused against a rule."""
    ways, own = _ways(attempt), (ACT_OF.get(attempt.act, attempt.act),)
    yield from ((0.0, way, None) for way in ways)
    told = f"attempt {attempt.id} was told {attempt.state}, but {attempt.device}"
    if own not in ways:
        yield 0.9, own, Violation("act_denied", f"{told} did it")
    if () not in ways:
        yield 1.0, (), Violation("missing_act", f"{told} never did it")


def _step(path: _Path, attempt: Attempt, run: list[Json], cost: float, blame: Violation | None, *, last: bool) -> _Path:
    cards, blames = dict(path.cards), [blame] if blame else []
    for act in run:
        if act["act"] == CELL_OPENED:
            wrong = list(of_another(act, attempt))
            cost, blames = cost + 0.75 * len(wrong), blames + wrong  # less than a stray act and a missing one
            continue
        serial, held = serial_of(act), cards.get(attempt.order)
        if act["act"] == "card_drawn":
            cards[attempt.order] = serial or ""
        elif serial != held:
            cost += 1.5
            text = f"ledger #{act['n']}: {act['act']} of card {serial} for order {attempt.order}, whose card is {held}"
            blames.append(Violation("wrong_card", text))
        if "serial" in attempt.facts and str(attempt.facts["serial"]) != serial:
            cost += 1.5
            blames.append(
                Violation(
                    "wrong_card", f"attempt {attempt.id} told card {attempt.facts['serial']}, the ledger has {serial}"
                )
            )
    if last:
        cards.pop(attempt.order, None)
    return _Path(
        path.cost + cost,
        path.attempts + 1,
        path.acts + len(run),
        frozenset(cards.items()),
        path,
        tuple(blames),
        len(run),
    )


def _settle(path: _Path | None, attempts: list[Attempt], acts: list[Json], report: Report) -> None:
    blames: list[Violation] = []
    while path is not None and path.before is not None:
        blames[:0] = path.blames
        if path.attempts > path.before.attempts:
            attempts[path.attempts - 1].acts = acts[path.acts - path.taken : path.acts]
        path = path.before
    report.violations += blames
