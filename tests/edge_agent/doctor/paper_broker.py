"""A broker of paper on loopback: it says in CONNACK and SUBACK what a test wants, echoes messages, or is silent.

Knows the five packets of MQTT 5 that a trial meets by their bytes (OASIS MQTT 5.0, §3); nothing of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class PaperBroker:
    """`async with PaperBroker(...).standing() as port`."""

    connack: int = 0
    properties: bytes = b""
    suback: int = 1
    speaks: bool = True
    echoes: bool = True
    keeps: int = 100_000  # messages for a client that is away
    away: Literal["waits", "refused", "unconfirmed", "unheard"] = "waits"  # how it fares
    clients: list[bytes] = field(default_factory=list)  # the CONNECT packets, whole
    expiries: list[bytes] = field(default_factory=list)  # what each DISCONNECT says
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    kept: list[bytes] = field(default_factory=list)  # PUBLISH packets for whoever comes back
    back: asyncio.StreamWriter | None = None

    @contextlib.asynccontextmanager
    async def standing(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            self.hold.set()
            server.close()
            await server.wait_closed()
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._packet(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _packet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        kind = (await reader.readexactly(1))[0]
        length, shift = 0, 0
        while True:
            byte = (await reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        body = await reader.readexactly(length)
        if not self.speaks:
            await self.hold.wait()
            return False
        for answer in self._answers(kind, body):
            writer.write(answer)
        comes_back = kind >> 4 == 1 and not body[7] & 2  # CONNECT without clean start
        if comes_back and self.away != "unheard":
            self.back = writer
            writer.writelines(self.kept)
        await writer.drain()
        return kind >> 4 != 14

    def _answers(self, kind: int, body: bytes) -> list[bytes]:
        if kind >> 4 == 1:  # CONNECT
            self.clients.append(body)
            connack = 0x87 if self.away == "refused" and body.endswith(b"-away") else self.connack
            return [_packet(0x20, bytes((0, connack, len(self.properties))) + self.properties)]
        if kind >> 4 == 8:  # SUBSCRIBE, one topic each
            return [_packet(0x90, body[:2] + bytes((0, self.suback)))]
        if kind >> 4 == 12:
            return [b"\xd0\x00"]
        if kind >> 4 == 14:
            self.expiries.append(body)
        if kind >> 4 != 3:
            return []
        size = int.from_bytes(body[:2], "big")
        topic, mid, rest = body[: 2 + size], body[2 + size : 4 + size], body[4 + size :]
        payload = rest[1 + rest[0] :]
        if topic.endswith(b"/queue"):
            self._queue(topic, payload)
            return [] if self.away == "unconfirmed" else [_packet(0x40, mid)]
        echo = [_packet(0x30, topic + b"\x00" + payload)] if self.echoes else []
        return [_packet(0x40, mid), *echo]

    def _queue(self, topic: bytes, payload: bytes) -> None:
        packet = _packet(0x32, topic + (len(self.kept) + 1).to_bytes(2) + b"\x00" + payload)
        if self.back is not None:
            self.back.write(packet)
        elif len(self.kept) < self.keeps:
            self.kept.append(packet)


def _packet(kind: int, body: bytes) -> bytes:
    assert len(body) < 128
    return bytes((kind, len(body))) + body
