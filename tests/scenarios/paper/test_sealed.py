"""A document printed and stamped by one machine: the stamp comes down at most once; what nobody saw, people decide."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import BranchMaker
from tests.edge_agent.custody.server import DocumentServer, authority, document_server, ok
from tests.harness.branch import Branch
from tests.harness.crash import Plan
from tests.harness.matrix import Scene, each, play
from tests.harness.printing import PEOPLE, ended
from tests.harness.scheduler import ENDS, REACH_S
from tests.harness.sealed import CHANNEL, SEALED, sealed_branch, stamps

pytestmark = pytest.mark.process

PDF = b"%PDF-1.4\n1 0 obj<</Type/Page>>endobj\n%%EOF\n"
HASH = hashlib.sha256(PDF).hexdigest()
PULSE = "write 01 05 02 03 00 02 bd b3"  # channel 3 of board 1, 200 ms


@pytest_asyncio.fixture
async def documents() -> AsyncIterator[DocumentServer]:
    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = ok(PDF)
        yield server


def order(server: DocumentServer, sha256: str = HASH) -> dict[str, Any]:
    document = {"name": "document", "media_type": "application/pdf", "sha256": sha256}
    return {"scene": "sealed_document", "parameters": {}, "documents": [{**document, "address": server.address()}]}


async def branch_of(make_branch: BranchMaker) -> Branch:
    pem = authority().cert_pem.bytes().decode()
    return await sealed_branch(make_branch, config='[documents]\nca_file = "FOLDER/ca.pem"\n', files={"ca.pem": pem})


async def asked(branch: Branch, name: str) -> dict[str, Any]:
    """What people are asked."""
    assert await branch.settled(name) == "needs_attention"
    facts: dict[str, Any] = branch.heard.orders[name]["facts"]
    return facts


async def begun(make_branch: BranchMaker) -> Branch:
    branch = await branch_of(make_branch)
    await branch.start_agent()
    await branch.born()
    return branch


def kept(branch: Branch) -> list[Path]:
    return [path for path in (branch.folder / "data" / "documents").glob("**/*") if path.is_file()]


@pytest.mark.rule("ORD-1")
@pytest.mark.rule("ORD-10")
async def test_a_document_is_printed_and_its_own_sheet_stamped(
    make_branch: BranchMaker, documents: DocumentServer
) -> None:
    branch = await begun(make_branch)
    assert await branch.serve("o-1", **order(documents)) == "completed"
    assert await branch.serve("o-2", **order(documents)) == "completed"
    report = await branch.verdict()
    assert report.acts == {"sheet_out": 2, "stamped": 2}
    assert stamps(branch) == [CHANNEL, CHANNEL]
    for name in ("o-1", "o-2"):
        stamped = branch.heard.steps[name, "stamp"]
        assert (stamped["device"], stamped["facts"]["evidence"]) == (SEALED, "sent")
        assert (stamped["facts"]["sheet"], stamped["facts"]["printed_by"]) == (HASH, f"{name}/print/1")
    async with asyncio.timeout(REACH_S):
        while kept(branch):  # noqa: ASYNC110 - a folder tells nobody
            await asyncio.sleep(0.05)


# -- SIGKILL around the stamp ------------------------------------------------------------------------------------------

# Operations before and behind the frame that lets the stamp come down: its relay asked, armed, acting, told.
MOMENTS = (-13, -10, -8, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3)


async def look(branch: Branch, name: str) -> str:
    """A person looks at the sheet, as often as the order asks: stamped is done, what is not is stamped by hand."""
    heard, decided = branch.heard, set[int]()

    def asks() -> bool:
        return heard.state(name) == "needs_attention" and heard.orders[name]["seq"] not in decided

    while heard.state(name) not in ENDS:
        await heard.until(lambda: asks() or heard.state(name) in ENDS, f"order {name} asks or ends")
        if asks():
            facts = heard.orders[name]["facts"]
            decided.add(heard.orders[name]["seq"])
            assert facts["step"] == "stamp", f"a sheet that the printer knows by its job's name is for nobody: {facts}"
            choice = ("done", *PEOPLE) if stamps(branch) else ("by_hand", PEOPLE[0])
            assert (await branch.resolve(name, *choice))["status"] == "accepted"
    return heard.state(name)


async def stamp_at(make_branch: BranchMaker) -> int:
    """The number of the operation that writes the pulse, where nobody dies."""
    branch = await branch_of(make_branch)
    async with document_server(authority()) as server, branch.closing():
        server.answers["/a.pdf"] = ok(PDF)
        plan = Plan(safe=branch.folder / "safe", count=branch.folder / "operations")
        await play(branch, scene(server), [plan], [])
        assert plan.count is not None
        (line,) = [line for line in plan.count.read_text().splitlines() if line.endswith(PULSE)]
        return int(line.split()[0])


def scene(server: DocumentServer) -> Scene:
    words = order(server)
    return Scene("sealed", {}, words, words, "completed", None, None, look, ("o-100", "o-200"))


@pytest.mark.rule("PHY-2")
@pytest.mark.rule("PHY-8")
@pytest.mark.rule("ORD-5")
@pytest.mark.rule("ORD-9")
async def test_killed_around_the_stamp_it_comes_down_at_most_once(
    make_branch: BranchMaker, documents: DocumentServer
) -> None:
    at = await stamp_at(make_branch)
    struck: list[str] = []
    wrong: list[str] = []

    async def die(plan: Plan) -> None:
        branch = await branch_of(make_branch)
        async with branch.closing():
            where = f"{plan.when} operation {plan.at} ({plan.at - at:+d}, {branch.folder})"
            try:
                played = await play(branch, scene(documents), [Plan(plan.at, plan.when, safe=branch.folder / "s")], [])
                first, second = played.states
                came = len(stamps(branch)) - 1
                assert second == "completed"
                assert (first, came) in {("completed", 1), ("partly_completed", 0)}
                struck.extend([first] * played.kills)
            except AssertionError as error:
                wrong.append(f"{where}: {error}")

    plans = [Plan(at + away, when) for away in MOMENTS for when in ("before", "after")]
    await each([partial(die, plan) for plan in plans])
    assert not wrong, "\n\n".join(wrong[:4])
    assert len(struck) > len(plans) // 2
    assert len(set(struck)) == 2, "some died with the stamp down, some before it"


@pytest.mark.rule("PHY-8")
async def test_a_stamp_in_doubt_is_never_repeated_whoever_asks(
    make_branch: BranchMaker, documents: DocumentServer
) -> None:
    branch = await branch_of(make_branch)
    await branch.start_agent(Plan(when="after", frame=PULSE.removeprefix("write ")))
    await branch.born()
    await branch.submit("o-1", **order(documents))
    assert branch.agent is not None
    await branch.agent.wait()
    await branch.start_agent()
    facts = await asked(branch, "o-1")
    assert set(facts["choices"]) == {"done", "no_effect", "again", "by_hand", "skip"}
    assert (await branch.resolve("o-1", "again", PEOPLE[0]))["code"] == "unauthorized"
    assert (await branch.resolve("o-1", "again", *PEOPLE))["status"] == "accepted"

    seq = branch.heard.orders["o-1"]["seq"]
    await branch.heard.until(
        lambda: branch.heard.orders["o-1"]["seq"] != seq and branch.heard.state("o-1") == "needs_attention",
        "asked again",
    )
    assert branch.heard.orders["o-1"]["reason"] == "stamp_not_repeated"
    asked_again = branch.heard.orders["o-1"]["facts"]
    assert asked_again["attempt"] == "o-1/stamp/1"
    assert "sent" not in asked_again.get("evidence", {}), "of that attempt it is not known"
    await branch.resolve("o-1", "by_hand", PEOPLE[0])
    await ended(branch, "o-1", "partly_completed")
    assert await branch.serve("o-2", **order(documents)) == "completed"
    report = await branch.verdict()
    assert report.acts == {"sheet_out": 2, "stamped": 2}
