"""One POST on one fresh connection: answers in any slices and forms, bounded, and never written a second time."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.errors import DeviceUnavailable, OutcomeUnknown
from device_drivers.ipp import operations
from device_drivers.ipp.conversation import Conversation
from device_drivers.ipp.http import Bounds, ExchangeError, Target, post
from device_drivers.links.line import SharedLine
from device_drivers.links.link import LinkError
from tests.virtual_time import run, virtual_time

TARGET = Target("printer.test", 631, "/ipp/print")
BOUNDS = Bounds(send_s=5.0, answer_s=5.0, bytes=1000)
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nContent-Length: 5\r\n\r\nhello"


class Scripted:
    """A link whose reads are scripted: bytes, b"" for silence, None for a connection that ends."""

    def __init__(self, *reads: bytes | None) -> None:
        self.reads = list(reads)
        self.written = b""
        self.calls: list[str] = []

    def describe(self) -> str:
        return "ipp://printer.test"

    async def open(self) -> None:
        self.calls.append("open")

    async def close(self) -> None:
        self.calls.append("close")

    async def write(self, data: bytes) -> None:
        self.written += data

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        if not self.reads:
            await asyncio.sleep(timeout_s)
            return b""
        data = self.reads.pop(0)
        if data is None:
            raise LinkError("ipp://printer.test", "the far end closed the connection")
        return data


async def ask(link: Scripted, body: bytes = b"question") -> bytes:
    return await post(link, TARGET, (body,), "application/ipp", BOUNDS)


@virtual_time
async def test_the_request_byte_for_byte_on_a_connection_of_its_own() -> None:
    link = Scripted(PLAIN)
    assert await ask(link) == b"hello"
    assert link.written == (
        b"POST /ipp/print HTTP/1.1\r\nHost: printer.test:631\r\nContent-Type: application/ipp\r\n"
        b"Content-Length: 8\r\nConnection: close\r\n\r\nquestion"
    )
    assert link.calls == ["close", "open", "close"]


ANSWERS = {
    "plain": PLAIN,
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    "continued": b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN,
    "kept": PLAIN.replace(b"Content-Type", b"Connection: keep-alive\r\nContent-Type"),
}


@pytest.mark.parametrize("form", ANSWERS)
def test_an_answer_in_any_slices(form: str) -> None:
    data = ANSWERS[form]
    for size in (1, 2, 7, len(data)):
        slices = [data[at : at + size] for at in range(0, len(data), size)]
        assert run(ask(Scripted(*slices))) == b"hello"


@virtual_time
async def test_an_answer_that_ends_with_its_connection() -> None:
    assert await ask(Scripted(b"HTTP/1.0 200 OK\r\n\r\n", b"hel", b"lo", None)) == b"hello"


@pytest.mark.parametrize(
    ("reads", "reason"),
    [
        ((), "no_answer"),
        ((b"",), "no_answer"),
        ((PLAIN[:-1],), "no_answer"),
        ((PLAIN[:20], None), "line_lost"),
        ((PLAIN[:-1], None), "nonsense"),
        ((b"220 mail.test ESMTP\r\n\r\n", None), "nonsense"),
        ((b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",), "http_refused"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",), "nonsense"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", *[bytes(16384)] * 5), "nonsense"),
        ((b"x" * 70000,), "nonsense"),
        ((b"HTTP/1.1 101 Switching Protocols\r\n\r\n",), "nonsense"),
    ],
)
def test_what_is_no_answer_is_told_and_that_the_request_left(reads: tuple[bytes | None, ...], reason: str) -> None:
    async def work() -> None:
        link = Scripted(*reads)
        with pytest.raises(ExchangeError) as failed:
            await ask(link)
        assert (failed.value.reason, failed.value.sent) == (reason, True)
        assert link.written.count(b"POST") == 1

    run(work())


@virtual_time
async def test_a_line_that_cannot_be_opened_has_sent_nothing() -> None:
    class Closed(Scripted):
        async def open(self) -> None:
            raise LinkError("ipp://printer.test", "refused")

    with pytest.raises(ExchangeError) as failed:
        await ask(Closed())
    assert (failed.value.reason, failed.value.sent) == ("line_lost", False)


@virtual_time
async def test_a_printer_that_takes_nothing_is_given_up_in_time() -> None:
    class Full(Scripted):
        async def write(self, data: bytes) -> None:
            await asyncio.sleep(15.0)

    began = asyncio.get_running_loop().time()
    with pytest.raises(ExchangeError, match="did not take"):
        await post(Full(), TARGET, (bytes(100_000),), "application/ipp", BOUNDS)
    assert asyncio.get_running_loop().time() - began <= 15.0  # the piece on the wire is finished first


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_any_bytes_at_all_are_an_answer_or_are_told_not_to_be(slices: list[bytes]) -> None:
    link = Scripted(*[b"HTTP/1.1 200 OK\r\n", *(piece for piece in slices if piece), None])
    with contextlib.suppress(ExchangeError):
        run(ask(link))
    assert link.written.count(b"POST") == 1


@virtual_time
async def test_the_answer_to_another_request_is_no_answer() -> None:
    def answered(request_id: int) -> bytes:
        body = bytes.fromhex(f"0200 0000 {request_id:08x} 03")
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    link = Scripted(answered(7))
    conversation = Conversation(SharedLine(link), TARGET, 5.0)
    await conversation.connect()
    assert (await conversation.ask(operations.cancel_job(conversation.uri, 7, 1))).request_id == 7
    link.reads = [answered(6), answered(6)]
    with pytest.raises(DeviceUnavailable, match="nonsense"):
        await conversation.ask(operations.cancel_job(conversation.uri, 7, 1))
    link.reads = [answered(6)]
    with pytest.raises(OutcomeUnknown, match="nonsense"):
        await conversation.act(operations.create_job(conversation.uri, 7, "O-1/print/1", {}), send_s=5.0)
    await conversation.disconnect()
