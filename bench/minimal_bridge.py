"""The least that a bridge with a memory can be: instruction in, one fsync'd row, bytes to the machine, outcome out.

The yardstick of the agent, run beside it. Knows one topic each way and one machine protocol; it checks, proves and
recovers nothing. What it prints is one short line, or the bytes of a file (the sheet that the agent prints).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from pathlib import Path

from bench.load import client
from cloud_bridge.link import Message
from cloud_bridge.mqtt_link import MqttLink

DOWN, UP = "bench/minimal/down", "bench/minimal/up"


class Machine:
    """One simulated printer: a ticket out, its process ID back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sheet: bytes) -> None:
        self._reader, self._writer, self._sheet = reader, writer, sheet
        self._turn = asyncio.Lock()

    async def print_ticket(self, text: str, process_id: str) -> None:
        """Returns when the machine said that it is printed."""
        proof = b"\x37\x22" + process_id.encode() + b"\x00"
        async with self._turn:
            sheet = self._sheet or b"\x1b@" + text.encode("ascii") + b"\n\x1dV\x00"
            self._writer.write(sheet + b"\x1d(H\x06\x0000" + process_id.encode())
            await self._reader.readuntil(proof)


async def main(port: int, folder: Path, sheet: bytes, printers: list[str]) -> None:
    """Serves until it is ended."""
    db = sqlite3.connect(folder / "minimal.sqlite3", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, payload BLOB)")
    machines = [
        Machine(*await asyncio.open_connection(host, int(number)), sheet)
        for host, number in (address.rsplit(":", 1) for address in printers)
    ]
    link = await MqttLink.connect(client(port, "bench-minimal"))
    await link.subscribe(DOWN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    async with asyncio.TaskGroup() as group:
        while True:
            message = await link.receive()
            group.create_task(_serve(db, link, machines, message))


async def _serve(db: sqlite3.Connection, link: MqttLink, machines: list[Machine], message: Message) -> None:
    told = json.loads(message.payload)
    db.execute("INSERT INTO seen VALUES (?, ?)", (told["id"], message.payload))  # autocommit: on disk when it returns
    message.ack()
    number = int(told["n"])
    await machines[number % len(machines)].print_ticket(f"No. {told['id']}", f"{number % 9999 + 1:04d}")
    await link.publish(UP, json.dumps({"id": told["id"]}).encode())


if __name__ == "__main__":
    given = Path(sys.argv[3]).read_bytes() if sys.argv[3] else b""
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), given, sys.argv[4:]))
