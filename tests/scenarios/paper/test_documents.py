"""Statements on A4: fetched, printed once by IPP, found again by the job's name however the agent dies."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.broker import Broker
from tests.central_scheduler.test_console import Terminal
from tests.conftest import BranchMaker
from tests.edge_agent.custody.server import DocumentServer, authority, document_server, ok
from tests.harness.branch import Branch
from tests.harness.machines import Machine
from tests.harness.matrix import Scene, Tell, run_matrix, together
from tests.harness.printing import by_person
from tests.harness.scheduler import REACH_S
from tests.scenarios.paper.test_printing_kills import judge

pytestmark = pytest.mark.process

PDF = b"%PDF-1.4\n1 0 obj<</Type/Page>>endobj\n2 0 obj<</Type/Page>>endobj\n%%EOF\n"
PAGES = 2
A4 = Machine(
    "document-1", "ipp", "document-printer", "tcp", {"page_s": 0.1, "begin_s": 0.1},
    {"act_max_s": 5.0, "settle_s": 0.3, "incoming_s": 1.0, "answer_s": 5.0, "poll_s": 0.1},
)  # fmt: skip
STEP = 9  # every so many operations; torture takes them all


@pytest_asyncio.fixture
async def documents() -> AsyncIterator[DocumentServer]:
    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = ok(PDF)
        yield server


def order(server: DocumentServer) -> dict[str, Any]:
    document = {"name": "document", "media_type": "application/pdf", "sha256": hashlib.sha256(PDF).hexdigest()}
    document["address"] = server.address("/a.pdf")
    return {"scene": "print_document", "parameters": {}, "documents": [document]}


def branch_words() -> dict[str, Any]:
    pem = authority().cert_pem.bytes().decode()
    config = '[documents]\nca_file = "FOLDER/ca.pem"\n'
    return {"others": (A4,), "card": False, "config": config, "files": {"ca.pem": pem}}


def scene(server: DocumentServer) -> Scene:
    names = ("o-100", "o-200")
    words = order(server)
    return Scene("document", branch_words(), words, words, "completed", None, None, by_person, names)


@pytest.mark.rule("ORD-1")
@pytest.mark.rule("ORD-10")
async def test_a_document_is_printed_once_and_its_copy_deleted(
    make_branch: BranchMaker, documents: DocumentServer
) -> None:
    branch: Branch = await make_branch(**branch_words())
    await branch.start_agent()
    await branch.born()
    assert await branch.serve("o-100", **order(documents)) == "completed"
    report = await branch.verdict()
    assert report.acts == {"sheet_out": 1}
    (sheet,) = branch.machines["document-1"].sheets()
    assert (sheet["attempts"], sheet["pages_done"]) == (["o-100/print/1"], PAGES)
    async with asyncio.timeout(REACH_S):
        while list((branch.folder / "data" / "documents").glob("*")):  # noqa: ASYNC110 - a folder tells nobody
            await asyncio.sleep(0.05)


async def test_a_document_is_submitted_from_the_command_line(
    make_branch: BranchMaker, documents: DocumentServer, shared_broker: Broker, tmp_path: Path
) -> None:
    branch: Branch = await make_branch(**branch_words())
    await branch.start_agent()
    await branch.born()
    copy = tmp_path / "copy.pdf"
    copy.write_bytes(PDF)
    branch.submitted.append("o-100")
    given = ("--document", f"document={documents.address('/a.pdf')}", "--document-file", f"document={copy}")
    terminal = Terminal(shared_broker.port, branch.name)
    code, out, err = await terminal.type("order", "submit", "print_document", "--id", "o-100", *given, "--wait")
    assert (code, err) == (0, ""), out
    assert (await branch.verdict()).acts == {"sheet_out": 1}


@pytest.mark.rule("ORD-4")
@pytest.mark.rule("ORD-9")
async def test_killed_at_operations_of_a_document(
    make_branch: BranchMaker, documents: DocumentServer, tell: Tell
) -> None:
    tallies = await together(
        run_matrix(make_branch, scene(documents), tell, when=when, step=STEP) for when in ("before", "after")
    )
    for tally in tallies:
        judge(tally)
        assert tally.kills >= tally.operations // STEP // 2, f"most plans must strike, or nothing was proved: {tally}"
