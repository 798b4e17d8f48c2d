"""Fetching one document over real TLS: whatever the server does, it is the document or a reason, within bounds."""

from __future__ import annotations

import asyncio

import pytest
import trustme

from edge_agent.custody.fetching import Limits, NotFetched, fetch
from edge_agent.custody.https import PIECE
from tests.edge_agent.custody.server import (
    authority,
    document_server,
    head,
    moved,
    ok,
    said,
    trusting,
)

BODY = b"%PDF-1.7 " + bytes(range(256)) * 40
CHUNKED = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n0\r\n\r\n"
LIMITS = Limits(max_bytes=1024 * 1024, connect_s=10, total_s=30)


async def got(address: str, limits: Limits = LIMITS, ca: trustme.CA | None = None) -> tuple[bytes, bool]:
    pieces: list[bytes] = []

    async def take(piece: bytes) -> None:
        assert len(piece) <= PIECE + 65536
        pieces.append(piece)

    end_told = await fetch(address, take, trusting(ca or authority()), limits)
    return b"".join(pieces), end_told


async def refused(address: str, limits: Limits = LIMITS, ca: trustme.CA | None = None) -> NotFetched:
    with pytest.raises(NotFetched) as why:
        await got(address, limits, ca)
    return why.value


@pytest.mark.parametrize(
    ("answer", "end_told"),
    [
        (ok(BODY), True),
        (said(head("transfer-encoding: chunked") + CHUNKED), True),
        (said(head() + BODY), False),
        (said(b"HTTP/1.0 200 OK\r\n\r\n", BODY), False),
        (said(b"HTTP/1.1 103 Early Hints\r\n\r\n", head(f"content-length: {len(BODY)}"), BODY), True),
        (said(*(bytes([byte]) for byte in head(f"content-length: {len(BODY)}")), BODY[:1], BODY[1:]), True),
    ],
    ids=["length", "chunks", "until it closes", "1.0", "hints before", "byte by byte"],
)
async def test_a_good_document(answer: object, end_told: bool) -> None:
    async with document_server(authority()) as server:
        server.answers["/a.pdf?key=1"] = answer  # type: ignore[assignment]
        assert await got(server.address("/a.pdf?key=1")) == (BODY, end_told)
        assert server.asked == ["/a.pdf?key=1"]
        assert f"host: 127.0.0.1:{server.port}".encode() in server.requests[0].lower()


async def test_a_large_one_comes_in_pieces() -> None:
    body = bytes(3 * PIECE + 5)
    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = ok(body)
        assert await got(server.address()) == (body, True)


async def test_a_server_that_another_authority_vouches_for_is_not_asked() -> None:
    async with document_server(authority("another")) as server:
        server.answers["/a.pdf"] = ok(BODY)
        why = await refused(server.address())
        assert (why.reason, why.final, server.asked) == ("document_certificate", False, [])
        assert await got(server.address(), ca=authority("another")) == (BODY, True)


async def test_a_server_of_another_name_is_not_asked() -> None:
    async with document_server(authority(), "documents.example") as server:
        server.answers["/a.pdf"] = ok(BODY)
        assert (await refused(server.address())).reason == "document_certificate"
        assert server.asked == []


async def test_what_cannot_be_reached() -> None:
    async with document_server(authority(), tls=False) as plain:
        talked_to = plain.address()
        assert (await refused(talked_to, Limits(connect_s=0.1))).reason == "document_unreachable"
        assert plain.asked == []
    assert (await refused(talked_to)).reason == "document_unreachable", "nobody listens there any more"
    assert (await refused("https://a..b/x")).reason == "document_unreachable", "no name is written so"


async def test_a_server_that_takes_the_call_and_is_silent() -> None:
    held: list[asyncio.StreamWriter] = []

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        limits = Limits(connect_s=0.05, total_s=30)
        assert (await refused(f"https://127.0.0.1:{port}/", limits)).reason == "document_unreachable"
        for writer in held:
            writer.transport.abort()


@pytest.mark.parametrize(
    "answer",
    [
        said(head("content-length: 1048577")),
        said(head("content-length: 9" + "9" * 30)),
        said(head("transfer-encoding: chunked"), b"100001\r\n" + bytes(0x100001) + b"\r\n0\r\n\r\n"),
        said(head(), bytes(1024 * 1024 + 1)),
    ],
    ids=["as told", "as told, absurd", "in chunks", "until it closes"],
)
async def test_one_that_is_too_large_is_not_asked_for_again(answer: object) -> None:
    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = answer  # type: ignore[assignment]
        why = await refused(server.address())
        assert why.reason in ("document_too_large", "document_answer")
        assert why.final == (why.reason == "document_too_large")


async def test_one_of_exactly_the_largest_size_is_taken() -> None:
    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = ok(bytes(LIMITS.max_bytes))
        assert len((await got(server.address()))[0]) == LIMITS.max_bytes


@pytest.mark.parametrize("begun", [b"", head("content-length: 1000")], ids=["head", "body"])
async def test_a_server_that_drips_is_left(begun: bytes) -> None:
    dripped = 0

    async def drip(writer: asyncio.StreamWriter) -> None:
        nonlocal dripped
        writer.write(begun)
        for byte in b"HTTP/1.1 200 OK\r\nx: " + bytes(10_000).replace(b"\0", b"y"):
            writer.write(bytes([byte]))
            await writer.drain()
            dripped += 1
            await asyncio.sleep(0.005)

    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = drip
        why = await refused(server.address(), Limits(total_s=0.2))
        assert (why.reason, why.final) == ("document_slow", False)
        assert 0 < dripped < 1000


@pytest.mark.parametrize(
    "answer",
    [
        said(),
        said(b"HTTP/1.1 200 O"),
        said(head("content-length: 9999"), BODY[: 9998 - len(BODY)] or BODY[:500]),
        said(head("transfer-encoding: chunked"), CHUNKED[:-5]),
    ],
    ids=["at once", "in the head", "in the body", "in the last chunk"],
)
async def test_a_connection_that_ends_early_is_no_document(answer: object) -> None:
    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = answer  # type: ignore[assignment]
        why = await refused(server.address())
        assert (why.reason, why.final) == ("document_cut", False)


async def test_a_connection_that_is_reset_is_no_document() -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.write(head("content-length: 9999") + BODY[:500])
        await writer.drain()
        writer.transport.abort()

    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = reset
        assert (await refused(server.address())).reason == "document_cut"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_to_https_is_followed(status: str) -> None:
    async with document_server(authority()) as server:
        server.answers |= {"/a.pdf": moved("/b/c.pdf", status), "/b/c.pdf": moved("d.pdf"), "/b/d.pdf": ok(BODY)}
        assert await got(server.address()) == (BODY, True)
        assert server.asked == ["/a.pdf", "/b/c.pdf", "/b/d.pdf"]


async def test_a_redirect_is_verified_like_the_first_address() -> None:
    async with document_server(authority()) as server, document_server(authority("another")) as other:
        server.answers["/a.pdf"] = moved(other.address("/b.pdf"))
        other.answers["/b.pdf"] = ok(BODY)
        assert (await refused(server.address())).reason == "document_certificate"
        assert other.asked == []


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1:{port}/b.pdf",
        "file:///etc/passwd",
        "//",
        "https://[::1",
        "https://h:99999/",
        "/a.pdf",
        "/b pdf",
        "https://user:secret@127.0.0.1:{port}/b.pdf",
    ],
)
async def test_a_redirect_elsewhere_or_for_ever_is_not_followed(to: str) -> None:
    async with document_server(authority()) as server:
        server.answers |= {"/a.pdf": moved(to.format(port=server.port)), "/b.pdf": ok(BODY)}
        why = await refused(server.address())
        assert (why.reason, why.final) == ("document_redirect", False)
        assert len(server.asked) <= 4
        assert set(server.asked) == {"/a.pdf"}


@pytest.mark.parametrize(
    "answer",
    [
        said(head("content-length: 2", status="404 Not Found") + b"no"),
        said(head("content-length: 0", status="500 Broken")),
        said(head("content-length: 0", status="204 No Content")),
        said(head("content-length: 0", status="302 Nowhere")),
        said(head("content-length: 2", "content-encoding: gzip") + b"zz"),
        said(head("content-length: 2", "content-length: 3") + b"zz"),
        said(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        said(b"\x00" * 100_000),
        said(head(*(f"h{n}: {'v' * 900}" for n in range(100)))),
        said(head("transfer-encoding: chunked") + b"xyz\r\n"),
    ],
    ids=["404", "500", "204", "302 without", "gzip", "two lengths", "ssh", "zeroes", "endless head", "no chunks"],
)
async def test_what_is_no_document(answer: object) -> None:
    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = answer  # type: ignore[assignment]
        why = await refused(server.address())
        assert (why.reason, why.final) == ("document_answer", False)


async def test_nothing_that_was_received_is_told_of_an_answer_that_is_none() -> None:
    """A server that sends the document without any head."""
    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = said(b"Account 6222021234567890123\r\n\r\n")
        why = await refused(server.address())
        assert why.reason == "document_answer"
        assert "6222" not in str(why)


async def test_what_the_reader_of_the_body_raises_passes_through() -> None:
    async def take(_piece: bytes) -> None:
        raise NotFetched("document_not_kept")

    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = ok(BODY)
        with pytest.raises(NotFetched) as why:
            await fetch(server.address(), take, trusting(authority()), LIMITS)
        assert why.value.reason == "document_not_kept"


async def test_a_fetching_that_is_cancelled_hangs_up() -> None:
    hung_up = asyncio.Event()

    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(head("content-length: 9999") + BODY[:10])
        try:
            await asyncio.Event().wait()
        finally:
            hung_up.set()

    async with document_server(authority()) as server:
        server.answers["/a.pdf"] = stall
        fetching = asyncio.create_task(got(server.address()))
        await server.was_asked.wait()
        fetching.cancel()
        await asyncio.wait([fetching])
        assert fetching.cancelled()
    assert hung_up.is_set()
