"""Hundreds of random days; a seed that fails belongs into KEPT_SEEDS of the scenario."""

from __future__ import annotations

import pytest

from tests.conftest import BranchMaker
from tests.harness.matrix import Tell
from tests.scenarios.test_random_days import live_days
from tests.torture.test_kills import seed

__all__ = ["seed"]  # a fixture of these tests

pytestmark = [pytest.mark.torture, pytest.mark.process]

DAYS = 500


async def test_random_days(make_branch: BranchMaker, tell: Tell, seed: int) -> None:
    tell(f"seed {seed}")
    await live_days(make_branch, tuple(range(seed, seed + DAYS)), tell)
