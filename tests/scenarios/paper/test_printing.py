"""Receipts on real lines: printed once with proof, or told exactly what is known of the paper and who decided."""

from __future__ import annotations

from functools import partial

import pytest

from tests.conftest import BranchMaker
from tests.harness.matrix import each
from tests.harness.printing import asked, begun, ended, power_back, printer, proof, receipt, ticket

pytestmark = pytest.mark.process

CARD_AND_SHEET = {"card_drawn": 1, "card_presented": 1, "sheet_out": 1}

RECEIPT_FIRST = """\
[scene]
name = "receipt_first"
version = 1
class = "physical"
title = { zh = "先打印后出卡", en = "Receipt first" }
[parameters.note]
type = "text"
title = { zh = "备注", en = "Note" }
[parameters.title]
type = "text"
default = "Receipt"
title = { zh = "标题", en = "Title" }
[parameters.lines]
type = "text"
default = "first"
title = { zh = "正文", en = "Lines" }
[parameters.amount]
type = "text"
default = ""
title = { zh = "金额", en = "Amount" }
[[step]]
name = "draw"
role = "card-dispenser"
act = "draw_card"
undo = "capture_card"
[[step]]
name = "receipt"
role = "receipt-printer"
act = "print_receipt"
template = "receipt"
undo = "void_receipt"
undo_always = true
[[step]]
name = "present"
role = "card-dispenser"
act = "present_card"
no_return = true
"""


# -- as it should be ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("ORD-10")
@pytest.mark.rule("ORD-11")
async def test_a_card_is_handed_over_and_its_receipt_printed(make_branch: BranchMaker) -> None:
    await each([partial(hand_over, make_branch, line) for line in ("pty", "tcp")])


async def hand_over(make_branch: BranchMaker, line: str) -> None:
    branch = await begun(make_branch, printer(line=line), line=line)
    assert await branch.serve("o-zh") == "completed"
    assert await branch.serve("o-en", parameters={"take_s": 30, "language": "en"}) == "completed"
    report = await branch.verdict()
    assert report.acts == {name: 2 * count for name, count in CARD_AND_SHEET.items()}
    assert proof(branch, "o-zh", "receipt")["evidence"] == "printed"
    first, second = branch.machines["receipt-1"].sheets()
    assert "o-zh" in "".join(first["lines"])
    assert first["lines"] != second["lines"]
    assert (branch.folder / first["png"]).read_bytes().startswith(b"\x89PNG")


async def test_a_card_without_a_printer_or_a_wish_has_no_receipt(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch)
    assert await branch.serve("o-1", parameters={"take_s": 30, "receipt": False}) == "completed"
    report = await branch.verdict()
    assert report.acts == {"card_drawn": 1, "card_presented": 1}
    accepted = next(e["data"] for e in branch.heard.events if e["data"].get("order") == "o-1")
    assert accepted["facts"]["left_out"] == [{"step": "receipt", "reason": "not_wanted"}]


@pytest.mark.rule("ORD-10")
async def test_receipts_of_any_text_and_a_ticket(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch, printer(), printer("ticket-1", "ticket-printer"), card=False)
    assert await branch.serve("o-1", **receipt("one line")) == "completed"
    assert await branch.serve("o-2", **ticket("A017")) == "completed"
    report = await branch.verdict()
    assert report.acts == {"sheet_out": 2}
    assert any("A017" in line for line in branch.machines["ticket-1"].sheets()[0]["lines"])


async def test_a_text_that_no_printer_has_is_refused_before_a_byte_is_sent(make_branch: BranchMaker) -> None:
    branch = await begun(make_branch, card=False)
    assert await branch.serve("o-1", **receipt("\U0001f600")) == "failed"
    assert await branch.serve("o-2", **receipt("plain")) == "completed"
    report = await branch.verdict()
    assert report.acts == {"sheet_out": 1}
    assert report.orders["o-1"].reason == "unsupported_data"
    assert not [attempt for attempt in report.attempts if attempt.order == "o-1"]


# -- what the machine may do by itself, and what it must undo ----------------------------------------------------------


@pytest.mark.rule("ORD-3")
@pytest.mark.rule("ORD-10")
async def test_a_ticket_is_printed_again_by_the_machine_itself_and_marked(make_branch: BranchMaker) -> None:
    ticket_1 = printer("ticket-1", "ticket-printer")
    branch = await begun(make_branch, ticket_1, card=False)
    await branch.machines["ticket-1"].fault("power_loss", off_s=None, at_line=4)
    await branch.submit("o-100", **ticket("A017"))
    await power_back(branch, "o-100", "ticket-1")
    assert await branch.settled("o-100") == "completed"
    report = await branch.verdict()
    assert report.acts == {"sheet_out": 1, "void_slip": 1}
    assert [attempt.state for attempt in report.attempts] == ["failed", "done"]
    assert branch.machines["ticket-1"].sheets()[-1]["reprint"] == 1


@pytest.mark.rule("ORD-7")
@pytest.mark.rule("ORD-10")
async def test_a_receipt_is_declared_void_when_its_card_never_came(make_branch: BranchMaker) -> None:
    scene = {"config": '[scenes]\nfolders = ["FOLDER/scenes"]\n', "files": {"scenes/receipt_first.toml": RECEIPT_FIRST}}
    jam = {"at": "2nd motion", "fault": "jam"}
    branch = await begun(make_branch, faults=[jam], **scene)
    facts = await asked(branch, "o-100", scene="receipt_first", parameters={"note": "x"})
    assert facts["step"] == "present"
    await branch.fault("card_moved_by_hand")
    await branch.resolve("o-100", "failed", "li")
    await ended(branch, "o-100", "failed")
    report = await branch.verdict()
    assert (report.acts["sheet_out"], report.acts["void_slip"]) == (1, 1)


@pytest.mark.rule("ORD-7")
async def test_a_receipt_that_fails_before_the_card_is_presented_undoes_the_rest(make_branch: BranchMaker) -> None:
    scene = {"config": '[scenes]\nfolders = ["FOLDER/scenes"]\n', "files": {"scenes/receipt_first.toml": RECEIPT_FIRST}}
    branch = await begun(make_branch, **scene)
    order = {"scene": "receipt_first", "parameters": {"note": "\U0001f600"}}
    assert await branch.serve("o-1", **order) == "failed"
    report = await branch.verdict()
    assert report.acts == {"card_drawn": 1, "card_captured": 1}
    assert report.orders["o-1"].reason == "unsupported_data"
