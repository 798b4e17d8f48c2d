"""The five calls of a link: open, close, read, write, describe.

Knows only how bytes and their loss look to a driver; must not know frames, devices or retries.
"""

from __future__ import annotations

from typing import Protocol


class LinkError(Exception):
    """The line cannot be opened or was lost; names the address and the operating system's reason."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"{address}: {why}")
        self.address = address
        self.why = why


class Link(Protocol):
    """A byte stream to one line. One owner at a time; `read` and `write` raise LinkError when the line is gone."""

    async def open(self) -> None:
        """Opens exclusively. Raises LinkError."""
        ...

    async def close(self) -> None:
        """Closes; harmless when closed already."""
        ...

    async def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """At least one byte, or b"" after `timeout_s` seconds of silence. Raises LinkError when the line is lost."""
        ...

    async def write(self, data: bytes) -> None:
        """Returns when the operating system has taken all bytes. Raises LinkError."""
        ...

    def describe(self) -> str:
        """The address as configured, for logs and errors."""
        ...


class PromptLink(Link, Protocol):
    """A link that mostly need not wait to write: see `finish.write_whole`."""

    def write_at_once(self, data: bytes) -> bool:
        """Whether the operating system has all bytes; else they are on their way until `written` returns.

        Raises LinkError.
        """
        ...

    async def written(self) -> None:
        """Returns when the operating system has all that was begun. Raises LinkError."""
        ...
