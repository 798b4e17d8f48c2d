"""The checker against agents that print wrongly on purpose: each is caught, and passes without its bug."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import pytest

from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.matrix import each
from tests.harness.printing import PEOPLE, asked_after_outage, printer, receipt

pytestmark = pytest.mark.process

LOST = {"off_s": None, "at_line": 8}  # the power, in mid-sheet


async def printing(make_branch: BranchMaker, bug: str | None, *faults: Mapping[str, Any]) -> Branch:
    branch: Branch = await make_branch(others=[printer(faults=faults)], card=False)
    await branch.start_agent(bug=bug)
    await branch.born()
    return branch


async def silent(make_branch: BranchMaker, bug: str | None) -> Branch:
    """The sheet comes out, and the next word of the printer does not come back: its ID, or that it is still there.

    Printed again, the order may be completed by the first sheet's ID while the second is still on its way.
    """
    branch = await printing(make_branch, bug, {"at": "1st cut", "fault": "silence", "args": {"count": 1}})
    await branch.serve("o-100", **receipt("of o-100"))
    if bug is not None:
        await branch.until_ledger("sheet_out", 2)
    return branch


async def lost_and_printed_again(make_branch: BranchMaker, bug: str | None) -> Branch:
    branch = await printing(make_branch, bug)
    await branch.machines["receipt-1"].fault("power_loss", **LOST)
    await asked_after_outage(branch, "o-100", **receipt("of o-100"))
    await branch.resolve("o-100", "again", *PEOPLE)
    await branch.heard.until(lambda: branch.heard.state("o-100") == "completed", "printed again")
    return branch


async def lost_and_the_next_one(make_branch: BranchMaker, bug: str | None) -> Branch:
    """Half of the first receipt hangs in the printer when the second is printed."""
    branch = await printing(make_branch, bug)
    await branch.machines["receipt-1"].fault("power_loss", **LOST)
    await asked_after_outage(branch, "o-100", **receipt("of o-100"))
    await branch.resolve("o-100", "skip", "li")
    assert await branch.serve("o-200", **receipt("of o-200")) == "completed"
    return branch


Story = Callable[[BranchMaker, str | None], Awaitable[Branch]]
BUGS: dict[str, tuple[Story, str]] = {  # which day shows it, and the word that the checker has for it
    "print_again_on_silence": (silent, "sheet_twice"),
    "leave_reprints_unmarked": (lost_and_printed_again, "unmarked_reprint"),
    "leave_the_rest_inside": (lost_and_the_next_one, "foreign_line"),
    "believe_a_later_id": (lost_and_the_next_one, "missing_sheet"),
}


@pytest.mark.rule("PHY-2")
@pytest.mark.rule("PHY-7")
@pytest.mark.rule("ORD-10")
async def test_each_planted_mistake_of_printing_is_caught(make_branch: BranchMaker) -> None:
    async def caught(bug: str) -> None:
        day, kind = BUGS[bug]
        branch = await day(make_branch, bug)
        await branch.scheduler.caught_up(branch.name)
        report = branch.judge()
        assert kind in report.kinds, f"{bug}\n{report.table()}"

    await each([partial(caught, bug) for bug in BUGS])


@pytest.mark.rule("PHY-2")
@pytest.mark.rule("PHY-7")
@pytest.mark.rule("ORD-10")
async def test_without_them_the_same_days_are_harmless(make_branch: BranchMaker) -> None:
    async def silence() -> None:
        assert (await (await silent(make_branch, None)).verdict()).acts == {"sheet_out": 1}

    async def again() -> None:
        branch = await lost_and_printed_again(make_branch, None)
        assert (await branch.verdict()).acts == {"sheet_out": 1, "void_slip": 1}
        assert branch.machines["receipt-1"].sheets()[-1]["reprint"] == 1

    async def onward() -> None:
        branch = await lost_and_the_next_one(make_branch, None)
        assert (await branch.verdict()).acts == {"sheet_out": 1, "void_slip": 1}
        slip, second = branch.machines["receipt-1"].sheets()
        assert any("o-100" in line for line in slip["lines"]), "what was printed of it stands above the void mark"
        assert not any("o-100" in line for line in second["lines"])

    await each([silence, again, onward])
