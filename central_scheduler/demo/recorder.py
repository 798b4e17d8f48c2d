"""Writes down everything that the branch publishes, byte by byte as it came, for the independent checker.

Knows topics and lines; it sorts nothing and mends nothing, so that a fault of order or a repeat is still to be seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from cloud_bridge.link import Connect, Message
from cloud_bridge.mqtt_link import MqttLink
from cloud_bridge.topics import Topics


@contextlib.asynccontextmanager
async def recorded(host: str, port: int, topics: Topics, folder: Path) -> AsyncIterator[None]:
    """From here on `events.jsonl` and `replies.jsonl` in `folder` are complete. Raises ConnectRefused."""
    options = Connect(host, port, f"recorder-{uuid.uuid4().hex[:12]}", clean_start=True, session_expiry_s=0)
    files = {topics.events: folder / "events.jsonl", topics.replies: folder / "replies.jsonl"}
    for path in files.values():
        path.touch()
    async with await MqttLink.connect(options) as link:
        await link.subscribe(*files)
        writing = asyncio.create_task(_write(link, files), name="recorder")
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.wait((writing,))


async def _write(link: MqttLink, files: dict[str, Path]) -> None:
    while True:
        message: Message = await link.receive()
        with files[message.topic].open("ab") as out:
            out.write(message.payload.replace(b"\n", b" ") + b"\n")
        message.ack()
