"""A time server in the branch's network: what counts as an answer, what it says of the clock, and its silence."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge_agent.clock import Clock, Grade
from edge_agent.clock.lan import (
    EVERY_S,
    HOLDS_S,
    WITHIN_S,
    LanWatch,
    NoTime,
    Server,
    ask,
    offset_in,
    question,
)

SENT = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
NTP = 2_208_988_800
NONCE = 0x1122334455667789


def stamp(unix_s: float) -> int:
    return int((unix_s + NTP) % 2**32 * 2**32)


def answer(
    ahead_s: float = 0.0,
    *,
    first: int = 0x24,
    stratum: int = 2,
    root: tuple[float, float] = (0.01, 0.02),
    nonce: int = NONCE,
    at_s: float = SENT + 0.01,
    took_s: float = 0.001,
) -> bytes:
    """RFC 4330, section 4: forty-eight bytes, written here a second time."""
    head = struct.pack("!BBbb", first, stratum, 6, -20)
    head += struct.pack("!iI4s", int(root[0] * 65536), int(root[1] * 65536), b"GPS\0")
    begun = stamp(at_s + ahead_s)
    return head + struct.pack("!QQQQ", begun, nonce, begun, stamp(at_s + took_s + ahead_s))


def off(packet: bytes, heard_s: float = SENT + 0.021) -> float:
    return offset_in(packet, NONCE, SENT, heard_s)


def test_the_question_is_what_the_standard_says() -> None:
    asked = question(NONCE)
    assert (len(asked), asked[0], asked[1:40]) == (48, 0b00_100_011, bytes(39))
    assert asked[40:] == NONCE.to_bytes(8, "big")


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize("ahead_s", [0.0, 0.5, -3.0, 7200.0, -63_072_000.0])
def test_an_answer_tells_how_far_the_clock_is_off(ahead_s: float) -> None:
    assert off(answer(ahead_s)) == pytest.approx(ahead_s, abs=0.005)


def test_the_era_that_begins_in_2036_is_understood() -> None:
    later = datetime(2037, 1, 1, tzinfo=UTC).timestamp()
    packet = answer(at_s=later + 0.01)
    assert offset_in(packet, NONCE, later, later + 0.02) == pytest.approx(0.0, abs=0.005)


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize(
    "packet",
    [
        b"",
        answer()[:47],
        answer(first=0x23),  # a client's question come back
        answer(first=0x26),  # control
        answer(first=0x0C),  # version 1
        answer(first=0xE4),  # leap indicator 3: not synchronised
        answer(stratum=0),  # kiss of death
        answer(stratum=16),
        answer(nonce=NONCE + 2),
        answer(root=(20.0, 0.0)),
        answer(root=(0.0, 6.0)),
        answer(took_s=-0.5),
        answer(took_s=0.5),
        answer()[:32] + bytes(8) + answer()[40:],
        answer()[:40] + bytes(8),
    ],
)
def test_an_odd_answer_is_none(packet: bytes) -> None:
    with pytest.raises(NoTime):
        off(packet)


def test_an_answer_that_took_too_long_is_none() -> None:
    with pytest.raises(NoTime):
        off(answer(), SENT + 1.1)
    with pytest.raises(NoTime):
        off(answer(), SENT - 1)  # the clock was set back meanwhile


# -- the watch ---------------------------------------------------------------------------------------------------------


class Lan:
    """A server whose answers a test chooses, and the time that passes."""

    def __init__(self) -> None:
        self.says: float | Exception = 0.0
        self.time_s = 0.0
        self.kernel = False
        self.watch = LanWatch(Server("ntp"), lambda: datetime.now(UTC), lambda: self.kernel, lambda: self.time_s)
        self.watch.ask = self._ask

    async def _ask(self, _server: Server, _now: Callable[[], datetime]) -> float:
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.mark.rule("INS-5")
async def test_its_word_counts_while_it_is_fresh_else_the_kernels() -> None:
    lan = Lan()
    now = datetime(2026, 3, 2, tzinfo=UTC)
    clock = Clock("lan", lambda: now + timedelta(seconds=lan.time_s), lan.watch.synchronised, lambda: lan.time_s)
    assert clock.grade() is Grade.UNKNOWN
    await lan.watch.look()
    assert clock.grade() is Grade.SYNCED
    for silence in (TimeoutError(), OSError("unreachable"), NoTime("odd")):
        lan.says = silence
        lan.time_s += EVERY_S
        await lan.watch.look()
        assert clock.grade() is Grade.SYNCED
    lan.time_s += HOLDS_S
    assert clock.grade() is Grade.UNKNOWN
    lan.kernel = True
    assert clock.grade() is Grade.SYNCED


@pytest.mark.rule("INS-5")
@pytest.mark.parametrize("off_s", [WITHIN_S + 0.1, -WITHIN_S - 0.1])
async def test_it_contradicts_the_kernel(off_s: float) -> None:
    lan = Lan()
    lan.kernel = True
    assert lan.watch.synchronised()
    lan.says = off_s
    await lan.watch.look()
    assert not lan.watch.synchronised()
    lan.says = 0.0
    await lan.watch.look()
    assert lan.watch.synchronised()


@pytest.mark.process
async def test_over_a_real_socket_only_the_answer_to_the_question_counts() -> None:
    def now() -> datetime:
        return datetime.now(UTC)

    class Peer(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
            nonce = int.from_bytes(data[40:48], "big")
            here = now().timestamp()
            for one in (answer(9999, nonce=nonce + 2, at_s=here), answer(30.0, nonce=nonce, at_s=here, took_s=0)):
                self.transport.sendto(one, address)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Peer, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    assert await ask(Server("127.0.0.1", port), now) == pytest.approx(30.0, abs=0.5)
    transport.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(TimeoutError):
            await ask(Server("127.0.0.1", silent.getsockname()[1]), now)
