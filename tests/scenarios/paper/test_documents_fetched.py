"""Documents that do not come as they should: another content, a server that is away; and nothing stays on the disk."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import pytest

from tests.conftest import BranchMaker
from tests.edge_agent.custody.server import DocumentServer, authority, ok
from tests.harness.branch import Branch
from tests.harness.scheduler import REACH_S
from tests.scenarios.paper.test_documents import PDF, branch_words, order

pytestmark = pytest.mark.process


@contextlib.asynccontextmanager
async def listening(server: DocumentServer) -> AsyncIterator[None]:
    """The server is there for the block, always at the same port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("127.0.0.1").configure_cert(context)
    came = await asyncio.start_server(server.talk, "127.0.0.1", server.port, ssl=context)
    server.port = came.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        came.close()
        await server.hang_up()


def kept(branch: Branch) -> list[str]:
    return [path.name for path in (branch.folder / "data" / "documents").glob("**/*") if path.is_file()]


async def begun(make_branch: BranchMaker) -> Branch:
    branch: Branch = await make_branch(**branch_words())
    await branch.start_agent()
    await branch.born()
    return branch


@pytest.mark.rule("ORD-1")
async def test_another_content_than_was_ordered_fails_the_order_without_a_sheet(make_branch: BranchMaker) -> None:
    branch, server = await begun(make_branch), DocumentServer()
    server.answers["/a.pdf"] = ok(PDF.replace(b"Page", b"Pagf"))
    async with listening(server):
        assert await branch.serve("o-1", **order(server)) == "failed"
        server.answers["/a.pdf"] = ok(PDF)
        assert await branch.serve("o-2", **order(server)) == "completed"
    report = await branch.verdict()
    assert report.acts == {"sheet_out": 1}
    assert report.orders["o-1"].reason == "document_refused"
    assert not [attempt for attempt in report.attempts if attempt.order == "o-1"]
    async with asyncio.timeout(REACH_S):
        while kept(branch):  # noqa: ASYNC110 - a folder tells nobody
            await asyncio.sleep(0.05)


@pytest.mark.rule("ORD-1")
@pytest.mark.rule("ORD-5")
async def test_an_agent_that_starts_again_while_the_server_is_away_waits_for_its_document(
    make_branch: BranchMaker,
) -> None:
    branch, server = await begun(make_branch), DocumentServer()
    server.answers["/a.pdf"] = ok(PDF)
    async with listening(server):
        words = order(server)
    await branch.submit("o-1", **words)
    await branch.heard.until(lambda: branch.heard.orders.get("o-1", {}).get("waiting_for") == "remote", "it waits")
    assert branch.agent is not None
    await branch.agent.kill()
    await branch.start_agent()
    await branch.born(2)
    assert branch.heard.state("o-1") == "waiting"
    async with listening(server):
        assert await branch.settled("o-1") == "completed"
    report = await branch.verdict()
    assert report.acts == {"sheet_out": 1}
