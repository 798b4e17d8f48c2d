"""How many stand at the door: connections are counted where they are taken, so that no crowd takes the agent's files.

Knows sockets; must not know HTTP. A device's line, the journal and the centre's link need files of the same process.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

MOST = 64  # a request of a page takes one for some milliseconds; readers of events stay
MOST_OF_ONE = 32  # from one address: whoever opens them all leaves as many for others
UNREAD_BYTES = 64 * 1024  # the kernel would keep megabytes for each who reads nothing
UNHEARD_MS = 60_000  # what a machine that slept or lost its network did not confirm: it is gone


class Doorstep(socket.socket):
    """A listening socket; whoever comes when there is no room is shut out unread."""

    def __init__(self, host: str, port: int) -> None:
        """Raises OSError: the port is taken, or the address is none of this box."""
        super().__init__(fileno=socket.create_server((host, port), backlog=MOST).detach())
        self._inside: Counter[str] = Counter()

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises BlockingIOError: nobody is there; ConnectionAbortedError: nobody more is let in."""
        taken, address = super().accept()
        who = str(address[0])
        if self._inside.total() >= MOST or self._inside[who] >= MOST_OF_ONE:
            taken.close()
            raise ConnectionAbortedError(f"{who} is shut out")
        self._inside[who] += 1
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_BYTES)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MS)
        return _Visit(taken.detach(), lambda: self._left(who)), address

    def _left(self, who: str) -> None:
        self._inside[who] -= 1
        if not self._inside[who]:
            del self._inside[who]


class _Visit(socket.socket):
    """One connection, which says once that it is closed."""

    def __init__(self, fileno: int, left: Callable[[], None]) -> None:
        super().__init__(fileno=fileno)
        self._left: Callable[[], None] | None = left

    def close(self) -> None:
        super().close()
        if self._left is not None:
            self._left()
            self._left = None
