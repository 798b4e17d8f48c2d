"""The parts of an order, each alone: a QoS 1 round trip, an fsync'd commit, an exchange with the machine.

Knows how each is measured; what an order is made of is told where they are added.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

from bench.echo import DOWN, UP
from bench.figures import Spread
from bench.load import client
from cloud_bridge.mqtt_link import MqttLink


async def round_trips(port: int, count: int, size: int = 600) -> Spread:
    """Publish at QoS 1 to an echoing process and hear it again; one at a time."""
    link = await MqttLink.connect(client(port, "bench-rtt"))
    await link.subscribe(UP)
    seconds = []
    for _ in range(count):
        began_s = time.perf_counter()
        publishing = asyncio.ensure_future(link.publish(DOWN, b"x" * size))
        message = await link.receive()
        seconds.append(time.perf_counter() - began_s)
        message.ack()
        await publishing
    await link.close()
    return Spread.of(seconds)


def commits(folder: Path, count: int) -> Spread:
    """One transaction of the journal's kind: three rows, WAL, synchronous=FULL."""
    db = sqlite3.connect(folder / "commits.sqlite3", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE row (n INTEGER PRIMARY KEY, data TEXT)")
    seconds = []
    for _ in range(count):
        began_s = time.perf_counter()
        db.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            db.execute("INSERT INTO row (data) VALUES (?)", ("x" * 400,))
        db.execute("COMMIT")
        seconds.append(time.perf_counter() - began_s)
    db.close()
    return Spread.of(seconds)
