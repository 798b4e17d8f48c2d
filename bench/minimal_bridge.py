"""The least that a bridge with a memory can be: instruction in, one fsync'd row, bytes to the machine, outcome out.

The yardstick of the agent, run beside it. Knows one topic each way and one machine protocol; it checks, proves and
recovers nothing. What it prints is one short line, or the bytes of a file (the sheet that the agent prints); or it
shows a text on digit displays.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.load import client
from cloud_bridge.link import Message
from cloud_bridge.mqtt_link import MqttLink
from device_drivers.led485.protocol import TEXT_REGISTER, text_words
from device_drivers.modbus import protocol
from device_drivers.modbus.framing import rtu_frame

DISPLAY = "display"
ACKNOWLEDGED_BYTES = 8  # unit, function, address, count, check
DOWN, UP = "bench/minimal/down", "bench/minimal/up"


class Machine:
    """One simulated printer: a ticket out, its process ID back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sheet: bytes) -> None:
        self._reader, self._writer, self._sheet = reader, writer, sheet
        self._turn = asyncio.Lock()

    async def serve(self, key: str, number: int) -> None:
        """Returns when the machine said that it is printed."""
        text, process_id = f"No. {key}", f"{number % 9999 + 1:04d}"
        proof = b"\x37\x22" + process_id.encode() + b"\x00"
        async with self._turn:
            sheet = self._sheet or b"\x1b@" + text.encode("ascii") + b"\n\x1dV\x00"
            self._writer.write(sheet + b"\x1d(H\x06\x0000" + process_id.encode())
            await self._reader.readuntil(proof)


class Display:
    """One simulated digit display: a text for its registers, and its acknowledgement back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._turn = asyncio.Lock()

    async def serve(self, key: str, number: int) -> None:
        """Returns when the display said that it has the text."""
        async with self._turn:
            words = text_words(key[:6].upper(), 6)
            self._writer.write(rtu_frame(1, protocol.write_words(TEXT_REGISTER, words).pdu))
            await self._reader.readexactly(ACKNOWLEDGED_BYTES)


Maker = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Machine | Display]


def maker(what: str) -> Maker:
    """`what`: DISPLAY, a file with what is printed, or nothing for one short line."""
    if what == DISPLAY:
        return Display
    sheet = Path(what).read_bytes() if what else b""
    return lambda reader, writer: Machine(reader, writer, sheet)


async def main(port: int, folder: Path, make: Maker, addresses: list[str]) -> None:
    """Serves until it is ended."""
    db = sqlite3.connect(folder / "minimal.sqlite3", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, payload BLOB)")
    machines = [make(*await asyncio.open_connection(*address.rsplit(":", 1))) for address in addresses]
    link = await MqttLink.connect(client(port, "bench-minimal"))
    await link.subscribe(DOWN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    async with asyncio.TaskGroup() as group:
        while True:
            message = await link.receive()
            group.create_task(_serve(db, link, machines, message))


async def _serve(
    db: sqlite3.Connection, link: MqttLink, machines: Sequence[Machine | Display], message: Message
) -> None:
    told = json.loads(message.payload)
    db.execute("INSERT INTO seen VALUES (?, ?)", (told["id"], message.payload))  # autocommit: on disk when it returns
    message.ack()
    number = int(told["n"])
    await machines[number % len(machines)].serve(told["id"], number)
    await link.publish(UP, json.dumps({"id": told["id"]}).encode())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), maker(sys.argv[3]), sys.argv[4:]))
