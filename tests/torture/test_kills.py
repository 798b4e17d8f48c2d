"""The kill matrix whole, both customers, and two thousand kills at random instants; hours, not minutes."""

from __future__ import annotations

import os
import random
import secrets

import pytest

from tests.conftest import BranchMaker
from tests.harness.matrix import LEFT, TAKEN, Tell, run_matrix, run_random
from tests.scenarios.test_kill_matrix import judge, lives

pytestmark = [pytest.mark.torture, pytest.mark.process]

RANDOM_KILLS = 2000
MANY_LIVES = 250  # runs with up to six kills each


@pytest.fixture
def seed() -> int:
    """BRANCHGATE_SEED repeats a run; else a new one each time, shown by the failing test."""
    given = os.environ.get("BRANCHGATE_SEED")
    return int(given) if given else secrets.randbelow(2**32)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_matrix_of_a_card_left_standing_whole(make_branch: BranchMaker, tell: Tell, when: str) -> None:
    judge(await run_matrix(make_branch, LEFT, tell, when=when))


async def test_2000_kills_at_random_instants(make_branch: BranchMaker, tell: Tell, seed: int) -> None:
    tell(f"seed {seed}")
    judge(await run_random(make_branch, [TAKEN, LEFT], lives(seed, 1), RANDOM_KILLS, tell))


async def test_many_kills_in_the_life_of_each_order(make_branch: BranchMaker, tell: Tell, seed: int) -> None:
    tell(f"seed {seed}")
    dice = random.Random(seed)
    kills = (next(lives(dice.randrange(2**32), dice.randint(2, 6))) for _ in iter(int, 1))
    tally = await run_random(make_branch, [TAKEN, LEFT], kills, MANY_LIVES, tell)
    assert not tally.wrong, "\n\n".join(tally.wrong[:5])
