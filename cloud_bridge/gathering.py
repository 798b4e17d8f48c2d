"""A connected socket that reads much at once, and writes what several packets made together.

The MQTT library asks for each packet in three pieces and writes each by itself, a system call every time. Knows bytes,
TLS and a socket that does not block; must not know packets, nor the loop that says when to read and write.
"""

from __future__ import annotations

import socket
import ssl

READ_BYTES = 64 * 1024  # more than a TLS record, so that nothing decoded stays where no selector sees it
GATHER_BYTES = 64 * 1024  # so much may wait for the system before a sender has to wait himself
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class GatheringSocket:
    """`recv` gives what `fill` has read, `send` keeps for `flush`: only these two ask the system.

    What the system refuses for good is raised where the bare socket would raise it, by the next `recv` or `send`; an
    error in reading comes behind what was read before it. With `gathers` False each `send` goes to the system, behind
    what was kept until then, and says how much of it was taken.
    """

    def __init__(self, sock: socket.socket) -> None:
        """`sock` is connected, does not block, and is nobody else's from now on."""
        self.inner = sock
        self.gathers = True
        self._came = b""
        self._at = 0  # how much of it was handed out
        self._ended = False
        self._kept = bytearray()
        self._failed: OSError | None = None

    def fileno(self) -> int:
        """As the selector wants it; -1 when closed."""
        return self.inner.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - as sockets have it
        """See socket.socket; a socket of this kind never blocks."""
        self.inner.setblocking(flag)

    def close(self) -> None:
        """At once: what was kept and never taken by the system is given up, as a bare socket would."""
        self._kept.clear()
        self.inner.close()

    # -- reading -------------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Whether `recv` has something to tell: bytes, the end, or an error."""
        return self._at < len(self._came) or self._ended or self._failed is not None

    def fill(self) -> None:
        """One read of the system, unless something waits still: a reader who pauses is not read for."""
        if self.waiting:
            return
        try:
            self._came, self._at = self.inner.recv(READ_BYTES), 0
        except _NOT_NOW:
            return
        except OSError as error:
            self._failed = error
        else:
            self._ended = not self._came

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes, b"" at the end. Raises BlockingIOError when nothing waits, else what the system said."""
        if self._failed is not None:
            raise self._failed
        data = self._came[self._at : self._at + size]
        if not data and not self._ended:
            raise BlockingIOError
        self._at += len(data)
        return data

    # -- writing -------------------------------------------------------------------------------------------------------

    @property
    def unsent(self) -> int:
        """Bytes that the system has not taken."""
        return len(self._kept)

    @property
    def failed(self) -> bool:
        """Whether the system refused something for good: the next `recv` raises it."""
        return self._failed is not None

    def send(self, data: bytes | bytearray) -> int:
        """How many bytes were taken. Raises BlockingIOError when too many wait already, else what the system said."""
        if not self.gathers or len(self._kept) >= GATHER_BYTES:
            self.flush()
        if self._failed is not None:
            raise self._failed
        if self.gathers and len(self._kept) < GATHER_BYTES:
            self._kept += data
            return len(data)
        if self._kept:
            raise BlockingIOError
        return self.inner.send(data)

    def flush(self) -> None:
        """One write of all that was kept; what the system does not take now stays, in order."""
        if not self._kept or self._failed is not None:
            return
        try:
            taken = self.inner.send(self._kept)  # TLS wants to be asked again with what begins with the same bytes
        except _NOT_NOW:
            return
        except OSError as error:
            self._failed = error
        else:
            del self._kept[:taken]
