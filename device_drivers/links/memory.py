"""Two joined ends in one process: what one writes the other reads. For tests and dry runs.

Knows a bounded buffer each way and how to be cut; must not know who sits at either end.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from device_drivers.links.link import LinkError

BUFFER_BYTES = 65536  # a writer waits when the other end leaves this much unread


@dataclass(slots=True)
class _Wire:
    """Both ways of one line. `waiting` holds each reader or writer that waits for a change."""

    ways: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    why_lost: str = ""
    waiting: set[asyncio.Future[None]] = field(default_factory=set)

    def changed(self) -> None:
        for waiter in self.waiting:
            if not waiter.done():
                waiter.set_result(None)


class MemoryEnd:
    """One end of a memory line; a `link.Link`. Both ends are open from the start, so that either may begin."""

    def __init__(self, name: str, wire: _Wire, side: int) -> None:
        self._name = name
        self._wire = wire
        self._inbox = wire.ways[side]
        self._outbox = wire.ways[1 - side]

    def describe(self) -> str:
        """`memory://name`."""
        return f"memory://{self._name}"

    async def open(self) -> None:
        """Joins the ends again after a close or a cut; a new connection starts without old bytes."""
        if self._wire.why_lost:
            self._inbox.clear()
            self._outbox.clear()
            self._wire.why_lost = ""

    async def close(self) -> None:
        """Closes both ways; the other end finds the line lost."""
        self.cut("closed")

    def cut(self, why: str = "cut") -> None:
        """Loses the line at once; bytes written before may still be read."""
        self._wire.why_lost = self._wire.why_lost or why
        self._wire.changed()

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """At least one byte, or b"" after silence. Raises LinkError when the line was cut."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self._inbox:
                    await self._change()
        except TimeoutError:
            return b""
        data = bytes(self._inbox[:max_bytes])
        del self._inbox[:max_bytes]
        self._wire.changed()
        return data

    async def write(self, data: bytes) -> None:
        """Returns when the other end's buffer has all bytes. Raises LinkError."""
        while len(self._outbox) + len(data) > BUFFER_BYTES:
            await self._change()
        self._raise_if_lost()
        self._outbox += data
        self._wire.changed()

    async def _change(self) -> None:
        self._raise_if_lost()
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wire.waiting.add(waiter)
        try:
            await waiter
        finally:
            self._wire.waiting.discard(waiter)

    def _raise_if_lost(self) -> None:
        if self._wire.why_lost:
            raise LinkError(self.describe(), self._wire.why_lost)


def joined_ends(name: str = "line") -> tuple[MemoryEnd, MemoryEnd]:
    """Two ends of one line."""
    wire = _Wire()
    return MemoryEnd(name, wire, 0), MemoryEnd(f"{name}#far", wire, 1)


_lines: dict[str, tuple[MemoryEnd, MemoryEnd]] = {}


def named_line(name: str) -> tuple[MemoryEnd, MemoryEnd]:
    """The near and the far end of `memory://name`, the same two for the whole process."""
    if name not in _lines:
        _lines[name] = joined_ends(name)
    return _lines[name]
