"""A ticket that waits in the printer's mouth: taken and told so, or taken back after the limit and declared void."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from device_drivers.escpos.commands import process_id
from tests.conftest import BranchMaker
from tests.harness.branch import LEAVES, Branch
from tests.harness.crash import Plan
from tests.harness.matrix import each
from tests.harness.printing import printer

pytestmark = pytest.mark.process

TICKET_1 = "ticket-1"
KIOSK: Mapping[str, Any] = {"presenter": True, "retract_hex": "1D 65 02", "take_min_s": 0.3}
HANDED = """\
[scene]
name = "hand_ticket"
version = 1
class = "physical"
title = { zh = "取号并等待取走", en = "Hand over a queue ticket" }
[parameters.number]
type = "text"
title = { zh = "号码", en = "Number" }
[parameters.queue]
type = "text"
title = { zh = "业务", en = "Service" }
[parameters.ahead]
type = "number"
default = 0
title = { zh = "前面等候人数", en = "People before" }
[parameters.qr]
type = "text"
default = ""
title = { zh = "二维码内容", en = "What the QR code says" }
[parameters.take_s]
type = "number"
default = 30
title = { zh = "等待取走的秒数", en = "Seconds to wait until it is taken" }
[[step]]
name = "print"
role = "ticket-printer"
act = "print_ticket"
template = "ticket"
undo = "void_receipt"
[[step]]
name = "take"
role = "ticket-printer"
act = "await_taken"
limit = "take_s"
waits_for = "customer"
"""


async def kiosk(make_branch: BranchMaker, customer: Mapping[str, Any], plan: Plan | None = None) -> Branch:
    options = {"presenter": True, "customer": dict(customer)}
    machine = printer(TICKET_1, "ticket-printer", options=options, profile=KIOSK)
    scene = {"config": '[scenes]\nfolders = ["FOLDER/scenes"]\n', "files": {"scenes/hand_ticket.toml": HANDED}}
    branch: Branch = await make_branch(others=(machine,), card=False, **scene)
    await branch.start_agent(plan)
    await branch.born()
    return branch


def words(number: str, take_s: float = 30) -> dict[str, Any]:
    return {"scene": "hand_ticket", "parameters": {"number": number, "queue": "Cash", "take_s": take_s}}


@pytest.mark.rule("ORD-5")
@pytest.mark.rule("ORD-7")
@pytest.mark.rule("ORD-11")
async def test_a_ticket_is_taken_and_told_so_or_taken_back_and_void(make_branch: BranchMaker) -> None:
    await each([partial(one, make_branch) for one in (handed_over, left, killed_behind_the_cut)])


async def handed_over(make_branch: BranchMaker) -> None:
    branch = await kiosk(make_branch, LEAVES)
    await by_a_hand(branch, "o-1", "A001")
    await by_a_hand(branch, "o-2", "A002")
    assert (await branch.verdict()).acts == {"sheet_out": 2}
    assert len(branch.shown("ticket_taken")) == 2


async def by_a_hand(branch: Branch, order: str, number: str) -> None:
    """It is taken once the agent has seen it in the mouth."""
    await branch.submit(order, **words(number))
    await branch.heard.until(lambda: (order, "take") in branch.heard.steps, "its arming saw the ticket")
    await branch.machines[TICKET_1].request("customer", take=True)
    assert await branch.settled(order) == "completed"
    assert branch.heard.steps[order, "take"]["facts"]["taken"] == "witnessed"


async def left(make_branch: BranchMaker) -> None:
    branch = await kiosk(make_branch, LEAVES)
    assert await branch.serve("o-1", **words("A001", take_s=1)) == "failed"
    report = await branch.verdict()
    assert report.orders["o-1"].reason == "not_taken"
    assert [line["detail"]["attempts"] for line in branch.shown("ticket_retracted")] == [["o-1/print/1"]] * 2
    assert not branch.shown("ticket_pushed_out")
    original, slip = branch.machines[TICKET_1].sheets()
    assert (original["void"], slip["void"], slip["attempts"]) == (False, True, ["o-1/print/1"])
    await branch.machines[TICKET_1].request("customer", policy="take", after_s=0.1)
    assert await branch.serve("o-2", **words("A002")) == "completed"
    assert (await branch.verdict()).acts == {"sheet_out": 2, "void_slip": 1}


async def killed_behind_the_cut(make_branch: BranchMaker) -> None:
    """Nobody heard its ID. It is found in the mouth; else it would be waited for ever: nobody takes it unasked."""
    branch = await kiosk(make_branch, LEAVES, Plan(when="after", frame=process_id("0001").hex(" ")))
    await branch.submit("o-1", **words("A001", take_s=1))
    assert branch.agent is not None
    await branch.agent.wait()
    await branch.start_agent()
    assert await branch.settled("o-1") == "failed"
    report = await branch.verdict()
    assert report.orders["o-1"].reason == "not_taken"
    assert report.acts == {"sheet_out": 1, "void_slip": 1}
    assert branch.heard.steps["o-1", "print"]["to"] == "compensated"
    assert len(branch.shown("ticket_retracted")) == 2
