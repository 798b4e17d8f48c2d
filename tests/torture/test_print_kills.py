"""The kill matrices of scenes that print, whole, and a thousand kills at random with people at the printers."""

from __future__ import annotations

import pytest

from tests.conftest import BranchMaker
from tests.edge_agent.custody.server import DocumentServer
from tests.harness.matrix import Scene, Tell, run_matrix, run_random
from tests.harness.printing import CARD_RECEIPT, RECEIPT
from tests.scenarios.paper.test_documents import documents, scene
from tests.scenarios.paper.test_printing_kills import judge
from tests.scenarios.test_kill_matrix import lives
from tests.torture.test_kills import seed

__all__ = ["documents", "seed"]  # fixtures of these tests

pytestmark = [pytest.mark.torture, pytest.mark.process]

RANDOM_KILLS = 1000


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("printed", [RECEIPT, CARD_RECEIPT], ids=lambda printed: printed.name)
async def test_the_matrix_whole(make_branch: BranchMaker, tell: Tell, printed: Scene, when: str) -> None:
    judge(await run_matrix(make_branch, printed, tell, when=when))


@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_matrix_of_a_document_whole(
    make_branch: BranchMaker, documents: DocumentServer, tell: Tell, when: str
) -> None:
    judge(await run_matrix(make_branch, scene(documents), tell, when=when))


async def test_kills_at_random_instants(
    make_branch: BranchMaker, documents: DocumentServer, tell: Tell, seed: int
) -> None:
    tell(f"seed {seed}")
    scenes = [RECEIPT, CARD_RECEIPT, scene(documents)]
    judge(await run_random(make_branch, scenes, lives(seed, 1), RANDOM_KILLS, tell))
