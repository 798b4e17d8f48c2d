"""Random days of a branch, faults, commands, customers and deaths mixed; seeds that once failed stay."""

from __future__ import annotations

from functools import partial

import pytest

from tests.conftest import BranchMaker
from tests.harness.day import live, make_day
from tests.harness.matrix import Tell, each

pytestmark = pytest.mark.process

KEPT_SEEDS: tuple[int, ...] = (17,)  # each showed something once
SEEDS = tuple(range(20))


async def live_days(make_branch: BranchMaker, seeds: tuple[int, ...], tell: Tell) -> None:
    wrong: list[str] = []
    done = 0

    async def one(seed: int) -> None:
        nonlocal done
        day = make_day(seed)
        try:
            await live(make_branch, day)
        except AssertionError as error:
            wrong.append(f"seed {seed}: {day}\n{error}")
        done += 1
        if done % 50 == 0:
            tell(f"random days: {done}, {len(wrong)} wrong")

    await each([partial(one, seed) for seed in seeds])
    tell(f"random days: {done}, {len(wrong)} wrong")
    assert not wrong, "\n\n".join(wrong[:4])


@pytest.mark.rule("ORD-9")
async def test_random_days(make_branch: BranchMaker, tell: Tell) -> None:
    await live_days(make_branch, tuple(sorted({*KEPT_SEEDS, *SEEDS})), tell)
