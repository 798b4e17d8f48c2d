"""A simulated machine's serial line as a pty under a name that stays.

Knows bytes and file descriptors only; like a serial line it loses what nobody reads.
"""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path

Feed = Callable[[bytes], None]
CHUNK = 4096


class PtyPort:
    """A pty in raw mode, both sides held open: bytes sent while no host is there wait in the tty for the next one."""

    def __init__(self, link: Path, feed: Feed) -> None:
        self._link, self._feed = link, feed
        self._master = self._slave = -1
        self.lost_bytes = 0
        self._ready = True
        self.plug()

    @property
    def address(self) -> str:
        """As the agent's device address."""
        return f"serial://{self._link}"

    def plug(self) -> None:
        """Make the line and point the name at it."""
        if self._master >= 0:
            return
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._link.with_name(f"{self._link.name}.{os.getpid()}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self._link)
        self.ready(on=self._ready)

    def unplug(self) -> None:
        """The host sees the line hang up."""
        if self._master < 0:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        self._link.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def ready(self, *, on: bool) -> None:
        """While off, what the host writes stays in the tty; when that is full the host has to wait."""
        self._ready = on
        loop = asyncio.get_running_loop()
        if self._master < 0:
            return
        if on:
            loop.add_reader(self._master, self._readable)
        else:
            loop.remove_reader(self._master)

    def send(self, data: bytes) -> None:
        """What does not fit into the tty any more is lost, as on a real line."""
        try:
            written = 0 if self._master < 0 else os.write(self._master, data)
        except BlockingIOError:
            written = 0
        self.lost_bytes += len(data) - written

    def close(self) -> None:
        """Take the name away."""
        self.unplug()

    def _readable(self) -> None:
        try:
            data = os.read(self._master, CHUNK)
        except BlockingIOError:
            return
        self._feed(data)
