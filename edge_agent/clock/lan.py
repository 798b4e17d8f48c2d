"""Asking a time server in the branch's own network how far the host's clock is off (SNTP, RFC 4330).

Knows one question and what an answer must look like; never sets a clock, and an answer that is odd is none.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from edge_agent.clock.kernel import kernel_synchronised, steady_s

log = logging.getLogger(__name__)
EVERY_S = 64.0
TIMEOUT_S = 2.0
HOLDS_S = 900.0  # so long its last word counts while it is silent
WITHIN_S = 2.0  # the host's clock may be off by so much
MAX_WAY_S = 1.0  # a slower answer says too little
MAX_ROOT_S = 5.0  # what the server itself may be off by
_PACKET = struct.Struct("!BBbbII4sQQQQ")
_EPOCH_S = 2_208_988_800  # RFC 868: 1900 to 1970
_ERA_S = 2**32


class NoTime(Exception):
    """Why there was no usable answer."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is asked."""

    host: str
    port: int = 123


def question(nonce: int) -> bytes:
    """Version 4, client; the transmit time is a number that nobody can guess, and comes back as the originate time."""
    return _PACKET.pack(0x23, 0, 0, 0, 0, 0, b"\0" * 4, 0, 0, 0, nonce)


def offset_in(answer: bytes, nonce: int, sent_s: float, heard_s: float) -> float:
    """Seconds that the server is ahead of the host's clock; times are Unix seconds of that. Raises NoTime."""
    if len(answer) < _PACKET.size:
        raise NoTime("too short")
    first, stratum, _, _, delay, dispersion, _, _, originate, receive, transmit = _PACKET.unpack_from(answer)
    if first & 7 != 4 or first >> 3 & 7 not in (3, 4):
        raise NoTime("not a server's answer")
    if originate != nonce:
        raise NoTime("an answer to another question")
    if first >> 6 == 3 or not 1 <= stratum <= 15 or not receive or not transmit:
        raise NoTime("the server does not know the time")
    if delay / 2**17 + dispersion / 2**16 > MAX_ROOT_S:
        raise NoTime("the server may be far off")
    theirs = _unix_s(transmit) - _unix_s(receive)
    if not 0 <= theirs <= heard_s - sent_s <= MAX_WAY_S:
        raise NoTime("it took too long, or a clock moved meanwhile")
    return ((_unix_s(receive) - sent_s) + (_unix_s(transmit) - heard_s)) / 2


def _unix_s(stamp: int) -> float:
    """A 64-bit NTP time as Unix seconds; its count begins again in 2036, and nothing here lies before 2023."""
    seconds = stamp / 2**32 - _EPOCH_S
    return seconds + _ERA_S if seconds < 1_672_531_200 else seconds


async def ask(server: Server, now: Callable[[], datetime]) -> float:
    """One question. Raises NoTime, OSError, TimeoutError."""
    loop = asyncio.get_running_loop()
    nonce = int.from_bytes(os.urandom(8), "big") | 1
    async with asyncio.timeout(TIMEOUT_S):
        found = await loop.getaddrinfo(server.host, server.port, type=socket.SOCK_DGRAM)
        family, kind, proto, _, address = found[0]
        with socket.socket(family, kind, proto) as line:
            line.setblocking(False)
            await loop.sock_connect(line, address)  # the kernel drops what comes from elsewhere
            sent_s = now().timestamp()
            await loop.sock_sendall(line, question(nonce))
            while True:
                answer = await loop.sock_recv(line, 1024)
                try:
                    return offset_in(answer, nonce, sent_s, now().timestamp())
                except NoTime as odd:
                    if str(odd) != "an answer to another question":
                        raise


@dataclass(slots=True)
class LanWatch:
    """Run as one task; `synchronised` is what a clock asks: the server's word while it is fresh, else the kernel's."""

    server: Server
    now: Callable[[], datetime]
    kernel: Callable[[], bool] = kernel_synchronised
    steady: Callable[[], float] = steady_s
    ask: Callable[[Server, Callable[[], datetime]], Awaitable[float]] = ask
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _word: tuple[bool, float] | None = field(default=None)  # whether the host's clock agreed, and when it was said

    def synchronised(self) -> bool:
        word = self._word
        if word is not None and self.steady() - word[1] < HOLDS_S:
            return word[0]
        return self.kernel()

    async def run(self) -> None:
        while True:
            await self.look()
            await self.sleep(EVERY_S)

    async def look(self) -> None:
        """One question; silence leaves the last word as it is."""
        try:
            off_s = await self.ask(self.server, self.now)
        except (NoTime, OSError, TimeoutError, ValueError) as why:  # ValueError: a name that no resolver takes
            log.debug("time server %s: %s", self.server.host, str(why) or "no answer")
            return
        agrees = abs(off_s) <= WITHIN_S
        if self._word is None or self._word[0] is not agrees:
            log.log(logging.INFO if agrees else logging.WARNING, "time server %s: %+.3f s", self.server.host, off_s)
        self._word = (agrees, self.steady())
