"""The kill matrices of scenes at a cabinet, whole, and kills at random instants."""

from __future__ import annotations

import pytest

from tests.conftest import BranchMaker
from tests.harness.cabinets import CHEQUE_BOOK, TOKEN, TOKEN_LEFT
from tests.harness.matrix import Scene, Tell, run_matrix, run_random
from tests.scenarios.cells.test_cells import judge
from tests.scenarios.test_kill_matrix import lives
from tests.torture.test_kills import seed

__all__ = ["seed"]  # a fixture of these tests

pytestmark = [pytest.mark.torture, pytest.mark.process]

RANDOM_KILLS = 1000


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("scene", [TOKEN, TOKEN_LEFT, CHEQUE_BOOK], ids=lambda scene: scene.name)
async def test_the_matrix_whole(make_branch: BranchMaker, tell: Tell, scene: Scene, when: str) -> None:
    judge(await run_matrix(make_branch, scene, tell, when=when))


async def test_kills_at_random_instants(make_branch: BranchMaker, tell: Tell, seed: int) -> None:
    tell(f"seed {seed}")
    judge(await run_random(make_branch, [TOKEN, TOKEN_LEFT, CHEQUE_BOOK], lives(seed, 1), RANDOM_KILLS, tell))
