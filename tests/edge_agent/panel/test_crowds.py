"""Clients that come by the thousand, never finish what they ask, or never read: nobody else is disturbed by them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_agent.panel import doorstep, patience
from edge_agent.panel.build import API
from edge_agent.panel.stream import MAX_READERS
from edge_agent.people.roles import Trust
from tests.edge_agent.panel import staged
from tests.edge_agent.panel.asking import Panel
from tests.edge_agent.panel.served import served
from tests.edge_agent.people.desk import quick

pytestmark = pytest.mark.process
ASK = b"GET /api/v1/session HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


@pytest.fixture
async def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    quick(monkeypatch)
    async with staged.book_of(tmp_path) as book:
        yield await Panel.of(book)


async def ask(port: int, raw: bytes = ASK, source: str = "127.0.0.2") -> bytes:
    """What somebody else is answered meanwhile."""
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        writer.write(raw)
        answer = await reader.read()
        writer.close()
    return answer


def port_of(site: str) -> int:
    return int(site.rpartition(":")[2])


@pytest.mark.skipif(
    sys.platform != "linux", reason="a second address of this box, and its open files, as Linux has them"
)
async def test_a_thousand_connections_take_few_files_and_leave_room_for_others(panel: Panel) -> None:
    async with served(panel) as site, asyncio.timeout(60):
        before, most, kept = _files(), 0, list[socket.socket]()
        for _ in range(5):
            kept += [await _connected(port_of(site)) for _ in range(200)]
            while len(kept := [one for one in kept if not _is_shut_out(one)]) > doorstep.MOST_OF_ONE:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            most = max(most, _files() - before)
        assert (len(kept), most < 3 * doorstep.MOST) == (doorstep.MOST_OF_ONE, True), "theirs here and ours there"
        assert b"401" in await ask(port_of(site)), "from another address"
        for one in kept:
            one.close()
        while b"401" not in await _again(port_of(site)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _connected(port: int) -> socket.socket:
    one = socket.socket()
    one.setblocking(False)
    await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port))
    return one


def _is_shut_out(one: socket.socket) -> bool:
    """And closes it then."""
    with contextlib.suppress(ConnectionError):
        try:
            one.recv(1)
        except BlockingIOError:
            return False
    one.close()
    return True


async def _again(port: int) -> bytes:
    with contextlib.suppress(ConnectionError):
        return await ask(port, source="127.0.0.1")
    return b""


def _files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    "half",
    [b"", b"GET /api/v1/session HT", b"POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{"],
)
async def test_who_never_finishes_a_request_is_not_waited_for(
    panel: Panel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, half: bytes
) -> None:
    monkeypatch.setattr(patience, "WHOLE_S", 0.2)
    async with served(panel) as site, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(site))
        writer.write(half)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        monkeypatch.setattr(patience, "WHOLE_S", 20.0)
        assert b"401" in await ask(port_of(site))
    assert caplog.messages == [], "whoever likes could fill the card with them"


async def test_what_is_no_request_or_has_no_end_is_refused_and_fills_no_log(
    panel: Panel, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(panel) as site:
        for raw in (b"\x16\x03\x01 TLS\r\n\r\n", b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"x" * 20_000):
            assert b"HTTP/1.1 400" in await ask(port_of(site), raw)
    assert caplog.messages == []


async def test_a_request_in_pieces_and_two_on_one_connection_are_answered(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "WHOLE_S", 20.0)
    pieces = [ASK[:20], ASK[20:].replace(b"close", b"keep-alive"), ASK]
    async with served(panel) as site, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(site))
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.1)
        assert (await reader.read()).count(b"HTTP/1.1 401") == 2
        writer.close()


async def test_who_never_reads_its_events_leaves_its_place_to_others(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "UNREAD_S", 0.2)
    token = await panel.token(Trust.READER)
    wanted = f"GET {API}/events?after=0 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n".encode()
    told = {"what": "clock_changed", "reason": "x" * 4000}
    for _ in range(200):
        await panel.people.book.do(lambda tx: tx.emit("branchgate.journal.changed.v1", None, told))
    last = panel.people.book.look(lambda tx: tx.last_seq())
    async with served(panel) as site, asyncio.timeout(40):
        deaf = [await _deaf(port_of(site), wanted) for _ in range(MAX_READERS)]
        while (heard := await _read_all(port_of(site), wanted, last)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert heard == list(range(1, last + 1))
        for one in deaf:
            one.close()


async def _deaf(port: int, wanted: bytes) -> socket.socket:
    """A client that asks and then reads nothing; its buffers are as small as the kernel lets them be."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    one.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(one, ("127.0.0.1", port))
    await loop.sock_sendall(one, wanted)
    return one


async def _read_all(port: int, wanted: bytes, last: int) -> list[int] | None:
    """Their numbers up to `last`; None: there was no place among the readers, or it was lost."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
    writer.write(wanted)
    seqs: list[int] = []
    try:
        if b"503" in await reader.readline():
            return None
        while not seqs or seqs[-1] < last:
            line = await reader.readline()
            if not line:
                return None
            if line.startswith(b"data: "):
                seqs.append(json.loads(line[6:])["data"]["seq"])
    finally:
        writer.close()
    return seqs
