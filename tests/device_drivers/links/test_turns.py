"""Acts before questions before polls, by arrival within each; and whoever waits longest is never passed by for ever."""

from __future__ import annotations

import asyncio

from device_drivers.links.line import SharedLine, Urgency
from device_drivers.links.memory import joined_ends
from device_drivers.links.turns import OVERTAKEN_MAX, Turns
from tests.virtual_time import virtual_time

ACT, ASK, POLL = Urgency.ACT, Urgency.ASK, Urgency.POLL


async def served(turns: Turns, wanted: list[Urgency]) -> list[tuple[int, Urgency]]:
    """In which order those who came while the line was busy had their turn."""
    order: list[tuple[int, Urgency]] = []

    async def take(number: int, urgency: Urgency) -> None:
        async with turns.turn(urgency):
            order.append((number, urgency))
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group, turns.turn(ASK):
        for number, urgency in enumerate(wanted):
            group.create_task(take(number, urgency))
        await asyncio.sleep(0.01)
        assert turns.waiting == len(wanted)
    return order


@virtual_time
async def test_the_most_urgent_is_next_and_among_equals_whoever_came_first() -> None:
    order = await served(Turns(), [POLL, ASK, ACT, POLL, ASK, ACT])
    assert order == [(2, ACT), (5, ACT), (1, ASK), (4, ASK), (0, POLL), (3, POLL)]


@virtual_time
async def test_whoever_waits_longest_is_passed_by_four_times_in_a_row_and_not_more() -> None:
    turns = Turns()
    order = await served(turns, [POLL, POLL, *[ACT] * 12])
    assert [urgency for _, urgency in order] == [ACT] * 4 + [POLL] + [ACT] * 4 + [POLL] + [ACT] * 4
    assert (turns.overtaken, turns.owed) == (2 * OVERTAKEN_MAX, 2)


@virtual_time
async def test_a_poll_gets_its_turn_while_acts_never_end() -> None:
    turns = Turns()
    acts = 0

    async def act_for_ever() -> None:
        nonlocal acts
        while True:
            async with turns.turn(ACT):
                acts += 1
                await asyncio.sleep(0.1)

    busy = [asyncio.create_task(act_for_ever()) for _ in range(3)]
    await asyncio.sleep(0.05)
    before = acts
    async with turns.turn(POLL):
        assert acts - before <= 2 + OVERTAKEN_MAX  # two were there before
    for task in busy:
        task.cancel()
    await asyncio.wait(busy)


@virtual_time
async def test_an_act_waits_for_the_running_turn_and_at_most_one_that_is_owed() -> None:
    turns = Turns()
    polls = 0

    async def poll_for_ever() -> None:
        nonlocal polls
        while True:
            async with turns.turn(POLL):
                polls += 1
                await asyncio.sleep(0.1)

    busy = [asyncio.create_task(poll_for_ever()) for _ in range(5)]
    await asyncio.sleep(0.05)
    for _ in range(20):
        before = polls
        async with turns.turn(ACT):
            assert polls - before <= 1
        await asyncio.sleep(0.13)
    for task in busy:
        task.cancel()
    await asyncio.wait(busy)


@virtual_time
async def test_whoever_is_cancelled_just_as_its_turn_comes_passes_it_on() -> None:
    turns = Turns()

    async def take() -> None:
        async with turns.turn(ASK):
            await asyncio.sleep(1)

    async with turns.turn(ASK):
        waiters = [asyncio.create_task(take()) for _ in range(3)]
        await asyncio.sleep(0)
        waiters[1].cancel()  # before the turn is passed on, and not noticed yet
    waiters[0].cancel()  # it was given the turn, and has not run since
    await asyncio.wait(waiters)
    assert [task.cancelled() for task in waiters] == [True, True, False]
    async with asyncio.timeout(0.1), turns.turn(POLL):
        assert turns.waiting == 0


@virtual_time
async def test_exchanges_of_a_line_are_served_by_urgency_and_are_questions_unless_told() -> None:
    line = SharedLine(joined_ends()[0])
    hold = await line.hold()
    order: list[str] = []

    async def exchange(name: str, *urgency: Urgency) -> None:
        async with hold.exchange(*urgency):
            order.append(name)

    async with asyncio.TaskGroup() as group, hold.exchange():
        for name, urgency in (("poll", (POLL,)), ("question", ()), ("act", (ACT,))):
            group.create_task(exchange(name, *urgency))
        await asyncio.sleep(0.01)
    assert order == ["act", "question", "poll"]
    await hold.let_go()
