"""SIGKILL at every operation of the scene: no card twice, none forgotten, no order lost."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.conftest import BranchMaker
from tests.harness.matrix import LEFT, TAKEN, Scene, Tally, Tell, run_matrix, run_random

SEED = 20260913
ONE_LIFE_S = (
    3.2  # from the start of the agent to the end of the scene, roughly: a kill after it strikes the second order
)


def lives(seed: int, kills: int) -> Iterator[list[float]]:
    """Seeded instants of death, in seconds from each agent's start."""
    dice = random.Random(seed)
    while True:
        yield [round(dice.uniform(0.0, ONE_LIFE_S), 3) for _ in range(kills)]


def judge(tally: Tally) -> None:
    assert not tally.wrong, f"{tally}\n\n" + "\n\n".join(tally.wrong[:5])
    assert all("needs_attention" not in states for states in tally.ends), f"positional acts settle themselves: {tally}"


@pytest.mark.process
@pytest.mark.rule("ORD-4")
@pytest.mark.rule("ORD-5")
@pytest.mark.rule("ORD-9")
@pytest.mark.rule("PHY-1")
@pytest.mark.rule("PHY-2")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("scene", "step"), [(TAKEN, 1), (LEFT, 9)], ids=lambda value: getattr(value, "name", f"every {value}")
)
async def test_killed_at_each_operation(
    make_branch: BranchMaker, tell: Tell, scene: Scene, step: int, when: str
) -> None:
    tally = await run_matrix(make_branch, scene, tell, when=when, step=step)
    judge(tally)
    planned = tally.operations // step
    assert tally.kills >= planned // 2, f"most plans must strike, or nothing was proved: {tally}"


@pytest.mark.process
@pytest.mark.rule("ORD-9")
async def test_40_kills_at_random_instants(make_branch: BranchMaker, tell: Tell) -> None:
    tally = await run_random(make_branch, [TAKEN, LEFT], lives(SEED, 1), 40, tell)
    judge(tally)


@pytest.mark.process
@pytest.mark.rule("ORD-9")
async def test_several_kills_in_the_life_of_one_order(make_branch: BranchMaker, tell: Tell) -> None:
    tally = await run_random(make_branch, [TAKEN, LEFT], lives(SEED + 1, 4), 14, tell)
    assert not tally.wrong, "\n\n".join(tally.wrong[:5])
