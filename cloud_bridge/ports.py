"""What the bridge needs from above: an inbox that takes instructions and an outbox that holds what must go up.

Only declarations stand here; the agent's journal implements them and hands itself down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Lane = Literal["replies", "events"]


READING_EXPIRY_S = 300  # older than this a reading is nobody's news: the next ones are there, the hour's sum comes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One durable message that the broker has not acknowledged yet; `key` is its row (for an event: its seq)."""

    key: int
    payload: bytes


class Inbox(Protocol):
    """Takes instructions: durable when `take` returns (INS-2)."""

    async def take(self, payload: bytes) -> None:
        """Any bytes. Calls are journalled in the order in which they are made.

        Raises StoreFailed when nothing could be written; then it is not acknowledged and stays with the broker.
        """
        ...


class StoreFailed(Exception):
    """The journal could not write; says why."""


class Outbox(Protocol):
    """What must go up, in order, and the words of the session messages."""

    async def unsent(self, lane: Lane, limit: int) -> list[Outgoing]:
        """The oldest unsent rows, ascending by key, but those of `mark_sent`. Raises StoreFailed."""
        ...

    async def mark_sent(self, lane: Lane, keys: Sequence[int]) -> None:
        """They were acknowledged (OUT-2). What is not durable yet when the process ends goes out once more."""
        ...

    async def changed(self) -> None:
        """Returns at once if rows were committed since the last call, else when some are."""
        ...

    async def next_reading(self) -> tuple[str, bytes] | None:
        """A device and what it observed, the oldest that waits; it is gone from here then. None: nothing waits."""
        ...

    async def observed(self) -> None:
        """Returns when `next_reading` has something."""
        ...

    async def next_session(self) -> int:
        """Counts a CONNECT; durable when it returns (ENV-2)."""
        ...

    def will(self, session: int, reason: str = "lost") -> bytes:
        """The death message of a session."""
        ...

    async def birth(self, session: int) -> bytes:
        """The birth message, at most 64 KiB."""
        ...

    async def heartbeat(self, session: int) -> bytes:
        """The heartbeat message (SES-6)."""
        ...

    def is_other_death(self, payload: bytes, session: int) -> bool:
        """Whether what was seen on our own session topic is a death that is not of now (SES-3)."""
        ...

    async def told(self, what: str, reason: str) -> None:
        """Something about the link that must be told once, as an event (a refused publish, a taken-over session)."""
        ...
