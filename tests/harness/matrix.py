"""The kill matrix: one scene, played once for every operation of it and either side, many branches at a time.

Knows plans of death and what a scene may come to; the judge is the checker, and what must come out stands in `Scene`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from simulators.checker import Report
from tests.harness.branch import CARD, LEAVES, TAKES, Branch, agent_kept
from tests.harness.crash import Plan

WIDTH = 28  # branches at once: they mostly wait for metal
BEYOND = 2  # so many runs past the last operation without a kill end the matrix


@dataclass(frozen=True)
class Scene:
    """What is ordered of which branch, and the only thing that may come of it however the agent dies once."""

    name: str
    branch: Mapping[str, Any]  # Branch's keywords
    order: Mapping[str, Any]  # the first order's, besides its id
    second: Mapping[str, Any]  # that of the order that follows when the dying is over
    state: str
    reason: str | None  # None: whatever people decided
    acts: Mapping[str, int] | None  # of both orders together; None: several are right, and the checker says which
    person: Callable[[Branch, str], Awaitable[str]] | None = None  # brings an order that asks to its end
    names: tuple[str, str] = ("a", "b")
    begin: Callable[[Branch], Awaitable[None]] | None = None  # before anything is ordered, deaths included
    serve: Callable[[Branch, str, Mapping[str, Any]], Awaitable[str]] | None = None  # where more than to wait is needed
    between: Callable[[Branch], Awaitable[None]] | None = None  # when the dying is over, before the second order
    or_reason: str = ""  # what a machine that answers too late on a busy box may make of `reason`, and is as true


_TAKE = {"take_s": 30}
TAKEN = Scene("taken", {"customer": TAKES}, _TAKE, _TAKE, "completed", "", {"card_drawn": 2, "card_presented": 2})
_ONE_BACK = {"card_drawn": 2, "card_presented": 2, "card_captured": 1}
LEFT = Scene("left", {"customer": LEAVES}, {"take_s": 1}, _TAKE, "failed", "not_taken", _ONE_BACK)

Make = Callable[..., Awaitable[Branch]]
Tell = Callable[[str], None]


@dataclass
class Played:
    """One run of a scene."""

    plans: list[Plan]
    states: tuple[str, str]
    reason: str
    kills: int
    report: Report


@dataclass
class Tally:
    """Everything that a matrix came to."""

    operations: int = 0
    runs: int = 0
    kills: int = 0
    spared: list[str] = field(default_factory=list)
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    tell: Tell = lambda _text: None  # a run of hours says at once what went wrong

    def found(self, text: str) -> None:
        self.wrong.append(text)
        self.tell(f"wrong: {text}")

    def add(self, played: Played) -> None:
        self.runs += 1
        self.kills += played.kills
        self.ends[played.states] += 1

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {'/'.join(states)}" for states, count in sorted(self.ends.items()))
        return (
            f"{self.runs} runs over {self.operations} operations, {self.kills} kills: {ends}; {len(self.wrong)} wrong"
        )


async def play(branch: Branch, scene: Scene, plans: list[Plan], lives_s: list[float]) -> Played:
    """The scene: one order through every planned death, then a second one on the same machines."""
    first, second = scene.names
    async with agent_kept(branch, plans, lives_s) as kills:
        await branch.born()
        if scene.begin is not None:
            await scene.begin(branch)
        states = [await _serve(branch, scene, first, scene.order)]
        for plan in plans:
            if plan.safe is not None:
                plan.safe.touch()
        if scene.between is not None:
            await scene.between(branch)
        if CARD in branch.machines:
            async with branch.control() as control:
                await control.customer(policy="take", after_s=0.1)
        states += [await _serve(branch, scene, second, scene.second)]
        report = await branch.verdict()
    reason = str(branch.heard.orders[first].get("reason", ""))
    return Played(plans, (states[0], states[1]), reason, len(kills), report)


async def _serve(branch: Branch, scene: Scene, order: str, words: Mapping[str, Any]) -> str:
    state = await (scene.serve(branch, order, words) if scene.serve else branch.serve(order, **words))
    if state == "needs_attention" and scene.person is not None:
        return await scene.person(branch, order)
    return state


def expect(scene: Scene, played: Played) -> str:
    """What differs from the only thing that may come of one death; empty: nothing."""
    wanted = (scene.state, "completed")
    if played.states != wanted:
        return f"states {played.states} instead of {wanted} (reason {played.reason})"
    if scene.reason is not None and played.reason not in (scene.reason, scene.or_reason or scene.reason):
        return f"reason {played.reason!r} instead of {scene.reason!r}"
    if scene.acts is not None and dict(played.report.acts) != dict(scene.acts):
        return f"acts {dict(played.report.acts)} instead of {dict(scene.acts)}"
    return ""


async def count_operations(make: Make, scene: Scene) -> int:
    """The dry run: how many operations the scene has when nobody dies."""
    branch = await make(**scene.branch)
    plan = Plan(safe=branch.folder / "safe", count=branch.folder / "operations")
    played = await play(branch, scene, [plan], [])
    assert (difference := expect(scene, played)) == "", difference
    assert plan.count is not None
    return len(plan.count.read_text().splitlines())


async def run_matrix(make: Make, scene: Scene, tell: Tell, *, when: str, step: int = 1) -> Tally:
    """Every `step`-th operation, just `when` it (before, after), until runs find no operation to die at."""
    tally = Tally(operations=await count_operations(make, scene), tell=tell)
    beyond = 0
    deaths = itertools.count(1, step)

    last_ones = asyncio.Semaphore(BEYOND)  # the end is found by a few runs, not by as many as there are workers

    async def work() -> None:
        nonlocal beyond
        while beyond < BEYOND:
            at = next(deaths)
            async with last_ones if at > tally.operations else contextlib.nullcontext():
                played = await _one(make, scene, Plan(at, when), tally) if beyond < BEYOND else None
            if played is not None and not played.kills:
                tally.spared.append(f"{when} {at}")
                beyond += at > tally.operations
            if tally.runs % 50 == 0:
                tell(f"kill matrix {scene.name}, {when}: operation {at} of about {tally.operations}; {tally}")

    await _many(work)
    tell(f"kill matrix {scene.name}, {when}: {tally}")
    return tally


async def _one(make: Make, scene: Scene, plan: Plan, tally: Tally) -> Played | None:
    branch = await make(**scene.branch)
    plan = replace(plan, safe=branch.folder / "safe")
    where = f"{scene.name}, killed {plan.when} operation {plan.at} ({branch.folder})"
    try:
        async with branch.closing():
            played = await play(branch, scene, [plan], [])
    except AssertionError as error:
        tally.found(f"{where}: {error}")
        return None
    tally.add(played)
    if difference := expect(scene, played):
        tally.found(f"{where}: {difference}")
    return played


async def run_random(make: Make, scenes: list[Scene], lives: Iterator[list[float]], runs: int, tell: Tell) -> Tally:
    """Kills at instants from `lives`, one list for each run; the checker judges, and no order may be lost."""
    tally = Tally(tell=tell)
    numbers = iter(range(runs))

    async def work() -> None:
        for number in numbers:
            scene, lives_s = scenes[number % len(scenes)], next(lives)
            await _one_random(make, scene, lives_s, tally)
            if tally.runs % 50 == 0:
                tell(f"random kills: {tally}")

    await _many(work)
    tell(f"random kills: {tally}")
    return tally


async def _one_random(make: Make, scene: Scene, lives_s: list[float], tally: Tally) -> None:
    branch = await make(**scene.branch)
    where = f"{scene.name}, lives {lives_s} s ({branch.folder})"
    try:
        async with branch.closing():
            played = await play(branch, scene, [], lives_s)
    except AssertionError as error:
        tally.found(f"{where}: {error}")
        return
    tally.add(played)
    if len(lives_s) == 1 and (difference := expect(scene, played)):
        tally.found(f"{where}: {difference}")


async def together(work: Iterable[Coroutine[Any, Any, Tally]]) -> list[Tally]:
    """What each comes to; one that fails ends the others, before their branches are taken away under them."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one, name="matrix") for one in work]
    return [task.result() for task in tasks]


async def each(make_work: Iterable[Callable[[], Awaitable[None]]], width: int = WIDTH) -> None:
    """Does all pieces of work, `width` at a time."""
    waiting = iter(make_work)

    async def work() -> None:
        for piece in waiting:
            await piece()

    await _many(work, width)


async def _many(work: Callable[[], Awaitable[None]], width: int = WIDTH) -> None:
    async def named() -> None:
        await work()

    async with asyncio.TaskGroup() as group:
        for number in range(width):
            group.create_task(named(), name=f"worker {number}")
