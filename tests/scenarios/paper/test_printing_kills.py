"""SIGKILL at operations of scenes that print: no sheet twice unmarked, none told that is not there, no order lost."""

from __future__ import annotations

import pytest

from tests.conftest import BranchMaker
from tests.harness.matrix import Tally, Tell, run_matrix, together
from tests.harness.printing import CARD_RECEIPT, RECEIPT

pytestmark = pytest.mark.process

STEPS = ((RECEIPT, 12), (CARD_RECEIPT, 33))


def judge(tally: Tally) -> None:
    assert not tally.wrong, f"{tally}\n\n" + "\n\n".join(tally.wrong[:5])


@pytest.mark.rule("ORD-4")
@pytest.mark.rule("ORD-5")
@pytest.mark.rule("ORD-9")
@pytest.mark.rule("ORD-10")
@pytest.mark.rule("PHY-2")
async def test_killed_at_operations_of_scenes_that_print(make_branch: BranchMaker, tell: Tell) -> None:
    """Every so many operations; torture takes them all."""
    runs = [(scene, step, when) for scene, step in STEPS for when in ("before", "after")]
    matrices = (run_matrix(make_branch, scene, tell, when=when, step=step) for scene, step, when in runs)
    for (_, step, _), tally in zip(runs, await together(matrices), strict=True):
        judge(tally)
        assert tally.kills >= tally.operations // step // 2, f"most plans must strike, or nothing was proved: {tally}"
