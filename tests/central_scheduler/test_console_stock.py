"""The console at a cabinet: two people load it, and anybody sees what lies in which cell."""

from __future__ import annotations

import pytest

from tests.broker import Broker
from tests.central_scheduler.test_console import Terminal
from tests.conftest import BranchMaker
from tests.harness.branch import Branch
from tests.harness.cabinets import CABINET, cabinet, shelves

pytestmark = pytest.mark.process


@pytest.mark.rule("STO-3")
async def test_two_people_load_and_anybody_looks(make_branch: BranchMaker, shared_broker: Broker) -> None:
    branch: Branch = await make_branch(others=(cabinet(),), card=False)
    await branch.start_agent()
    await branch.born()
    terminal = Terminal(shared_broker.port, branch.name)
    load = ("stock", "load", CABINET, f"01=u_shield:{CABINET}-01", "02=", "--yes")
    code, _, err = await terminal.type(*load, "--by", "li")
    assert (code, "needs 2 different people" in err) == (2, True)
    code, _, err = await terminal.type("stock", "load", CABINET, "01", "--yes", "--by", "li", "--by", "wang")
    assert (code, "does not say what lies in a cell" in err) == (2, True)
    told = await terminal.json(*load, "--by", "li", "--by", "wang")
    assert told["result"]["cells"] == [{"cell": "01", "state": "declared"}, {"cell": "02", "state": "empty"}]
    await branch.heard.until(lambda: shelves(branch).get("01") == "sealed", "its sensor confirms it")
    await branch.heard.until(lambda: _shown(branch) == "sealed", "the twin tells it")
    cells = (await terminal.json("stock", "show"))["cells"]
    known = {"device": CABINET, "cell": "01", "article": "u_shield", "serial": f"{CABINET}-01", "shelf": "sealed"}
    assert (known | {"door": "closed", "item": "present"}).items() <= cells[0].items()
    code, out, _ = await Terminal(shared_broker.port, branch.name, "zh").type("stock", "show", CABINET)
    assert (code, f"{CABINET}-01" in out, "在库" in out) == (0, True, True)
    code, _, err = await terminal.type("stock", "show", "nobody")
    assert (code, "no cabinet nobody" in err) == (3, True)


def _shown(branch: Branch) -> str:
    twins = [twin["data"] for twin in branch.heard.twins if twin["data"]["device"] == CABINET]
    return str(twins[-1]["storage"].get("01", {}).get("shelf", "")) if twins else ""
