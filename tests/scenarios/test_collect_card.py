"""The main job on real input: a card is drawn, handed over, taken or taken back, and told all the way."""

from __future__ import annotations

import pytest

from tests.conftest import BranchMaker
from tests.harness.branch import LEAVES

pytestmark = pytest.mark.process


@pytest.mark.rule("ORD-2")
@pytest.mark.rule("ORD-3")
@pytest.mark.rule("ORD-11")
@pytest.mark.parametrize("line", ["pty", "tcp"])
async def test_a_card_is_handed_over(make_branch: BranchMaker, line: str) -> None:
    branch = await make_branch(line=line)
    await branch.start_agent()
    await branch.born()
    assert await branch.serve("a") == "completed"
    assert await branch.serve("b") == "completed"
    report = await branch.verdict()
    assert report.acts == {"card_drawn": 2, "card_presented": 2}
    assert await branch.stop_agent() == 0


@pytest.mark.rule("ORD-7")
@pytest.mark.rule("ORD-11")
async def test_a_card_left_standing_is_taken_back(make_branch: BranchMaker) -> None:
    branch = await make_branch(customer=LEAVES)
    await branch.start_agent()
    await branch.born()
    assert await branch.serve("a", take_s=1) == "failed"
    report = await branch.verdict()
    assert report.orders["a"].reason == "not_taken"
    assert report.acts == {"card_drawn": 1, "card_presented": 1, "card_captured": 1}
